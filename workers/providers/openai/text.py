"""Text: streamed as it is written, counted in the last chunk, and kept as a whole."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from openai import AsyncOpenAI
from openai.types import CompletionUsage

from workers.providers.base import Ended, Finished, Sink, UnreadableAnswer, Usage
from workers.providers.openai.models import TextModel
from workers.providers.writing import Writing, declined


async def write(
    client: AsyncOpenAI, model: TextModel, given: Mapping[str, Any], sink: Sink
) -> Finished | Ended:
    """Raises openai.APIError, httpx2.HTTPError, UnreadableAnswer for half a text."""
    writing = Writing(given, sink)
    refusal, ended, counted, remote_id = "", None, None, None
    stream = await client.chat.completions.create(
        **sent(model, given), stream=True, stream_options={"include_usage": True}
    )
    async with stream:
        async for chunk in stream:
            counted, remote_id = chunk.usage or counted, chunk.id
            for choice in chunk.choices or ():
                ended = choice.finish_reason or ended
                refusal += getattr(choice.delta, "refusal", None) or ""
                if piece := choice.delta.content:
                    await writing.add(piece)
    if ended is None:
        raise UnreadableAnswer("the text breaks off")
    spent = usage(model, counted)
    if refusal or ended == "content_filter":
        return declined(refusal, spent)
    return await writing.end(spent, remote_id, cut=ended == "length")


def sent(model: TextModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request, but for what makes it stream."""
    messages = [{"role": "system", "content": given["system"]}] if given.get("system") else []
    messages += given.get("messages") or [{"role": "user", "content": given["prompt"]}]
    body = {"model": model.name, "messages": messages, model.limit: given["max_tokens"], **model.options}
    for name in ("temperature", "seed"):
        if given.get(name) is not None:
            body[name] = given[name]
    if (schema := given.get("json_schema")) is not None:
        wanted = {"name": "answer", "schema": schema, "strict": is_strict(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    return body


def is_strict(schema: object) -> bool:
    """Whether the API can promise to follow the schema: each object names all its fields as required, and
    allows no others."""
    if isinstance(schema, list):
        return all(is_strict(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False
        or set(schema.get("required", ())) != set(schema.get("properties", ()))
    ):
        return False
    return all(is_strict(part) for part in schema.values())


def usage(model: TextModel, counted: CompletionUsage | None) -> Usage:
    """Tokens, apart by what they cost: those from a cache, and those written to one, where they have a price."""
    units = {"run": Decimal(1)}
    if counted is None:
        return Usage(units)
    priced = model.card.price.units if model.card.price else {}
    details = counted.prompt_tokens_details
    apart = {
        "cached_input_token": (details and details.cached_tokens) or 0,
        "cache_write_token": (details and details.cache_write_tokens) or 0,
    }
    apart = {unit: tokens for unit, tokens in apart.items() if unit in priced}
    units |= {unit: Decimal(tokens) for unit, tokens in apart.items()}
    units["input_token"] = Decimal(counted.prompt_tokens - sum(apart.values()))
    units["output_token"] = Decimal(counted.completion_tokens)
    return Usage(units)
