"""Everything that runs for this account, live."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from cli.client import NoStream
from cli.errors import Interrupted, Refused, Unreachable
from cli.follow import LOST, PATIENCE_S, SNAPSHOT, Frame, Patience, parse_frame, snapshot
from cli.interrupt import until_interrupted
from cli.output import duration_words, local_time, make_table, shorten
from cli.progress import View
from cli.session import Session

ACTIVE = ("queued", "running")
POLL_S = 2.0
KEPT_ENDED = 8
"""Ended generations that stay on the board."""

REFRESH_PER_S = 4


class Feed:
    """The frames of all generations: those unfinished now as snapshots, then every change."""

    def __init__(self, session: Session) -> None:
        self.client = session.client
        self.active: set[str] = set()
        self._seqs: dict[str, int] = {}
        self._streams = True
        self._last_ts: str | None = None

    async def frames(self) -> AsyncIterator[Frame]:
        """Never ends by itself. Raises Unreachable, Refused."""
        patience = Patience(PATIENCE_S)
        while True:
            try:
                async for frame in self._stream() if self._streams else self._poll():
                    patience.restore()
                    yield frame
            except NoStream:
                self._streams = False
            except (Refused, Unreachable) as error:
                yield Frame("", 0, LOST)
                await patience.wait(error)

    async def _stream(self) -> AsyncIterator[Frame]:
        async for data in self.client.events("/events", self._last_ts):
            frame = parse_frame(data)
            if frame is not None and self._is_news(frame):
                self._last_ts = frame.ts or self._last_ts
                yield frame

    async def _poll(self) -> AsyncIterator[Frame]:
        """What is unfinished, and how those ended that no longer are."""
        before, self.active = self.active, set()
        for status in ACTIVE:
            for resource in await self.client.items("/generations", 100, status=status):
                self.active.add(resource["id"])
                yield snapshot(resource)
        for ended in before - self.active:
            yield snapshot(await self.client.get(f"/generations/{ended}"))
        await asyncio.sleep(POLL_S)

    def _is_news(self, frame: Frame) -> bool:
        """A feed repeats what it sent when it resumes."""
        last = self._seqs.get(frame.id, 0)
        self._seqs[frame.id] = max(last, frame.seq)
        return frame.seq >= last


class Board:
    """The rows of the live table."""

    COLUMNS = ("id", "kind", "model", "prompt", "state", "#done", "#left")

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Mapping[str, Any], View]] = {}
        self.lost = False

    def apply(self, frame: Frame, resource: Mapping[str, Any] | None) -> None:
        """Take a frame; `resource` is the generation when the board does not know it yet."""
        self.lost = frame.type == LOST
        if resource is not None:
            self.rows[frame.id] = (resource, View(resource))
        if frame.id in self.rows:
            self.rows[frame.id][1].apply(frame)
        self._forget()

    def _forget(self) -> None:
        ended = [id_ for id_, (_, view) in self.rows.items() if view.values["status"] not in ACTIVE]
        for id_ in ended[:-KEPT_ENDED]:
            del self.rows[id_]

    def __rich__(self) -> Group:
        running = sum(view.values["status"] in ACTIVE for _, view in self.rows.values())
        title = "connection lost, looking for it" if self.lost else f"{running} unfinished. Ctrl-C leaves."
        rows = [self._row(resource, view) for resource, view in self.rows.values()]
        return Group(Text(title, style="dim"), make_table(self.COLUMNS, rows))

    def _row(self, resource: Mapping[str, Any], view: View) -> list[str]:
        percent = "" if view.progress is None else f"{view.progress:.0%}"
        left = duration_words(view.eta_s) if view.eta_s and view.values["status"] in ACTIVE else ""
        about = (resource["id"], resource["kind"], resource["model"], prompt_of(resource))
        return [*about, view.words, percent, left]


async def watch_all(session: Session) -> None:
    """Show everything until Ctrl-C."""
    out = session.out
    live = out.stdout.isatty() and not out.as_json
    try:
        work = _show_board(session) if live else _print_frames(session)
        await until_interrupted(work, Interrupted("Stopped watching."))
    except Interrupted:
        if not live:
            raise


async def _show_board(session: Session) -> None:
    board = Board()
    console = session.out.console(session.out.stdout)
    with Live(board, console=console, refresh_per_second=REFRESH_PER_S):
        async for frame in Feed(session).frames():
            board.apply(frame, await _unknown(session, board, frame))


async def _unknown(session: Session, board: Board, frame: Frame) -> Any:
    if not frame.id or frame.id in board.rows:
        return None
    return frame.data if frame.type == SNAPSHOT else await session.client.get(f"/generations/{frame.id}")


async def _print_frames(session: Session) -> None:
    """One line for each change: JSON, or time, id, type, progress."""
    async for frame in Feed(session).frames():
        if frame.type == LOST:
            session.out.note("Connection lost, looking for it.")
        elif session.out.as_json:
            body = {"id": frame.id, "seq": frame.seq, "ts": frame.ts, "type": frame.type, "data": frame.data}
            session.out.json(body, compact=True)
        elif not frame.type.endswith(".delta"):
            session.out.line("\t".join(_line(frame)))


def _line(frame: Frame) -> tuple[str, ...]:
    at = local_time(frame.ts or datetime.now().astimezone().isoformat())
    progress = frame.data.get("progress")
    state = str(frame.data.get("status") or frame.type.removeprefix("generation."))
    return (at, frame.id, state, "" if progress is None else f"{progress:.0%}")


def prompt_of(resource: Mapping[str, Any]) -> str:
    """What was asked for, in a few words."""
    asked = resource.get("input") or {}
    words = asked.get("prompt") or asked.get("text") or asked.get("image") or ""
    return shorten(str(words), 40)
