"""Waiting for a generation to end, with its progress on show."""

import asyncio
from collections.abc import Mapping
from typing import Any

from cli.errors import Interrupted
from cli.follow import LOST, TERMINAL, Follower, look_patiently
from cli.interrupt import until_interrupted
from cli.output import shorten
from cli.progress import Display, Silence, View, open_display
from cli.session import Session
from cli.texttail import TextTail

DELTA = "generation.delta"
SETTLE_LOOKS, SETTLE_PAUSE_S = 8, 0.25
"""How long to look for the final cost, which is written just after the end."""


async def wait_for_end(
    session: Session, resource: Mapping[str, Any], tail: TextTail | None = None
) -> dict[str, Any]:
    """The generation once it has ended; its text goes to `tail` as it comes.

    Raises Interrupted when the user leaves, Unreachable when the gateway stays away, Refused.
    """
    if resource["status"] not in TERMINAL:
        await _watch(session, resource, tail)
    return await _settled(session, str(resource["id"]))


async def _watch(session: Session, resource: Mapping[str, Any], tail: TextTail | None) -> None:
    out, generation_id = session.out, str(resource["id"])
    view = View(resource)
    display = open_display(out, title_of(resource), view)
    how = how_to_go_on(generation_id)

    def explain() -> None:
        display.remark(f"The job goes on by itself. Press Ctrl-C again to stop waiting.\n{how}")

    patient = out.interactive and not out.as_json
    leaving = Interrupted("Stopped waiting; the job goes on.", "" if patient else how)
    work = _show(session, Follower(session.client, generation_id, resource["seq"]), view, display, tail)
    try:
        await until_interrupted(work, leaving, explain if patient else None)
    finally:
        display.close()


async def _show(
    session: Session, follower: Follower, view: View, display: Display, tail: TextTail | None
) -> None:
    display.show(view)
    async for frame in follower.frames():
        if frame.type == DELTA and tail is not None:
            display.close()
            display = Silence()
            tail.add(frame.data["offset"], frame.data["text"])
        elif frame.type != LOST or not view.lost:
            view.apply(frame)
            display.show(view)


async def _settled(session: Session, generation_id: str) -> dict[str, Any]:
    """The ended generation, if possible with its final cost."""
    for _ in range(SETTLE_LOOKS):
        found: dict[str, Any] = await look_patiently(session.client, generation_id)
        if (found.get("cost") or {}).get("status") != "reserved":
            break
        await asyncio.sleep(SETTLE_PAUSE_S)
    return found


def title_of(resource: Mapping[str, Any]) -> str:
    """`image (flux-2)`."""
    return shorten(f"{resource['kind']} ({resource['model']})", 32)


def how_to_go_on(generation_id: str) -> str:
    return f"Watch it:  penstock jobs watch {generation_id}\nCancel it: penstock jobs cancel {generation_id}"
