"""Voices cloned for one speech: made from a sample, spoken with, and deleted again.

A voice's name carries its submission, so that a leftover of a crash can be told from a voice that somebody
wants to keep. Making one costs nothing but a place in the account, so its failure is never a paid one.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import aiohttp
import httpx
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.parse_error import ParsingError

from shared.errors import InvalidInput, JobError
from shared.executor import Executor, ExecutorCrashed, ExecutorFailed
from shared.kinds.audio import SAMPLE_SECONDS
from shared.log import get_logger
from shared.media.errors import MediaError, MediaFault
from shared.netguard import check_url, public_connector
from workers.providers.base import HeldBack, InputFile, NotSent, Refused, Request, UnreadableAnswer
from workers.providers.elevenlabs.wire import NO_ANSWER, Wire, options, refusal

log = get_logger(__name__)

SAMPLE_TIMEOUT_S: Final = 20.0
MEASURE_TIMEOUT_S: Final = 15.0
CLONE_TIMEOUT_S: Final = 40.0
DELETE_TIMEOUT_S: Final = 10.0
SAMPLE_BYTES: Final = 10 << 20
"""As much as ElevenLabs takes for an instant clone."""
LEFTOVER_AGE_S: Final = 3600.0
"""Older than any speech can take: nobody speaks with such a voice any more."""
SWEEP_EVERY_S: Final = 600.0

_PREFIX = "penstock-"


def voice_name(submission_id: UUID) -> str:
    return f"{_PREFIX}{submission_id}"


class Cloning:
    """Makes voices from samples, and sees to it that none stays behind."""

    def __init__(self, wire: Wire, executor: Executor, *, allow_private: bool) -> None:
        self._wire = wire
        self._executor = executor
        self._allow_private = allow_private
        self._swept_at = float("-inf")

    @asynccontextmanager
    async def voice(self, request: Request, sample: InputFile) -> AsyncIterator[str]:
        """The id of a voice that lives as long as the block. Raises NotSent and Refused: nothing is paid yet."""
        try:
            async with asyncio.timeout(SAMPLE_TIMEOUT_S):
                recording = await self._fetch(sample)
        except NO_ANSWER as error:
            raise HeldBack(f"the voice sample could not be fetched: {type(error).__name__}") from error
        await self._measure(recording)
        if time.monotonic() - self._swept_at > SWEEP_EVERY_S:
            self._swept_at = time.monotonic()
            await self._sweep()
        voice_id = await self._make(request.submission_id, recording, sample.mime or "audio/mpeg")
        try:
            yield voice_id
        finally:
            await asyncio.shield(self._delete(voice_id))

    async def forget(self, submission_id: UUID) -> None:
        """Deletes what a crash or a lost answer left of this submission. Raises NO_ANSWER and the wire's."""
        await self._delete_found(voice_name(submission_id), older_than_s=float("-inf"))

    async def _measure(self, recording: bytes) -> None:
        """Raises Refused for a recording of another length than a clone needs, HeldBack without time to look."""
        low, high = SAMPLE_SECONDS
        try:
            async with asyncio.timeout(MEASURE_TIMEOUT_S):
                # A little more than allowed, so that what is just too long can be told from what is endless.
                seconds: float = await self._executor.call(
                    "shared.media.sound:duration_s", recording, 2 * high
                )
        except MediaError as error:
            if error.code == MediaFault.TOO_LARGE:
                raise _unfit(f"plays for more than {2 * high:g}") from error
            raise _unfit("cannot be played at all") from error
        except (ExecutorCrashed, ExecutorFailed) as error:
            raise _unfit("cannot be played at all") from error
        except TimeoutError as error:
            raise HeldBack("the voice sample could not be measured in time") from error
        if not low <= round(seconds, 1) <= high:
            raise _unfit(f"plays for {seconds:.1f}")

    async def _sweep(self) -> None:
        try:
            await self._delete_found(_PREFIX, older_than_s=LEFTOVER_AGE_S)
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            log.warning("voices_not_swept", error=repr(error))

    async def _make(self, submission_id: UUID, recording: bytes, mime: str) -> str:
        try:
            async with asyncio.timeout(CLONE_TIMEOUT_S):
                made = await self._wire.sdk.voices.ivc.create(
                    name=voice_name(submission_id),
                    files=[("sample", recording, mime)],
                    labels={"made_by": "penstock"},
                    request_options=options(CLONE_TIMEOUT_S),
                )
        except ApiError as error:
            if refused := refusal(error.status_code, error.headers or {}, error.body):
                raise refused from error
            raise await self._not_made(submission_id, f"ElevenLabs answered {error.status_code}") from error
        except (httpx.HTTPError, ParsingError, TimeoutError, ValueError) as error:
            raise await self._not_made(submission_id, type(error).__name__) from error
        if not isinstance(made.voice_id, str):
            raise await self._not_made(submission_id, "an answer without an id")
        if made.requires_verification:
            await self._delete(made.voice_id)
            text = "ElevenLabs wants this voice verified by its owner before it speaks"
            raise Refused(JobError("PROVIDER_REJECTED", text), curable=False)
        return made.voice_id

    async def _not_made(self, submission_id: UUID, why: str) -> NotSent:
        """The voice may be there without our knowing its id: it is looked for, and deleted, at once."""
        try:
            await self.forget(submission_id)
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            log.warning("voice_left_behind", voice=voice_name(submission_id), error=repr(error))
        return NotSent(f"the voice could not be cloned: {why}")

    async def _delete_found(self, search: str, *, older_than_s: float) -> None:
        query = {"search": search, "page_size": "100", "include_total_count": "false"}
        body = await self._wire.ask("GET", "/v2/voices", query) or {}
        for voice in body.get("voices") or ():
            made_at = voice.get("created_at_unix")
            age_s = time.time() - made_at if isinstance(made_at, int | float) else 0.0
            if str(voice.get("name", "")).startswith(search) and age_s > older_than_s:
                await self._delete(str(voice["voice_id"]))

    async def _delete(self, voice_id: str) -> None:
        """Best effort: what stays is swept up later."""
        try:
            async with asyncio.timeout(DELETE_TIMEOUT_S):
                await self._wire.ask("DELETE", f"/v1/voices/{voice_id}")
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            log.warning("voice_not_deleted", voice=voice_id, error=repr(error))

    async def _fetch(self, sample: InputFile) -> bytes:
        """The recording: from our own store, whose files have a known type, or from a caller's public URL."""
        if sample.mime is not None:
            return await _read(self._wire.http, sample.url)
        try:
            await check_url(sample.url, field="input.voice_sample", allow_private=self._allow_private)
        except InvalidInput as error:
            raise Refused(JobError("PROVIDER_REJECTED", str(error)), curable=False) from error
        connector = public_connector(allow_private=self._allow_private)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await _read(session, sample.url)


def _unfit(what: str) -> Refused:
    low, high = SAMPLE_SECONDS
    text = f"A voice sample must play for {low:g} to {high:g} seconds, but this one {what}"
    return Refused(
        JobError("PROVIDER_REJECTED", text, details={"field": "input.voice_sample"}), curable=False
    )


async def _read(session: aiohttp.ClientSession, url: str) -> bytes:
    """Raises Refused for a recording that is too large, and aiohttp's errors."""
    content = bytearray()
    async with session.get(url) as response:
        response.raise_for_status()
        async for chunk in response.content.iter_chunked(1 << 16):
            content += chunk
            if len(content) > SAMPLE_BYTES:
                text = f"A voice sample may have {SAMPLE_BYTES >> 20} MB at most"
                raise Refused(JobError("PROVIDER_REJECTED", text), curable=False)
    return bytes(content)
