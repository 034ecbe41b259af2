"""Speech: the answer's body is the sound, stored as it comes; newer models count its tokens at the end."""

import base64
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, Final

import orjson
from openai import AsyncOpenAI

from workers.providers.base import Finished, Sink, UnreadableAnswer, Usage
from workers.providers.billing import billed
from workers.providers.openai.models import SpeechModel

CHUNK_BYTES: Final = 1 << 16
_MIME = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}
_SAME = {
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/opus": "audio/ogg",
}


async def speak(client: AsyncOpenAI, model: SpeechModel, given: Mapping[str, Any], sink: Sink) -> Finished:
    """Raises openai.APIError, httpx2.HTTPError, UnreadableAnswer."""
    body = sent(model, given)
    units = {"run": Decimal(1), "character": Decimal(len(given["text"]))}
    async with client.audio.speech.with_streaming_response.create(**body) as response:
        whole = response.iter_bytes(CHUNK_BYTES)
        chunks = _from_events(response.iter_lines(), units) if model.reports_usage else whole
        mime = _mime(response.headers.get("content-type"), body["response_format"])
        with billed(Usage(units)):
            stored = await sink.write(0, mime, chunks)
    return Finished([stored], Usage(units), response.headers.get("x-request-id"))


def sent(model: SpeechModel, given: Mapping[str, Any]) -> dict[str, Any]:
    body = {
        "model": model.name,
        "input": given["text"],
        "voice": given.get("voice") or model.voice,
        "response_format": model.formats[given.get("format") or "mp3"],
    }
    if given.get("speed") not in (None, 1.0):
        body["speed"] = given["speed"]
    if model.reports_usage:
        body["stream_format"] = "sse"
    return body


def _mime(answered: str | None, asked: str) -> str:
    """What the answer says that it is, where that is sound: some servers make one format whatever is asked."""
    said = (answered or "").partition(";")[0].strip().lower()
    said = _SAME.get(said, said)
    return said if said in _MIME.values() else _MIME[asked]


async def _from_events(lines: AsyncIterator[str], units: dict[str, Decimal]) -> AsyncIterator[bytes]:
    """The sound from server-sent events; adds the tokens of the last one to `units`. Raises UnreadableAnswer
    when the stream ends before it, so that half a recording is never taken for the whole."""
    async for line in lines:
        if not line.startswith("data:"):
            continue
        event = _event(line.removeprefix("data:").strip())
        if event.get("type") == "speech.audio.delta":
            yield base64.b64decode(event["audio"])
        elif event.get("type") == "speech.audio.done":
            counted = event.get("usage") or {}
            if {"input_tokens", "output_tokens"} <= counted.keys():
                units["input_token"] = Decimal(counted["input_tokens"])
                units["audio_output_token"] = Decimal(counted["output_tokens"])
            return
    raise UnreadableAnswer("the recording breaks off")


def _event(data: str) -> dict[str, Any]:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableAnswer(f"not an event: {data[:80]!r}") from error
    return event if isinstance(event, dict) else {}
