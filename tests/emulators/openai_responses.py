"""The Responses API: text, or a picture by its tool, at once or in the background under an id."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.base import Effect, Fault
from tests.emulators.media import picture
from tests.emulators.openai_models import EmulatedModel
from tests.emulators.openai_text import Written

TERMINAL = frozenset({"completed", "failed", "cancelled"})


@dataclass(slots=True)
class Response:
    """One response; its state follows from the time."""

    id: str
    model: EmulatedModel
    body: Mapping[str, Any]
    written: Written
    created_at: float
    queue_s: float
    run_s: float
    faults: Mapping[Effect, Fault] = field(default_factory=dict)
    canceled_at: float | None = None

    def status(self, now: float) -> str:
        if self.canceled_at is not None and self.canceled_at < self._ends_at:
            return "cancelled"
        if now < self.created_at + self.queue_s:
            return "queued"
        if now < self._ends_at:
            return "in_progress"
        return "failed" if Effect.FAIL in self.faults else "completed"

    @property
    def _ends_at(self) -> float:
        if Effect.STUCK in self.faults:
            return float("inf")
        return self.created_at + self.queue_s + self.run_s

    def units(self, now: float) -> dict[str, int]:
        """What it bills: all of it when it is done, what it has read when it was canceled on the way."""
        match self.status(now):
            case "completed":
                return self.written.units
            case "cancelled" if (self.canceled_at or 0) >= self.created_at + self.queue_s:
                return {**self.written.units, "out": 0}
            case _:
                return {}

    def as_json(self, now: float) -> dict[str, Any]:
        status = self.status(now)
        failed = {"code": "server_error", "message": "The model failed."}
        usage = {
            "input_tokens": self.written.prompt_tokens,
            "input_tokens_details": {"cached_tokens": self.written.cached},
            "output_tokens": self.written.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": self.written.thoughts},
            "total_tokens": self.written.prompt_tokens + self.written.completion_tokens,
        }
        return {
            "id": self.id,
            "object": "response",
            "created_at": int(self.created_at),
            "status": status,
            "background": bool(self.body.get("background")),
            "error": failed if status == "failed" else None,
            "incomplete_details": None,
            "instructions": self.body.get("instructions"),
            "metadata": self.body.get("metadata") or {},
            "model": self.model.name,
            "output": self._output() if status == "completed" else [],
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": self.body.get("tools") or [],
            "top_p": 1.0,
            "usage": usage if status == "completed" else None,
        }

    def _output(self) -> list[dict[str, Any]]:
        said: dict[str, Any] = {"type": "output_text", "text": self.written.text, "annotations": []}
        if self.written.refusal:
            said = {"type": "refusal", "refusal": self.written.refusal}
        message = {
            "id": f"msg_{self.id[5:]}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [said],
        }
        if not any(tool.get("type") == "image_generation" for tool in self.body.get("tools") or ()):
            return [message]
        drawn = base64.b64encode(picture("png", 64, 64)).decode()
        call = {
            "id": f"ig_{self.id[5:]}",
            "type": "image_generation_call",
            "status": "completed",
            "result": drawn,
        }
        return [call, message]
