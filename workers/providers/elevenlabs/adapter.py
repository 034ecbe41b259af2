"""ElevenLabs: speech and music stream from its SDK into the store while they are made.

Both are paid once the call is accepted, and there is no idempotency key. Speech is kept in the account's
history, so a lost answer is looked for there and its audio fetched without paying again. Music and sound
effects are in no history: nobody can say what became of a lost call.

A row of the history has no tag of ours. Speech with a cloned voice shows the voice's name, which is a proof;
any other is known by its model, voice, text and time, which is proof only while no other submission of an
equal request is without its id.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from elevenlabs import VoiceSettings
from elevenlabs.core.http_response import AsyncHttpResponse

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.money import NANOS_PER_USD, multiply
from shared.settings import Settings
from workers.artifacts import ArtifactError
from workers.providers.base import (
    Absent,
    Answer,
    Ended,
    Finished,
    Found,
    Gone,
    Job,
    Lost,
    Pending,
    Provider,
    Refused,
    RemoteFile,
    Request,
    Sink,
    Unaskable,
    UnreadableAnswer,
    Usage,
)
from workers.providers.elevenlabs.cloning import (
    CLONE_TIMEOUT_S,
    MEASURE_TIMEOUT_S,
    SAMPLE_TIMEOUT_S,
    Cloning,
    voice_name,
)
from workers.providers.elevenlabs.models import (
    CARDS,
    DEFAULT_VOICE,
    EFFECT_FORMATS,
    EFFECT_MOST_S,
    MODELS,
    MUSIC_FORMAT,
    SPEECH_FORMATS,
    VOICES,
    EffectModel,
    Model,
    MusicModel,
    SpeechModel,
    language_code,
)
from workers.providers.elevenlabs.wire import NO_ANSWER, Wire, options, paid
from workers.providers.styles import music_prompt

SPEAK_TIMEOUT_S: Final = 180.0
COMPOSE_TIMEOUT_S: Final = 300.0
READ_TIMEOUT_S: Final = 120.0
"""Until the first byte, and between any two."""
FIND_MARGIN: Final = timedelta(minutes=2)
"""How far ElevenLabs' clock may be from ours."""
FIND_PAGES: Final = 50
PAGE: Final = 100

_ID_LENGTH = 20
_HISTORY = "/v1/history"

Stream = AbstractAsyncContextManager[AsyncHttpResponse[AsyncIterator[bytes]]]


class ElevenLabsProvider(Provider):
    name: ClassVar[str] = "elevenlabs"
    submit_timeout_s: ClassVar[float] = max(
        COMPOSE_TIMEOUT_S, SAMPLE_TIMEOUT_S + MEASURE_TIMEOUT_S + 2 * CLONE_TIMEOUT_S + SPEAK_TIMEOUT_S
    )
    find_window_s: ClassVar[float] = SPEAK_TIMEOUT_S
    """A row appears when its speech is made, which a cut connection does not end."""

    def __init__(
        self,
        api_key: str | None,
        base_url: str,
        executor: Executor,
        *,
        voices: Mapping[str, str] | None = None,
        usd_per_1000_credits: Decimal = Decimal("0.10"),
        keeps_history: bool = True,
        allow_private: bool = False,
    ) -> None:
        self._api_key = api_key
        self._wire = Wire(api_key or "", base_url)
        self._cloning = Cloning(self._wire, executor, allow_private=allow_private)
        named = VOICES | {name.casefold(): voice_id for name, voice_id in (voices or {}).items()}
        self._voices: Mapping[str, str] = named
        self._credit_nanos = usd_per_1000_credits * NANOS_PER_USD / 1000
        self._keeps_history = keeps_history

    @property
    def unavailable_reason(self) -> str | None:
        return None if self._api_key else "ELEVENLABS_API_KEY is not set"

    @property
    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    async def submit(self, request: Request, sink: Sink) -> Finished:
        model = _model(request.model)
        if isinstance(model, MusicModel):
            return await self._compose(request, sink)
        if isinstance(model, EffectModel):
            return await self._sound(request, sink)
        sample = request.files.get("voice_sample")
        voice = self._cloning.voice(request, sample) if sample else nullcontext(self._voice_id(request.input))
        async with voice as voice_id:
            return await self._speak(request, model, voice_id, sink)

    async def _speak(self, request: Request, model: SpeechModel, voice_id: str, sink: Sink) -> Finished:
        given = request.input
        output_format, mime = SPEECH_FORMATS[given.get("format") or "mp3"]
        more: dict[str, Any] = {}
        if model.takes_language:
            more["language_code"] = language_code(given)
        if given.get("seed") is not None:
            more["seed"] = given["seed"]
        speed = given.get("speed")
        if speed is not None and speed != 1:
            more["voice_settings"] = VoiceSettings(speed=speed)
        stream = self._wire.sdk.text_to_speech.with_raw_response.convert(
            voice_id,
            text=given["text"],
            model_id=request.model,
            output_format=output_format,
            request_options=options(READ_TIMEOUT_S),
            **more,
        )
        characters = {"run": Decimal(1), "character": Decimal(len(given["text"]))}
        request.confirm()
        async with paid(SPEAK_TIMEOUT_S):
            return await self._deliver(stream, sink, mime, characters)

    async def _compose(self, request: Request, sink: Sink) -> Finished:
        given = request.input
        output_format, mime = MUSIC_FORMAT
        length_ms = round((given.get("duration_s") or 30) * 1000)
        stream = self._wire.sdk.music.with_raw_response.compose(
            prompt=music_prompt(given),
            music_length_ms=length_ms,
            model_id=request.model,
            force_instrumental=given.get("instrumental") is not False,
            output_format=output_format,
            request_options=options(READ_TIMEOUT_S),
        )
        seconds = {"run": Decimal(1), "output_second": Decimal(length_ms) / 1000}
        request.confirm()
        async with paid(COMPOSE_TIMEOUT_S):
            return await self._deliver(stream, sink, mime, seconds)

    async def _sound(self, request: Request, sink: Sink) -> Finished:
        given = request.input
        output_format, mime = EFFECT_FORMATS[given.get("format") or "mp3"]
        length_s = float(given.get("duration_s") or EFFECT_MOST_S)
        stream = self._wire.sdk.text_to_sound_effects.with_raw_response.convert(
            text=given["prompt"],
            duration_seconds=length_s,
            model_id=request.model,
            output_format=output_format,
            request_options=options(READ_TIMEOUT_S),
        )
        seconds = {"run": Decimal(1), "output_second": Decimal(str(length_s))}
        request.confirm()
        async with paid(COMPOSE_TIMEOUT_S):
            return await self._deliver(stream, sink, mime, seconds)

    async def _deliver(self, stream: Stream, sink: Sink, mime: str, units: Mapping[str, Decimal]) -> Finished:
        """Streams the audio into the store. What it costs is known from the headers, before it has arrived."""
        async with stream as response:
            usage = Usage(units, self._cost_nanos(response.headers.get("character-cost")))
            remote_id = response.headers.get("request-id") or response.headers.get("song-id")
            try:
                stored = await sink.write(0, mime, response.data)
            except ArtifactError as error:
                error.usage = usage
                raise
            return Finished([stored], usage, remote_id)

    def _cost_nanos(self, credit_count: object) -> int | None:
        """What the reported credits cost; None where none are reported, so that the card's price counts."""
        if not isinstance(credit_count, str | int) or not str(credit_count).isdecimal():
            return None
        return multiply(self._credit_nanos, Decimal(credit_count))

    def _voice_id(self, given: Mapping[str, Any]) -> str:
        """The id of a voice that has a name, or the id itself. Raises Refused."""
        wanted = str(given.get("voice") or DEFAULT_VOICE)
        if wanted.casefold() in self._voices:
            return self._voices[wanted.casefold()]
        if len(wanted) == _ID_LENGTH and wanted.isalnum():
            return wanted
        text = f"There is no voice {wanted!r}; say an id of ElevenLabs' or one of {', '.join(self._voices)}"
        raise Refused(JobError("PROVIDER_REJECTED", text), curable=False)

    # The history: what became of speech whose answer was lost, and its audio.

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        request, model = lost.request, _model(lost.request.model)
        if not isinstance(model, SpeechModel):
            return Unaskable()
        if request.input.get("voice_sample"):
            await self._cloning.forget(request.submission_id)
        if not self._keeps_history:
            return Unaskable()
        rows = [
            row async for row in self._rows(lost) if self._is_equal(row, request) and not _is_taken(row, lost)
        ]
        if len(rows) == 1 and (lost.alone or request.input.get("voice_sample")):
            return Found(str(rows[0]["history_item_id"]))
        if rows or not await self._has_history():
            return Unaskable()
        return Absent()

    async def _rows(self, lost: Lost) -> AsyncIterator[dict[str, Any]]:
        """The speech of the submission's model, made around its intent, newest first."""
        before = lost.intent_at + timedelta(seconds=self.submit_timeout_s) + FIND_MARGIN
        query = {
            "page_size": str(PAGE),
            "source": "TTS",
            "model_id": lost.request.model,
            "date_after_unix": str(int((lost.intent_at - FIND_MARGIN).timestamp())),
            "date_before_unix": str(int(before.timestamp()) + 1),
        }
        for _ in range(FIND_PAGES):
            body = await self._wire.ask("GET", _HISTORY, query)
            rows = body.get("history") if body else None
            if body is None or not isinstance(rows, list):
                raise UnreadableAnswer("a history without rows")
            for row in rows:
                yield row
            if not body.get("has_more") or not rows:
                return
            query["start_after_history_item_id"] = str(rows[-1]["history_item_id"])
        raise UnreadableAnswer(f"too much speech around {lost.intent_at} to look through")

    async def _has_history(self) -> bool:
        """Whether this account keeps any: an empty history proves nothing about one speech."""
        body = await self._wire.ask("GET", _HISTORY, {"page_size": "1", "source": "TTS"}) or {}
        return bool(body.get("history"))

    def _is_equal(self, row: Mapping[str, Any], request: Request) -> bool:
        if row.get("text") != request.input["text"] or row.get("model_id", request.model) != request.model:
            return False
        if request.input.get("voice_sample"):
            return row.get("voice_name") == voice_name(request.submission_id)
        return row.get("voice_id") == self._voice_id(request.input)

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        """Only speech that was found in the history is polled for; the rest is answered by `submit`."""
        answers = await asyncio.gather(*(self._poll_one(job) for job in jobs))
        return dict(zip((job.submission_id for job in jobs), answers, strict=True))

    async def _poll_one(self, job: Job) -> Answer | Exception:
        try:
            row = await self._wire.ask("GET", f"{_HISTORY}/{job.remote_id}")
            return Gone() if row is None else self._read(row, job)
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            return error

    def _read(self, row: Mapping[str, Any], job: Job) -> Answer:
        spent = _credits(row)
        units = {"run": Decimal(1), "character": Decimal(len(job.input["text"]))}
        usage = Usage(units, None if spent is None else multiply(self._credit_nanos, spent))
        match row.get("state"):
            case "created":
                url = f"{self._wire.base_url}{_HISTORY}/{job.remote_id}/audio"
                return Finished([RemoteFile(url, str(row.get("content_type") or "audio/mpeg"))], usage)
            case "processing":
                return Pending(running=True)
            case "deleted":
                text = "The audio was deleted from the history before it could be fetched"
                return Ended(JobError("PROVIDER_FAILED", text, retryable=True), usage, curable=False)
            case state:
                raise UnreadableAnswer(f"unknown state {state!r}")

    async def cancel(self, job: Job) -> None:
        """Speech that is in the history is made and billed: there is nothing to stop."""

    def headers_for(self, url: str) -> Mapping[str, str]:
        ours = url.startswith(f"{self._wire.base_url}{_HISTORY}/")
        return self._wire.headers if ours else {}

    async def close(self) -> None:
        await self._wire.close()


def create(settings: Settings, executor: Executor) -> ElevenLabsProvider:
    key = settings.elevenlabs_api_key
    return ElevenLabsProvider(
        key.get_secret_value() if key else None,
        settings.elevenlabs_base_url,
        executor,
        voices=settings.elevenlabs_voices,
        usd_per_1000_credits=settings.elevenlabs_usd_per_1000_credits,
        keeps_history=settings.elevenlabs_keeps_history,
        allow_private=settings.allow_private_urls,
    )


def _is_taken(row: Mapping[str, Any], lost: Lost) -> bool:
    """Speech whose answer arrived is known by its request's id, speech that was found by its place here."""
    return row.get("history_item_id") in lost.taken or row.get("request_id") in lost.taken


def _credits(row: Mapping[str, Any]) -> Decimal | None:
    before, after = row.get("character_count_change_from"), row.get("character_count_change_to")
    return Decimal(after - before) if isinstance(before, int) and isinstance(after, int) else None


def _model(name: str) -> Model:
    if name not in MODELS:
        raise Refused(JobError("PROVIDER_REJECTED", f"ElevenLabs' {name} is not in our catalogue"))
    return MODELS[name]


__all__ = ["ElevenLabsProvider", "create"]
