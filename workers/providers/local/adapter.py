"""The `local` provider: real media made on this machine, without a key and without a bill.

Its makers run in the executor, off the event loop. It can be told to be slow or to fail, for demonstrations
and tests. Work that is cut off has cost nothing and leaves nothing behind, so an unknown submission is simply
done again.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import aiohttp

from shared.catalog import FREE, ModelCard
from shared.errors import JobError
from shared.executor import Executor, ExecutorCrashed, ExecutorFailed
from shared.kinds import KINDS
from shared.kinds.image import dimensions
from shared.media.errors import MediaError
from shared.netguard import check_url, public_connector
from shared.settings import Settings
from workers.providers.base import Accepted, Finished, Provider, Refused, Request, Sink, Usage
from workers.providers.local.media import prose
from workers.providers.local.media.made import Made

MAKERS = "workers.providers.local.media"
MAKE_TIMEOUT_S = 900.0
MAX_INPUT_BYTES = 100 << 20
SIMULATE_TICK_S = 0.25
WORD_PAUSE_S = 0.012
_MEASURED = frozenset({"width", "height", "duration_s", "frames"})
HEIGHTS = {"360p": 360, "480p": 480, "720p": 720, "1080p": 1080}

_LIMITS: dict[str, dict[str, dict[str, Any]]] = {
    "music": {"duration_s": {"maximum": 180}},
    "video": {"duration_s": {"maximum": 20}},
    "audio": {"speed": {"minimum": 0.5, "maximum": 2.0}},
}
_EXPECTED_S = {"text": 1.0, "image": 2.0, "audio": 1.5, "music": 5.0, "video": 10.0, "upscale": 2.0}
_REFUSED_FIELDS: dict[str, frozenset[str]] = {
    # eSpeak NG has voices of its own and can copy nobody's.
    "audio": frozenset({"voice_sample", "consent"}),
    "image": frozenset({"image", "images", "mask", "quality", "steps", "guidance"}),
}


class LocalProvider(Provider):
    name: ClassVar[str] = "local"
    submit_timeout_s: ClassVar[float] = MAKE_TIMEOUT_S
    interruptible: ClassVar[bool] = True

    def __init__(self, settings: Settings, executor: Executor) -> None:
        self._settings = settings
        self._executor = executor
        self._makers: dict[str, Callable[[Request, Sink], Awaitable[Sequence[Made]]]] = {
            "image": self._images,
            "audio": self._speech,
            "music": self._music,
            "video": self._video,
            "upscale": self._enlarged,
        }

    @property
    def cards(self) -> Sequence[ModelCard]:
        return [
            ModelCard(
                provider="local", model="local", kind=kind.name, label=f"Local {kind.name}",
                description="Made on this machine: no key, no cost.", aliases=("local",), rank=1000,
                accepts=frozenset(kind.parameters.model_fields) - _REFUSED_FIELDS.get(kind.name, frozenset()),
                limits=_LIMITS.get(kind.name, {}), price=FREE, expected_s=_EXPECTED_S[kind.name],
                on_unknown="retry", licence="Outputs are yours.",
            )
            for kind in KINDS.values()
        ]  # fmt: skip

    async def submit(self, request: Request, sink: Sink) -> Accepted | Finished:
        await self._simulate(request, sink)
        if request.kind == "text":
            return await self._text(request, sink)
        try:
            made = await self._makers[request.kind](request, sink)
        except MediaError as error:
            raise _cannot(error) from error
        except (ExecutorCrashed, ExecutorFailed, TimeoutError) as error:
            failure = JobError("PROVIDER_FAILED", f"The maker failed: {type(error).__name__}", retryable=True)
            raise Refused(failure) from error
        outputs = [
            replace(await sink.write(n, item.mime, _once(item.data)), details=_details(item))
            for n, item in enumerate(made)
        ]
        return Finished(outputs, Usage({"run": Decimal(1)}))

    async def _simulate(self, request: Request, sink: Sink) -> None:
        simulate = request.input.get("simulate") or {}
        seconds = simulate.get("seconds", 0)
        loop = asyncio.get_running_loop()
        start = loop.time()
        while (elapsed := loop.time() - start) < seconds:
            await sink.progress(0.9 * elapsed / seconds)
            await asyncio.sleep(min(SIMULATE_TICK_S, seconds - elapsed))
        if simulate.get("fail") is not None:
            raise Refused(JobError("PROVIDER_FAILED", simulate["fail"]), curable=False)

    async def _make(
        self, sink: Sink, maker: str, *args: Any, share: tuple[float, float] = (0.0, 1.0)
    ) -> Made:
        """Runs a maker in the executor; `share` is the part of the whole that its progress covers."""
        tasks: set[asyncio.Task[None]] = set()

        def on_progress(fraction: float) -> None:
            low, high = share
            task = asyncio.ensure_future(sink.progress(low + (high - low) * fraction))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        made: Made = await self._executor.call(
            f"{MAKERS}.{maker}", *args, timeout_s=MAKE_TIMEOUT_S, on_progress=on_progress
        )
        return made

    async def _images(self, request: Request, sink: Sink) -> Sequence[Made]:
        given = request.input
        width, height = dimensions(given.get("size"), given.get("aspect_ratio"))
        count = given.get("count", 1)
        seed = _seed(given)
        return [
            await self._make(
                sink, "paint:paint", given["prompt"], width, height, (seed + n) % 2**32, given.get("style"),
                given.get("negative_prompt"), given.get("format") or "png", share=(n / count, (n + 1) / count),
            )
            for n in range(count)
        ]  # fmt: skip

    async def _speech(self, request: Request, sink: Sink) -> Sequence[Made]:
        given = request.input
        return [
            await self._make(
                sink, "speech:speak", given["text"], given.get("voice"), given.get("language", "en"),
                given.get("speed", 1.0), given.get("format", "mp3"),
            )
        ]  # fmt: skip

    async def _music(self, request: Request, sink: Sink) -> Sequence[Made]:
        given = request.input
        return [
            await self._make(
                sink, "compose:compose", given["prompt"], given.get("genre"), given.get("mood"), given.get("tempo"),
                given.get("duration_s", 30), _seed(given), given.get("format", "mp3"),
            )
        ]  # fmt: skip

    async def _video(self, request: Request, sink: Sink) -> Sequence[Made]:
        given = request.input
        width, height = _frame(given.get("aspect_ratio", "16:9"), given.get("resolution", "480p"))
        first = await self._file(request, "image")
        return [
            await self._make(
                sink, "film:film", given["prompt"], width, height, given.get("duration_s", 5),
                given.get("fps", 24), _seed(given), first,
            )
        ]  # fmt: skip

    async def _enlarged(self, request: Request, sink: Sink) -> Sequence[Made]:
        given = request.input
        image = await self._file(request, "image")
        return [
            await self._make(
                sink, "enlarge:enlarge", image, given.get("scale", 4), given.get("face_restore", False),
                given.get("format"),
            )
        ]  # fmt: skip

    async def _text(self, request: Request, sink: Sink) -> Finished:
        given, seed = request.input, _seed(request.input)
        try:
            written = prose.write(given, seed)
        except MediaError as error:  # a JSON schema that cannot be filled in
            raise _cannot(error) from error
        offset = 0
        words: list[str] = []
        for word in written.chunks:
            await sink.delta(offset, word)
            words.append(word)
            offset += len(word)
            await asyncio.sleep(WORD_PAUSE_S)
        text = "".join(words)
        stored = await sink.write(0, written.mime, _once(text.encode()), text=text)
        usage = Usage({"run": Decimal(1), **_tokens(written)})
        return Finished([replace(stored, details={"seed": seed})], usage)

    async def _file(self, request: Request, name: str) -> bytes | None:
        file = request.files.get(name)
        if file is None:
            return None
        # Our own store may be at a private address; what a caller names may not.
        private = self._settings.allow_private_urls or file.bytes is not None
        if not private:
            await check_url(file.url, field=f"input.{name}")
        try:
            async with (
                aiohttp.ClientSession(
                    connector=public_connector(allow_private=private),
                    timeout=aiohttp.ClientTimeout(total=120),
                ) as session,
                session.get(file.url) as response,
            ):
                response.raise_for_status()
                return await _read(response.content, name)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = JobError("PROVIDER_REJECTED", f"The {name} could not be read: {type(error).__name__}")
            raise Refused(failure, curable=False) from error


def create(settings: Settings, executor: Executor) -> LocalProvider:
    return LocalProvider(settings, executor)


def _cannot(error: MediaError) -> Refused:
    return Refused(JobError("PROVIDER_REJECTED", f"This cannot be made: {error.message}."), curable=False)


async def _read(content: aiohttp.StreamReader, name: str) -> bytes:
    data = bytearray()
    async for chunk in content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MAX_INPUT_BYTES:
            raise Refused(JobError("PROVIDER_REJECTED", f"The {name} is larger than 100 MB."), curable=False)
    return bytes(data)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _details(made: Made) -> dict[str, Any]:
    """What its maker did, without what anybody can measure."""
    return {name: value for name, value in made.metadata.items() if name not in _MEASURED}


def _seed(given: Mapping[str, Any]) -> int:
    seed = given.get("seed")
    return random.getrandbits(32) if seed is None else int(seed)  # a picture's seed is no secret


def _frame(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """(width, height) in even pixels; the resolution names the shorter side."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    short = HEIGHTS[resolution]
    width, height = (short * across / down, short) if across >= down else (short, short * down / across)
    return round(width / 2) * 2, round(height / 2) * 2


def _tokens(written: prose.Written) -> dict[str, Decimal]:
    return {"input_token": Decimal(written.input_tokens), "output_token": Decimal(written.output_tokens)}
