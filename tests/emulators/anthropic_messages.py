"""What the emulated Claude is asked, and what it writes: whole, or as the events of a stream."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.emulators.anthropic_models import EmulatedClaude
from tests.emulators.base import Effect, Fault
from tests.emulators.openai_text import instance
from tests.emulators.openai_wire import Wrong, event

THOUGHTS = 48
"""Tokens that a thinking model thinks before it writes."""
_WORDS = "Claude saw the harbour at dusk, counted eleven boats, and wrote each of their names into the log."
_CHARACTERS_PER_TOKEN = 4
_FIELDS = frozenset(
    {"model", "max_tokens", "messages", "system", "stream", "thinking", "output_config", "metadata"}
    | {"stop_sequences", "service_tier", "cache_control"}
)
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_NO_KEYWORDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
    | {"maxItems", "uniqueItems", "patternProperties", "oneOf"}
)
"""What a schema for the output may not hold."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer with its tokens; each piece is one token."""

    id: str
    model: EmulatedClaude
    pieces: Sequence[str]
    stop_reason: str
    prompt_tokens: int
    thoughts: int
    cached: int
    cache_write: int
    refusal: str | None = None

    @property
    def units(self) -> dict[str, int]:
        return {
            "in": self.prompt_tokens - self.cached - self.cache_write,
            "cached": self.cached,
            "cache_write": self.cache_write,
            "out": self.output_tokens,
        }

    @property
    def output_tokens(self) -> int:
        return len(self.pieces) + self.thoughts

    @property
    def stop_details(self) -> dict[str, Any] | None:
        if self.stop_reason != "refusal":
            return None
        return {"type": "refusal", "category": "general_harms", "explanation": self.refusal}

    def usage(self, output_tokens: int) -> dict[str, Any]:
        return {
            "input_tokens": self.units["in"],
            "cache_read_input_tokens": self.cached,
            "cache_creation_input_tokens": self.cache_write,
            "output_tokens": output_tokens,
        }


def compose(
    id_: str,
    body: Mapping[str, Any],
    model: EmulatedClaude,
    faults: Mapping[Effect, Fault],
    *,
    cached: int = 0,
    cache_write: int = 0,
) -> Written:
    """The answer to a request. Raises Wrong."""
    most, thinks = _check(body, model)
    words = [*_texts(body.get("system")), *(text for part in body["messages"] for text in _texts(part))]
    prompt = math.ceil(sum(map(len, words)) / _CHARACTERS_PER_TOKEN)
    thoughts = min(THOUGHTS, most) if thinks else 0
    pieces = re.findall(r"\S+\s*", _text(body))
    room = most - thoughts
    stop = "max_tokens" if len(pieces) > room else "end_turn"
    refusal = None
    if fault := faults.get(Effect.NSFW):
        # It is stopped in the middle, after the first words.
        pieces, stop, refusal = pieces[:3], "refusal", fault.message
    cached = min(cached, prompt)
    return Written(
        id_, model, pieces[:room], stop, prompt, thoughts, cached, min(cache_write, prompt - cached), refusal
    )


def _check(body: Mapping[str, Any], model: EmulatedClaude) -> tuple[int, bool]:
    """(most tokens, whether it thinks)."""
    for name in body:
        if name in _SAMPLING:
            raise Wrong(f"`{name}` is deprecated for this model.")
        if name not in _FIELDS:
            raise Wrong(f"{name}: Extra inputs are not permitted")
    most, messages = body.get("max_tokens"), body.get("messages")
    if not isinstance(most, int) or not 0 < most <= 128_000:
        raise Wrong("max_tokens: Field required")
    if not isinstance(messages, list) or not messages:
        raise Wrong("messages: at least one message is required")
    for n, message in enumerate(messages):
        if set(message) != {"role", "content"} or message["role"] not in ("user", "assistant"):
            raise Wrong(f"messages.{n}: Input should be a message of the user or the assistant")
    if messages[-1]["role"] != "user":
        raise Wrong("This model does not support assistant message prefill.")
    thinking = (body.get("thinking") or {}).get("type", "adaptive")
    if thinking not in model.thinking:
        raise Wrong(f'"thinking.type.{thinking}" is not supported for this model.')
    effort = (body.get("output_config") or {}).get("effort", "high")
    if effort not in _EFFORTS or (thinking != "adaptive" and effort in ("xhigh", "max")):
        raise Wrong(f"output_config.effort: {effort!r} is not possible here")
    return most, thinking == "adaptive"


def _texts(part: Any) -> list[str]:
    if part is None:
        return []
    content = part["content"] if isinstance(part, Mapping) and "content" in part else part
    return [content] if isinstance(content, str) else [block["text"] for block in content]


def _text(body: Mapping[str, Any]) -> str:
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return _WORDS
    if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
        raise Wrong("output_config.format: Input should be a JSON schema")
    _check_schema(wanted["schema"])
    return orjson.dumps(instance(wanted["schema"])).decode()


def _check_schema(schema: Any) -> None:
    if isinstance(schema, list):
        for part in schema:
            _check_schema(part)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        message = "For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise Wrong(f"output_config.format.schema: {message}")
    if unknown := schema.keys() & _NO_KEYWORDS:
        raise Wrong(f"output_config.format.schema: properties {sorted(unknown)} are not supported")
    for part in schema.values():
        _check_schema(list(part.values()) if isinstance(part, dict) and "type" not in part else part)


def as_json(written: Written) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": "".join(written.pieces)}]
    if written.thoughts:
        content.insert(0, {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"})
    return {
        **_head(written),
        "content": content if written.pieces else content[:-1],
        "stop_reason": written.stop_reason,
        "stop_details": written.stop_details,
        "usage": written.usage(written.output_tokens),
    }


def as_events(written: Written, *, error: str | None = None) -> list[bytes]:
    """The stream; with an `error` it ends in the middle, by one of the API's own errors."""
    start = {
        **_head(written), "content": [], "stop_reason": None, "stop_details": None, "usage": written.usage(1)
    }  # fmt: skip
    events = [_event("message_start", message=start), _event("ping")]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if written.thoughts:
        signed = {"type": "signature_delta", "signature": "c2lnbmVk"}
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, [signed]))
    if written.pieces:
        deltas = [{"type": "text_delta", "text": piece} for piece in written.pieces]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for n, (block, deltas) in enumerate(blocks):
        events.append(_event("content_block_start", index=n, content_block=block))
        events += [_event("content_block_delta", index=n, delta=delta) for delta in deltas]
        events.append(_event("content_block_stop", index=n))
    if error is not None:
        wrong = {"type": "overloaded_error", "message": error}
        return [*events[: len(events) // 2], _event("error", error=wrong)]
    ended = {
        "stop_reason": written.stop_reason,
        "stop_sequence": None,
        "stop_details": written.stop_details,
    }
    events.append(_event("message_delta", delta=ended, usage={"output_tokens": written.output_tokens}))
    return [*events, _event("message_stop")]


def _event(kind: str, **body: Any) -> bytes:
    return event({"type": kind, **body}, kind)


def _head(written: Written) -> dict[str, Any]:
    return {
        "id": written.id,
        "type": "message",
        "role": "assistant",
        "model": written.model.name,
        "stop_sequence": None,
    }
