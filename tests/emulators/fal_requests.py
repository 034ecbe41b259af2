"""A request in the emulated fal's queue. Its state is computed from the clock whenever someone looks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.emulators.base import Effect, Fault, InvoiceLine
from tests.emulators.fal_models import EmulatedModel

CANCELED = "client_cancelled"
STARTUP_TIMEOUT = "startup_timeout"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a request ended: `error` is the platform's type, `detail` a model's list of typed errors."""

    status: int = 200
    error: str | None = None
    detail: Any = None
    billed: bool = False
    ran: bool = True


@dataclass(slots=True, eq=False)
class FalRequest:
    """Times are seconds of the emulator's clock. `headers` are the request's own that begin with `x-fal`."""

    id: str
    model: EmulatedModel
    input: dict[str, Any]
    created_at: float
    queue_s: float
    run_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    webhook: str | None = None
    faults: dict[Effect, Fault] = field(default_factory=dict)
    canceled_at: float | None = None

    def __post_init__(self) -> None:
        if fault := self.faults.get(Effect.QUEUE_SECONDS):
            self.queue_s = fault.seconds
        if fault := self.faults.get(Effect.RUN_SECONDS):
            self.run_s = fault.seconds

    @property
    def starts_at(self) -> float:
        return self.created_at + self.queue_s

    def end(self) -> tuple[float, Verdict]:
        """When it ends, if nobody does anything more, and how."""
        start_limit = float(self.headers.get("x-fal-request-timeout", math.inf))
        late = start_limit < self.queue_s
        ends = [(self.starts_at + self._run_s(), self._by_itself())]
        if late or Effect.ABORT in self.faults:
            at = min(self.starts_at, self.created_at + start_limit)
            ends.append((at, Verdict(504, STARTUP_TIMEOUT, ran=False)))
        if self.canceled_at is not None:
            ends.append((self.canceled_at, Verdict(499, CANCELED, ran=self.canceled_at > self.starts_at)))
        return min(ends, key=lambda end: end[0])

    def ended(self, now: float) -> Verdict | None:
        at, verdict = self.end()
        return verdict if now >= at else None

    def running(self, now: float) -> bool:
        return self.ended(now) is None and now > self.starts_at

    def listed(self, now: float) -> bool:
        """Only what has ended is in the list."""
        lag = self.faults.get(Effect.LIST_LAG)
        return now >= self.end()[0] + (lag.seconds if lag is not None else 0.0)

    def status(self, now: float, position: int, logs: bool) -> dict[str, Any]:
        verdict = self.ended(now)
        shown = self._logs(now) if logs else None
        if verdict is None:
            if not self.running(now):
                return {"status": "IN_QUEUE", "queue_position": position}
            return {"status": "IN_PROGRESS", "logs": shown}
        ran_s = self.end()[0] - self.starts_at if verdict.ran else None
        body = {"status": "COMPLETED", "logs": shown, "metrics": {"inference_time": ran_s} if ran_s else {}}
        if verdict.error is not None:
            body |= {"error": verdict.error.replace("_", " "), "error_type": verdict.error}
        return body

    def result(self, base_url: str) -> dict[str, Any]:
        files = [
            {
                "url": f"{base_url}/files/{self.id}/{n}.{file.extension}",
                "content_type": "application/octet-stream",
                "file_name": f"{n}.{file.extension}",
                "file_size": len(file.content),
                **({"width": file.width, "height": file.height} if file.width else {}),
            }
            for n, file in enumerate(self.model.output(self.input))
        ]
        body: dict[str, Any] = {self.model.field: files if self.model.field == "images" else files[0]}
        if "seed" in self.model.inputs:
            body["seed"] = self.input.get("seed", 42)
        return body

    def bill(self, now: float) -> InvoiceLine:
        verdict = self.ended(now)
        nanos = self.model.bill(self.input) if verdict is not None and verdict.billed else 0
        state = "in progress" if verdict is None else verdict.error or str(verdict.status)
        return InvoiceLine(
            self.id, self.model.endpoint, state, nanos, verdict is not None, self.created_at, self.webhook,
            self.input,
        )  # fmt: skip

    def row(self, now: float, payloads: bool) -> dict[str, Any]:
        at, verdict = self.end()
        body: dict[str, Any] = {
            "request_id": self.id,
            "endpoint_id": self.model.endpoint,
            "started_at": iso(self.starts_at),
            "sent_at": iso(self.created_at),
            "ended_at": iso(at),
            "status_code": verdict.status,
            "duration": round(at - self.created_at, 3),
        }
        if payloads:
            body |= {"json_input": self.input, "json_output": None}
        return body

    def _run_s(self) -> float:
        if self.model.complaints(self.input):
            return 0.001
        return math.inf if Effect.STUCK in self.faults else self.run_s

    def _by_itself(self) -> Verdict:
        """Wrong input is noticed by the model, not by the queue."""
        if wrong := self.model.complaints(self.input):
            return Verdict(422, detail=wrong)
        if fault := self.faults.get(Effect.FAIL):
            message = fault.message or "CUDA out of memory"
            return Verdict(500, detail=_typed("internal_server_error", message))
        if Effect.NSFW in self.faults:
            message = "The content could not be processed because it contained material flagged by a content checker."
            return Verdict(422, detail=_typed("content_policy_violation", message), billed=True)
        if Effect.CANCEL in self.faults:
            return Verdict(499, CANCELED)
        return Verdict(billed=True)

    def _logs(self, now: float) -> list[dict[str, Any]]:
        """tqdm's lines, ten of them over the run."""
        used_s = min(now, self.end()[0]) - self.starts_at
        share = min(1.0, used_s / self.run_s) if self.run_s else 1.0
        return [
            {
                "message": f"{tenth * 10:3d}%|{'█' * tenth:10}| {tenth}/10 [00:00<00:00, 9.10it/s]",
                "level": "STDERR",
                "source": "USER",
                "timestamp": iso(self.starts_at),
            }
            for tenth in range(int(share * 10) + 1)
        ]


def _typed(kind: str, message: str) -> list[dict[str, Any]]:
    return [{"loc": ["body"], "msg": message, "type": kind, "url": "https://docs.fal.ai/errors"}]


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
