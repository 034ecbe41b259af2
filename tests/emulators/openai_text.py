"""What the emulated models write: for chat completions, plain and streamed, and for responses."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.emulators.base import Effect, Fault
from tests.emulators.openai_models import EmulatedModel
from tests.emulators.openai_wire import Wrong, event

THOUGHTS = 64
_WORDS = (
    "The fog came in from the sea and the lighthouse answered it, once every ten seconds, all night long."
)
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Written:
    """A text with its tokens; each piece is one token."""

    pieces: Sequence[str]
    finish: str
    prompt_tokens: int
    thoughts: int
    cached: int
    cache_write: int
    refusal: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def completion_tokens(self) -> int:
        return len(self.pieces) + self.thoughts

    @property
    def units(self) -> dict[str, int]:
        plain = self.prompt_tokens - self.cached - self.cache_write
        return {
            "in": plain,
            "cached": self.cached,
            "cache_write": self.cache_write,
            "out": self.completion_tokens,
        }

    @property
    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {
                "cached_tokens": self.cached,
                "cache_write_tokens": self.cache_write,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {"reasoning_tokens": self.thoughts, "audio_tokens": 0},
        }


def compose(
    body: Mapping[str, Any],
    model: EmulatedModel,
    faults: Mapping[Effect, Fault],
    *,
    cached: int = 0,
    cache_write: int = 0,
) -> Written:
    """The answer to a chat completion. Raises Wrong."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Wrong("Missing required parameter: 'messages'.", param="messages")
    if model.thinks and "max_tokens" in body:
        message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        raise Wrong(message, code="unsupported_parameter", param="max_tokens")
    thinking = model.thinks and body.get("reasoning_effort") != "none"
    if thinking and body.get("temperature") not in (None, 1):
        raise Wrong("Unsupported value: 'temperature'.", code="unsupported_value", param="temperature")
    prompt = math.ceil(sum(len(str(part.get("content"))) for part in messages) / _CHARACTERS_PER_TOKEN)
    spent: dict[str, Any] = {
        "prompt_tokens": prompt,
        "thoughts": THOUGHTS if thinking else 0,
        "cached": min(cached, prompt),
        "cache_write": min(cache_write, max(0, prompt - cached)),
    }
    if fault := faults.get(Effect.NSFW):
        if fault.message:
            return Written([], "stop", refusal=fault.message, **spent)
        return Written([], "content_filter", **spent)
    most = body.get("max_completion_tokens") or body.get("max_tokens") or 10_000
    # Thoughts count toward the limit.
    spent["thoughts"] = min(spent["thoughts"], most)
    room = most - spent["thoughts"]
    pieces = re.findall(r"\S+\s*", _text(body))
    return Written(pieces[:room], "length" if len(pieces) > room else "stop", **spent)


def _text(body: Mapping[str, Any]) -> str:
    wanted = body.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return _WORDS
    described = wanted.get("json_schema") or {}
    if not isinstance(described.get("schema"), dict) or not described.get("name"):
        raise Wrong("Missing required parameter: 'response_format.json_schema'.", param="response_format")
    if described.get("strict") and described["schema"].get("additionalProperties") is not False:
        raise Wrong("Invalid schema: 'additionalProperties' must be false.", param="response_format")
    return orjson.dumps(instance(described["schema"])).decode()


def instance(schema: Mapping[str, Any]) -> Any:
    """Something that fits the schema."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: instance(part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [instance(schema.get("items", {}))]
        case "integer":
            return 7
        case "number":
            return 7.5
        case "boolean":
            return True
        case _:
            return "fog"


def as_json(written: Written, model: EmulatedModel, id_: str, created: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": written.text or None, "refusal": written.refusal}
    choice = {"index": 0, "message": message, "finish_reason": written.finish, "logprobs": None}
    return {**_head("chat.completion", model, id_, created), "choices": [choice], "usage": written.usage}


def as_events(
    written: Written, model: EmulatedModel, id_: str, created: int, *, counted: bool, error: str | None = None
) -> list[bytes]:
    head = _head("chat.completion.chunk", model, id_, created)

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        return event(
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}
        )

    events = [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": piece}) for piece in written.pieces),
    ]
    if error is not None:
        wrong = {"message": error, "type": "server_error", "code": None, "param": None}
        return [*events[: len(events) // 2], event({"error": wrong})]
    if written.refusal:
        events.append(chunk({"refusal": written.refusal}))
    events.append(chunk({}, written.finish))
    if counted:
        events.append(event({**head, "choices": [], "usage": written.usage}))
    return [*events, b"data: [DONE]\n\n"]


def _head(kind: str, model: EmulatedModel, id_: str, created: int) -> dict[str, Any]:
    return {"id": id_, "object": kind, "created": created, "model": model.name, "system_fingerprint": "fp_0"}
