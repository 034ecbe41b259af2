"""How far a generation is: a bar on a terminal, plain lines elsewhere, nothing with JSON."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from cli.follow import LOST, SNAPSHOT, Frame
from cli.output import Output, clean, duration_words

STAGES = {
    "routing": "choosing a provider",
    "submitting": "submitting",
    "provider_queued": "waiting at the provider",
    "provider_running": "running",
    "downloading": "downloading",
    "storing": "storing",
    "settling": "settling",
}
RESTARTS = frozenset({"generation.retrying", SNAPSHOT})
"""Frames that may take progress back; others only leave it out."""

LINE_STEP = 0.25
"""Without a terminal, a line for each new stage and each quarter."""


class View:
    """What is known of one generation, from its frames."""

    FIELDS = (
        "status",
        "stage",
        "progress",
        "eta_seconds",
        "queue_position",
        "provider_queue_position",
        "error",
    )

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = {name: resource.get(name) for name in self.FIELDS}
        self.lost = False
        self._eta_at = self._eta_from(self.values["eta_seconds"])

    def apply(self, frame: Frame) -> None:
        self.lost = frame.type == LOST
        known = {name: frame.data[name] for name in self.FIELDS if name in frame.data}
        if "eta_seconds" in known:
            self._eta_at = self._eta_from(known["eta_seconds"])
        for name in ("progress", "stage"):
            if frame.type not in RESTARTS and known.get(name, self) is None:
                del known[name]
        self.values |= known

    @property
    def progress(self) -> float | None:
        found = self.values["progress"]
        return None if found is None else min(1.0, max(0.0, float(found)))

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left, by this machine's monotonic clock."""
        return None if self._eta_at is None else max(0.0, self._eta_at - time.monotonic())

    @property
    def words(self) -> str:
        """The status or, while it runs, the stage, with its place in the queue."""
        if self.lost:
            return "connection lost, looking for it"
        status, stage = self.values["status"] or "queued", self.values["stage"]
        text = STAGES.get(stage, str(stage)) if status == "running" and stage else str(status)
        place = self.values["provider_queue_position" if status == "running" else "queue_position"]
        return clean(
            f"{text}, number {place} in the queue" if place and stage != "provider_running" else text
        )

    def _eta_from(self, seconds: object) -> float | None:
        return time.monotonic() + seconds if isinstance(seconds, (int, float)) else None


class Display(Protocol):
    """Shows one generation."""

    def show(self, view: View) -> None: ...

    def remark(self, text: str) -> None:
        """Say something beside the progress."""

    def close(self) -> None: ...


class Silence:
    """For JSON, and for text that is streamed."""

    def show(self, view: View) -> None:
        pass

    def remark(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class Lines:
    """A line on stderr when something worth a line changed."""

    def __init__(self, out: Output, title: str) -> None:
        self.out = out
        self.title = title
        self._last: tuple[str, int] | None = None

    def show(self, view: View) -> None:
        step = int((view.progress or 0) / LINE_STEP)
        if (view.words, step) == self._last:
            return
        self._last = (view.words, step)
        percent = f" {view.progress:.0%}" if view.progress else ""
        self.out.note(f"{self.title}: {view.words}{percent}")

    def remark(self, text: str) -> None:
        self.out.note(text)

    def close(self) -> None:
        pass


class EtaColumn(ProgressColumn):
    """What is left as the gateway estimates it, and what has passed."""

    def render(self, task: Task) -> Text:
        view: View = task.fields["view"]
        passed = duration_words(task.elapsed or 0.0)
        left = view.eta_s
        return Text(f"{passed}, about {duration_words(left)} left" if left else passed, style="dim")


class PercentColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("   ?" if task.total is None else f"{task.percentage:>3.0f}%")


class Bar:
    """A live bar on stderr."""

    def __init__(self, out: Output, title: str, view: View) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            PercentColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            EtaColumn(),
        )
        self._progress = Progress(*columns, console=out.console(out.stderr), transient=True)
        self._task: TaskID = self._progress.add_task(title, total=None, view=view, words=view.words)
        self._progress.start()

    def show(self, view: View) -> None:
        total, done = (None, 0.0) if view.progress is None else (1.0, view.progress)
        self._progress.update(self._task, total=total, completed=done, words=view.words, view=view)

    def remark(self, text: str) -> None:
        self._progress.console.print(Text(clean(text)), soft_wrap=True)

    def close(self) -> None:
        self._progress.stop()


def open_display(out: Output, title: str, view: View) -> Display:
    """The display that suits where stderr goes."""
    if out.as_json:
        return Silence()
    return Bar(out, title, view) if out.interactive else Lines(out, title)
