"""Messages: what is sent, and the stream that comes back: shown as it is written, counted along the way."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from anthropic import AsyncAnthropic, transform_schema

from shared.errors import JobError
from workers.providers.anthropic.models import ClaudeModel
from workers.providers.base import Ended, Finished, Refused, Sink, UnreadableAnswer, Usage
from workers.providers.writing import Writing, declined

COUNTED = {
    "input_tokens": "input_token",
    "cache_read_input_tokens": "cached_input_token",
    "cache_creation_input_tokens": "cache_write_token",
    "output_tokens": "output_token",
}
"""Their names of what is counted, and ours."""


async def write(
    client: AsyncAnthropic, model: ClaudeModel, given: Mapping[str, Any], sink: Sink
) -> Finished | Ended:
    """Raises anthropic.APIError, httpx2.HTTPError, UnreadableAnswer for half a text, Refused for a schema that
    cannot be sent."""
    writing = Writing(given, sink)
    counted: dict[str, int] = {}
    ended, details, remote_id = None, None, None
    async with await client.messages.create(**sent(model, given), stream=True) as stream:
        async for event in stream:
            match event.type:
                case "message_start":
                    remote_id = event.message.id
                    _count(counted, event.message.usage)
                case "content_block_delta" if event.delta.type == "text_delta":
                    await writing.add(event.delta.text)
                case "message_delta":
                    ended, details = event.delta.stop_reason, event.delta.stop_details
                    _count(counted, event.usage)
    if ended is None:
        raise UnreadableAnswer("the text breaks off")
    spent = usage(model, counted)
    if ended == "refusal":
        return declined(details.explanation if details else None, spent)
    return await writing.end(spent, remote_id, cut=ended == "max_tokens")


def sent(model: ClaudeModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request, but for what makes it stream. What a system message says is said at the beginning.

    Raises Refused for a schema that the API has no words for.
    """
    messages = given.get("messages") or [{"role": "user", "content": given["prompt"]}]
    rules = [given["system"]] if given.get("system") else []
    rules += [message["content"] for message in messages if message["role"] == "system"]
    body: dict[str, Any] = {
        "model": model.card.model,
        "max_tokens": given["max_tokens"],
        "messages": [message for message in messages if message["role"] != "system"],
        **model.options,
    }
    if rules:
        body["system"] = "\n\n".join(rules)
    if (schema := given.get("json_schema")) is not None:
        wanted = {"type": "json_schema", "schema": _in_its_words(schema)}
        body["output_config"] = {**body.get("output_config", {}), "format": wanted}
    return body


def usage(model: ClaudeModel, counted: Mapping[str, int]) -> Usage:
    """Tokens, apart by what they cost. Those of a long prompt have units of their own, and the other band is
    zero. Without a count the bill is unknown."""
    if not {"input_tokens", "output_tokens"} <= counted.keys():
        return Usage({"run": Decimal(1)})
    tokens = {unit: Decimal(counted.get(name, 0)) for name, unit in COUNTED.items()}
    if model.long_prompt is None:
        return Usage({"run": Decimal(1), **tokens})
    is_long = sum(tokens.values()) - tokens["output_token"] > model.long_prompt
    nothing = dict.fromkeys(tokens, Decimal(0))
    short, long = (nothing, tokens) if is_long else (tokens, nothing)
    return Usage({"run": Decimal(1), **short, **{f"long_{unit}": value for unit, value in long.items()}})


def _in_its_words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as the API takes it: no fields but those that are named, and what it cannot promise (lengths,
    bounds) told to the model in words."""
    try:
        return transform_schema(dict(schema))
    except (ValueError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        message = f"Claude cannot be given this schema: {error}"[:500]
        refused = JobError("PROVIDER_REJECTED", message, details={"field": "input.json_schema"})
        raise Refused(refused, curable=True) from error


def _count(counted: dict[str, int], reported: Any) -> None:
    """Keeps the latest of each: later events repeat what earlier ones counted so far."""
    for name in COUNTED:
        if (tokens := getattr(reported, name, None)) is not None:
            counted[name] = tokens
