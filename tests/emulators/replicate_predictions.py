"""A prediction at the emulated Replicate. Its state is computed from the clock whenever someone looks, so
that ten thousand of them, running at once, cost nothing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.emulators.base import Effect, Fault, InvoiceLine
from tests.emulators.replicate_model import EmulatedModel

TERMINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})
NSFW_ERROR = "NSFW content detected. Try running it again, or try a different prompt."
OUT_OF_MEMORY = "CUDA out of memory. (E1001)"

_OUTCOMES = {
    Effect.FAIL: "failed",
    Effect.NSFW: "failed",
    Effect.CANCEL: "canceled",
    Effect.OUTPUT_EXPIRED: "succeeded",
}


@dataclass(frozen=True, slots=True)
class State:
    status: str
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(slots=True, eq=False)
class Prediction:
    """`version` is as shown: "hidden" for official models. Times are seconds of the emulator's clock."""

    id: str
    model: EmulatedModel
    version: str
    input: dict[str, Any]
    created_at: float
    queue_s: float
    run_s: float
    retention_s: float
    deadline: float | None = None
    webhook: str | None = None
    webhook_events: frozenset[str] = frozenset()
    shows_webhook: bool = False
    deployment: str | None = None
    faults: Mapping[Effect, Fault] = field(default_factory=dict)
    canceled_at: float | None = None

    def __post_init__(self) -> None:
        if fault := self.faults.get(Effect.QUEUE_SECONDS):
            self.queue_s = fault.seconds
        if fault := self.faults.get(Effect.RUN_SECONDS):
            self.run_s = fault.seconds

    @property
    def _due_to_start(self) -> float:
        return self.created_at + self.queue_s

    def _end(self) -> tuple[float, str]:
        """When it ends, if nobody does anything more, and how."""
        start = self._due_to_start
        finish = math.inf if Effect.STUCK in self.faults else start + self.run_s
        ends = [(finish, next((_OUTCOMES[e] for e in self.faults if e in _OUTCOMES), "succeeded"))]
        if Effect.ABORT in self.faults:
            ends.append((start, "aborted"))
        if self.deadline is not None:
            ends.append((self.deadline, "aborted" if self.deadline <= start else "canceled"))
        if self.canceled_at is not None:
            ends.append((self.canceled_at, "canceled"))
        return min(ends)

    def state(self, now: float) -> State:
        ended_at, status = self._end()
        start = self._due_to_start
        if now >= ended_at:
            ran = status in ("succeeded", "failed") or start < ended_at
            return State(status, start if ran and status != "aborted" else None, ended_at)
        return State("processing", start) if start < now else State("starting")

    def next_change(self, now: float) -> float:
        """The time of the next change of state; infinity when none comes by itself."""
        ended_at, _ = self._end()
        return min((at for at in (self._due_to_start, ended_at) if at > now), default=math.inf)

    def listed(self, now: float) -> bool:
        fault = self.faults.get(Effect.LIST_LAG)
        return fault is None or now >= self.created_at + fault.seconds

    def data_removed(self, now: float) -> bool:
        state = self.state(now)
        if state.ended_at is None:
            return False
        return Effect.OUTPUT_EXPIRED in self.faults or now >= state.ended_at + self.retention_s

    def predict_time(self, state: State) -> str | None:
        """Seconds of use as the API shows them, in text so that no digit is lost."""
        if state.ended_at is None or state.status == "aborted":
            return None
        if state.started_at is None:
            return "0.000003"
        return f"{state.ended_at - state.started_at:.6f}"

    def bill(self, now: float) -> InvoiceLine:
        state = self.state(now)
        amount = 0
        if state.status in ("succeeded", "failed", "canceled") and state.started_at is not None:
            amount = self.model.bill(self.input, state.status, self.predict_time(state))
        return InvoiceLine(
            self.id,
            self.model.slug,
            state.status,
            amount,
            state.ended_at is not None,
            self.created_at,
            self.webhook,
            self.input,
        )

    def as_json(self, now: float, base_url: str, *, row: bool = False) -> dict[str, Any]:
        """The prediction object; as a `row` of a list it has no logs. A prediction that has not ended leaves
        out `output` and `metrics`, and before it starts `started_at`, as recorded answers do."""
        state = self.state(now)
        removed = self.data_removed(now)
        body: dict[str, Any] = {
            "id": self.id,
            "model": self.model.slug,
            "version": self.version,
            "input": {} if removed else self.input,
            "error": self._error(state),
            "status": state.status,
            "created_at": iso(self.created_at),
            "data_removed": removed,
            "source": "api",
            "urls": {
                "cancel": f"{base_url}/v1/predictions/{self.id}/cancel",
                "get": f"{base_url}/v1/predictions/{self.id}",
                "web": f"https://replicate.com/p/{self.id}",
            },
        }
        if not row:
            body["logs"] = (
                None if state.status == "canceled" and not state.started_at else self._logs(state, now)
            )
        if self.webhook is not None and self.shows_webhook:
            body["webhook"] = self.webhook
        if self.deployment is not None:
            body["deployment"] = self.deployment
        if self.deadline is not None:
            body["deadline"] = iso(self.deadline)
        if state.started_at is not None:
            body["started_at"] = iso(state.started_at)
        if state.ended_at is not None:
            body["completed_at"] = iso(state.ended_at)
            body["metrics"] = self._metrics(state)
            delivered = state.status == "succeeded" and not removed
            body["output"] = self.output_urls(base_url) if delivered else None
        return body

    def output_urls(self, base_url: str) -> str | list[str]:
        files = self.model.output(self.input)
        urls = [f"{base_url}/delivery/{self.id}/out-{n}.{kind}" for n, (kind, _) in enumerate(files)]
        return urls if self.model.as_list else urls[0]

    def _metrics(self, state: State) -> dict[str, Any]:
        assert state.ended_at is not None
        metrics: dict[str, Any] = {"total_time": round(state.ended_at - self.created_at, 6)}
        predict_time = self.predict_time(state)
        if predict_time is not None:
            metrics["predict_time"] = float(predict_time)
        if self.model.metrics is not None and state.status == "succeeded":
            metrics |= self.model.metrics(self.input)
        return metrics

    def _error(self, state: State) -> str | None:
        if state.status != "failed":
            return None
        if Effect.NSFW in self.faults:
            return NSFW_ERROR
        return self.faults[Effect.FAIL].message or OUT_OF_MEMORY

    def _logs(self, state: State, now: float) -> str:
        """tqdm's lines, ten of them over the run, or an upscaler's tiles; official models that are proxies log
        nothing."""
        if not (self.model.logs or self.model.tiles) or state.started_at is None:
            return ""
        steps = int(self.input.get(self.model.steps_field, 50))
        used_s = min(now, state.ended_at or now) - state.started_at
        share = 1.0 if state.status == "succeeded" else min(0.98, used_s / self.run_s if self.run_s else 0.98)
        if tiles := self.model.tiles:
            begun = min(tiles, int(share * tiles) + 1)
            return "\n".join(f"\tTile {n}/{tiles}" for n in range(1, begun + 1))
        lines = [f"Using seed: {self.input.get('seed', 0)}"]
        for tenth in range(int(share * 10) + 1):
            bar = "█" * tenth + " " * (10 - tenth)
            lines.append(f"{tenth * 10:3d}%|{bar}| {steps * tenth // 10}/{steps} [00:00<00:00, 12.30it/s]")
        return "\n".join(lines)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
