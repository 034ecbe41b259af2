"""ElevenLabs' HTTP API as its OpenAPI file and its SDK show it, with a tone for every voice.

    python -m tests.emulators.elevenlabs --port 9103 --speak-seconds 1

What it would bill is at `/_emulator/invoice`: speech by the credits that its `character-cost` header names,
music by its length, sound effects by the piece. A request that is refused costs nothing; one that was accepted
costs, whatever the caller heard of it. Only speech is in the history.
"""

import argparse
import asyncio
import math
from collections.abc import Iterable
from typing import Any, ClassVar

import orjson
from aiohttp import BodyPartReader, web

from tests.emulators.base import FAULTS, Effect, Emulator, Fault, InvoiceLine, answer, cut, run
from tests.emulators.elevenlabs_state import (
    CHARACTER_COST,
    CREDIT_NANOS,
    EFFECT_CREDITS,
    MUSIC_MODELS,
    MUSIC_NANOS_PER_S,
    TEXT_LENGTH,
    Sale,
    Speech,
    Voice,
    audio,
    credits_of,
    mime,
    new_id,
)

PREMADE = {
    "EXAVITQu4vr4xnSDxMaL": "Sarah",
    "21m00Tcm4TlvDq8ikWAM": "Rachel",
    "JBFqnCBsd6RMkjVDRZzb": "George",
}
CHUNK_BYTES = 2048
NUMBERED = {"stability", "similarity_boost", "style"}

_SPOILED = {Effect.REFUSE_AFTER, Effect.RESET_AFTER, Effect.LOST_AFTER, Effect.MALFORMED_AFTER}
_STATUS = {401: "invalid_api_key", 429: "too_many_concurrent_requests", 500: "internal_server_error"}


class ElevenLabsEmulator(Emulator):
    """`speak_s` is how long an answer takes; `concurrent` is the plan's limit; `credits_left` its quota. With
    `history` false nothing is kept, as in a workspace with zero retention; `history_lag_s` is how long a row
    takes to show. `api_key` of None lets in any key."""

    name: ClassVar[str] = "elevenlabs"

    def __init__(
        self,
        *,
        speak_s: float = 0.0,
        api_key: str | None = None,
        concurrent: int = 10,
        credits_left: int = 1_000_000,
        voice_places: int = 10,
        history: bool = True,
        history_lag_s: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.speak_s = speak_s
        self.concurrent = concurrent
        self.credits_left = credits_left
        self.voice_places = voice_places
        self.history = history
        self.history_lag_s = history_lag_s
        self.voices = {key: Voice(key, name, "premade", 0.0) for key, name in PREMADE.items()}
        self.voices_made: list[Voice] = []
        self.nameless_clones = 0
        """Clone requests without a name: what the SDK sends when it repeats one."""
        self.speeches: list[Speech] = []
        self.sales: list[Sale] = []
        self.most_at_once = 0
        self._api_key = api_key
        self._at_once = 0
        self._credits_used = 0

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.post("/v1/text-to-speech/{voice}", self._speak, name="speak"),
            web.post("/v1/text-to-speech/{voice}/stream", self._speak),
            web.post("/v1/music", self._compose, name="compose"),
            web.post("/v1/sound-generation", self._effect, name="effect"),
            web.post("/v1/voices/add", self._clone, name="clone"),
            web.delete("/v1/voices/{voice}", self._delete_voice, name="delete_voice"),
            web.get("/v2/voices", self._search_voices, name="voices"),
            web.get("/v1/models", self._models, name="models"),
            web.get("/v1/user", self._user, name="user"),
            web.get("/v1/history", self._list, name="history"),
            web.get("/v1/history/{id}", self._item, name="item"),
            web.get("/v1/history/{id}/audio", self._item_audio, name="item_audio"),
        ]

    def operation(self, request: web.Request) -> str:
        """Speech is one operation, streamed or not."""
        if request.path.startswith("/v1/text-to-speech/"):
            return "speak"
        return super().operation(request)

    def invoice(self) -> list[InvoiceLine]:
        return [sale.bill() for sale in self.sales]

    @property
    def clones(self) -> list[Voice]:
        """The cloned voices that are there now."""
        return [voice for voice in self.voices.values() if voice.category == "cloned"]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """`detail` may begin with the machine's word and a colon: `system_busy: try again`. ElevenLabs says
        nothing about when in a body."""
        word, colon, text = detail.partition(": ")
        if not colon or " " in word:
            word, text = _STATUS.get(status, "error"), detail
        return answer({"detail": {"status": word, "message": text}}, status)

    def refusal(self, request: web.Request) -> web.Response | None:
        key = request.headers.get("xi-api-key")
        if not key or (self._api_key is not None and key != self._api_key):
            return self.problem(401, "invalid_api_key: Invalid API key")
        if request.method == "POST" and self._at_once >= self.concurrent:
            return self.problem(429, "too_many_concurrent_requests: Too many concurrent requests")
        return None

    # What is made.

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        voice = self.voices.get(request.match_info["voice"])
        model_id = body.get("model_id", "eleven_multilingual_v2")
        output_format = request.query.get("output_format", "mp3_44100_128")
        text = body.get("text")
        if not isinstance(text, str):
            return _invalid(["body", "text"], "Field required", "missing")
        if voice is None:
            return self.problem(404, "voice_not_found: A voice with that id does not exist")
        if model_id not in CHARACTER_COST:
            return self.problem(400, "model_not_found: A model with that id does not exist")
        if wrong := self._complaint(body, text, model_id):
            return wrong
        if request.path.endswith("/stream") and output_format.startswith("wav_"):
            return _invalid(["query", "output_format"], "Input should be an allowed format", "enum")
        credit_count = credits_of(text, model_id)
        return await self._make(
            request,
            model_id,
            credit_count,
            credit_count * CREDIT_NANOS,
            output_format,
            {"character-cost": str(credit_count)},
            body,
            voice,
        )

    def _complaint(self, body: dict[str, Any], text: str, model_id: str) -> web.Response | None:
        settings = body.get("voice_settings") or {}
        if not text.strip():
            return self.problem(400, "empty_text: The text must not be empty")
        if len(text) > TEXT_LENGTH.get(model_id, 10_000):
            return self.problem(400, "max_character_limit_exceeded: The text is too long for this model")
        if not 0.7 <= settings.get("speed", 1.0) <= 1.2:
            return self.problem(400, "invalid_voice_settings: Invalid setting for speed")
        if any(not 0 <= settings[name] <= 1 for name in NUMBERED & settings.keys()):
            return self.problem(400, "invalid_voice_settings: Settings are between 0 and 1")
        if body.get("language_code") and model_id == "eleven_multilingual_v2":
            return self.problem(400, "unsupported_language: This model takes no language_code")
        return None

    async def _compose(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        prompt, length_ms = body.get("prompt"), body.get("music_length_ms", 30_000)
        model_id = body.get("model_id", "music_v1")
        if not isinstance(prompt, str) or len(prompt) > 4100:
            return _invalid(["body", "prompt"], "String should have at most 4100 characters", "string")
        if not isinstance(length_ms, int) or not 3000 <= length_ms <= 600_000:
            return _invalid(["body", "music_length_ms"], "Input should be 3000 to 600000", "range")
        if model_id not in MUSIC_MODELS:
            return _invalid(["body", "model_id"], "Input should be a music model", "enum")
        if "seed" in body:
            return _invalid(["body", "seed"], "Cannot be used in conjunction with prompt", "value_error")
        output_format = request.query.get("output_format", "auto")
        nanos = length_ms * MUSIC_NANOS_PER_S // 1000
        return await self._make(request, model_id, 0, nanos, output_format, {"song-id": new_id()}, body, None)

    async def _effect(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        seconds = body.get("duration_seconds")
        if not isinstance(body.get("text"), str) or (seconds is not None and not 0.5 <= seconds <= 30):
            return _invalid(["body", "duration_seconds"], "Input should be 0.5 to 30", "range")
        return await self._make(
            request,
            "eleven_text_to_sound_v2",
            EFFECT_CREDITS,
            EFFECT_CREDITS * CREDIT_NANOS,
            request.query.get("output_format", "mp3_44100_128"),
            {"character-cost": str(EFFECT_CREDITS)},
            body,
            None,
        )

    async def _make(
        self,
        request: web.Request,
        model_id: str,
        credit_count: int,
        nanos: int,
        output_format: str,
        headers: dict[str, str],
        body: dict[str, Any],
        voice: Voice | None,
    ) -> web.StreamResponse:
        faults: dict[Effect, Fault] = request[FAULTS]
        if fault := faults.get(Effect.NSFW):
            return self.problem(400, fault.message or "content_policy_violation: The text was refused")
        if fault := faults.get(Effect.FAIL):
            return self.problem(500, fault.message or "internal_server_error: Something went wrong")
        if credit_count > self.credits_left:
            left = f"You have {self.credits_left} credits remaining"
            return self.problem(401, f"quota_exceeded: This request exceeds your quota. {left}")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            request_id = new_id()
            self._sell(request_id, model_id, credit_count, nanos, output_format, body, voice)
            await asyncio.sleep(
                faults[Effect.RUN_SECONDS].seconds if Effect.RUN_SECONDS in faults else self.speak_s
            )
            headers |= {
                "request-id": request_id,
                "current-concurrent-requests": str(self._at_once),
                "maximum-concurrent-requests": str(self.concurrent),
            }
            return await _send(request, faults, audio(output_format), mime(output_format), headers)
        finally:
            self._at_once -= 1

    def _sell(
        self,
        request_id: str,
        model_id: str,
        credit_count: int,
        nanos: int,
        output_format: str,
        body: dict[str, Any],
        voice: Voice | None,
    ) -> None:
        now = self.clock.now()
        before, after = self._credits_used, self._credits_used + credit_count
        self._credits_used = after
        self.credits_left -= credit_count
        self.sales.append(Sale(request_id, model_id, nanos, now, body))
        if voice is not None and self.history:
            settings = {"stability": 0.5, "similarity_boost": 0.75, **(body.get("voice_settings") or {})}
            self.speeches.append(
                Speech(
                    new_id(),
                    request_id,
                    voice,
                    model_id,
                    body["text"],
                    now,
                    (before, after),
                    output_format,
                    settings,
                    now + self.history_lag_s,
                )
            )

    # Voices.

    async def _clone(self, request: web.Request) -> web.Response:
        fields: dict[str, str] = {}
        sample = 0
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            content = await part.read(decode=True)
            if part.name == "files":
                sample += len(content)
            else:
                fields[part.name or ""] = content.decode()
        if "name" not in fields:
            self.nameless_clones += 1
            return _invalid(["body", "name"], "Field required", "missing")
        if not sample:
            return _invalid(["body", "files"], "Field required", "missing")
        if len(self.clones) >= self.voice_places:
            return self.problem(400, "voice_limit_reached: You have reached your maximum amount of voices")
        voice = Voice(new_id(), fields["name"], "cloned", self.clock.now(), sample)
        self.voices[voice.voice_id] = voice
        self.voices_made.append(voice)
        return answer({"voice_id": voice.voice_id, "requires_verification": False})

    async def _delete_voice(self, request: web.Request) -> web.Response:
        if self.voices.pop(request.match_info["voice"], None) is None:
            return self.problem(404, "voice_not_found: A voice with that id does not exist")
        return answer({"status": "ok"})

    async def _search_voices(self, request: web.Request) -> web.Response:
        wanted = request.query.get("search", "").casefold()
        size = int(request.query.get("page_size", "10"))
        found = [voice for voice in self.voices.values() if wanted in voice.name.casefold()]
        page = [voice.as_json() for voice in found[:size]]
        return answer({"voices": page, "has_more": len(found) > size, "total_count": len(found)})

    async def _models(self, _: web.Request) -> web.Response:
        return answer([_model_json(model_id) for model_id in CHARACTER_COST])

    async def _user(self, _: web.Request) -> web.Response:
        return answer({"user_id": "u1", "is_onboarding_completed": True})

    # The history.

    def _shown(self) -> list[Speech]:
        """Newest first."""
        now = self.clock.now()
        return [speech for speech in reversed(self.speeches) if speech.visible_at <= now]

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        size = int(query.get("page_size", "100"))
        if not 1 <= size <= 1000:
            return _invalid(["query", "page_size"], "Input should be 1 to 1000", "range")
        after = float(query.get("date_after_unix", "-inf"))
        before = float(query.get("date_before_unix", "inf"))
        rows = [
            speech
            for speech in self._shown()
            if after <= int(speech.made_at) < before
            and query.get("voice_id") in (None, speech.voice.voice_id)
            and query.get("model_id") in (None, speech.model_id)
            and query.get("source") in (None, "TTS")
        ]
        if start := query.get("start_after_history_item_id"):
            places = [n for n, row in enumerate(rows) if row.history_item_id == start]
            rows = rows[places[0] + 1 :] if places else []
        page = rows[:size]
        body = {
            "history": [speech.as_json() for speech in page],
            "last_history_item_id": page[-1].history_item_id if page else None,
            "has_more": len(rows) > size,
        }
        return answer(body)

    def _find(self, request: web.Request) -> Speech | None:
        wanted = request.match_info["id"]
        return next((speech for speech in self._shown() if speech.history_item_id == wanted), None)

    async def _item(self, request: web.Request) -> web.Response:
        speech = self._find(request)
        if speech is None:
            return self.problem(404, "history_item_not_found: No such history item")
        return answer(speech.as_json())

    async def _item_audio(self, request: web.Request) -> web.StreamResponse:
        """Costs nothing."""
        speech = self._find(request)
        if speech is None or speech.state != "created":
            return self.problem(404, "history_item_not_found: No such history item")
        return await _send(
            request, request[FAULTS], audio(speech.output_format), mime(speech.output_format), {}
        )


async def _send(
    request: web.Request, faults: dict[Effect, Fault], content: bytes, mime_type: str, headers: dict[str, str]
) -> web.StreamResponse:
    """Streams the audio without a length, unless a fault is to spoil the answer as a whole."""
    if Effect.OUTPUT_GARBAGE in faults:
        content = b"<html><body>Sorry</body></html>" * 100
    if Effect.OUTPUT_WRONG_TYPE in faults:
        mime_type = "text/html"
    if _SPOILED & faults.keys():
        return web.Response(body=content, content_type=mime_type, headers=headers)
    response = web.StreamResponse(headers={"Content-Type": mime_type, **headers})
    response.enable_chunked_encoding()
    await response.prepare(request)
    if fault := faults.get(Effect.OUTPUT_HUGE):
        content *= math.ceil(fault.bytes / len(content))
    if Effect.OUTPUT_TRUNCATED in faults:
        await response.write(content[: len(content) // 2])
        return cut(request)
    for start in range(0, len(content), CHUNK_BYTES):
        await response.write(content[start : start + CHUNK_BYTES])
    await response.write_eof()
    return response


async def _json(request: web.Request) -> dict[str, Any]:
    body = orjson.loads(await request.read())
    assert isinstance(body, dict)
    return body


def _invalid(place: list[str], message: str, kind: str) -> web.Response:
    return answer({"detail": [{"loc": place, "msg": message, "type": kind}]}, 422)


def _model_json(model_id: str) -> dict[str, Any]:
    length = TEXT_LENGTH.get(model_id, 10_000)
    return {
        "model_id": model_id,
        "name": model_id,
        "can_be_finetuned": False,
        "can_do_text_to_speech": True,
        "can_do_voice_conversion": False,
        "can_use_style": True,
        "can_use_speaker_boost": True,
        "serves_pro_voices": False,
        "token_cost_factor": 1.0,
        "description": f"An emulation of {model_id}",
        "requires_alpha_access": False,
        "max_characters_request_free_user": length // 4,
        "max_characters_request_subscribed_user": length,
        "maximum_text_length_per_request": length,
        "languages": [{"language_id": "en", "name": "English"}],
        "model_rates": {"character_cost_multiplier": CHARACTER_COST[model_id]},
        "concurrency_group": "standard",
    }


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return ElevenLabsEmulator(
        speak_s=arguments.speak_seconds,
        api_key=arguments.api_key,
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates ElevenLabs' HTTP API.")
    parser.add_argument("--speak-seconds", type=float, default=0.0)
    parser.add_argument("--api-key", help="the only key to let in; any by default")
    parser.add_argument("--seed", type=int, default=0, help="of the chances in the scripted faults")
    run(_from_arguments, parser)
