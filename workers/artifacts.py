"""Artifacts: from a provider's URL to the object store without holding the file, then what is made from it.

On the way through, bytes are counted against the limit, hashed, shown to the virus scanner if there is one, and their
first ones must be those of a media file of the right family. Width, height, duration, thumbnail, poster and peaks are
made in the executor, off the event loop. Keys are deterministic, so doing it twice is harmless.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import aiohttp

from shared.crashpoints import reach
from shared.domains.changes import OutputRow
from shared.errors import InvalidInput, JobError
from shared.executor import Executor, ExecutorCrashed
from shared.log import get_logger
from shared.media.errors import MediaError
from shared.media.sniff import Family, MediaType, sniff
from shared.netguard import check_url, public_connector
from shared.settings import Settings
from shared.storage import ObjectStore, StorageError, generation_key
from workers.metrics import WorkerMetrics
from workers.providers.base import RemoteFile, StoredFile, Usage
from workers.screening import Screen, Seen

log = get_logger(__name__)

SNIFF_BYTES = 512
INLINE_TEXT_BYTES = 64 << 10
FAMILIES = {
    "image": "image",
    "upscale": "image",
    "audio": "audio",
    "music": "audio",
    "video": "video",
    "text": "text",
}
DERIVE_TIMEOUT_S = 120.0
FETCH_TIMEOUT_S = 900.0
"""For a whole file: one that comes by drops is never silent."""
TEXT_TYPES = {"text/plain": "txt", "application/json": "json"}

HeadersFor = Callable[[str], Mapping[str, str]]
"""What a provider wants to be sent with a URL of its own; see `Provider.headers_for`."""


def no_headers(_: str) -> Mapping[str, str]:
    return {}


class ArtifactError(Exception):
    """The output cannot be stored. `transient` says that another try may do, `ours` that our store failed.

    `usage` is what a synchronous provider said it bills, where it said so before the output.
    """

    usage: Usage | None = None

    def __init__(self, message: str, *, transient: bool, ours: bool = False) -> None:
        super().__init__(message)
        self.transient = transient
        self.ours = ours

    def as_error(self) -> JobError:
        """How the generation fails, if it does."""
        return JobError("UPLOAD_FAILED", str(self), retryable=True)


class Infected(ArtifactError):
    """The virus scanner flagged the output. It is removed, and not fetched again."""

    def __init__(self, virus: str) -> None:
        super().__init__("The virus scanner flagged what was made.", transient=False)
        self.virus = virus

    def as_error(self) -> JobError:
        return JobError("CONTENT_BLOCKED", str(self), details={"stage": "output", "virus": self.virus})


@dataclass(frozen=True, slots=True)
class Place:
    """Whose output this is.

    With a submission, its files have names of their own: what a synchronous provider makes differs from call to
    call, and a worker that was declared dead in the middle of one must not write over what another delivered.
    """

    account_id: UUID
    generation_id: UUID
    kind: str
    submission_id: UUID | None = None

    def file(self, n: int, ext: str) -> str:
        """The key of output `n`."""
        tag = "" if self.submission_id is None else f"-{self.submission_id.hex[-12:]}"
        return self.key(f"{n}{tag}.{ext}")

    def key(self, name: str) -> str:
        return generation_key(self.account_id, self.generation_id, name)


class Artifacts:
    """Fetches, checks, stores and describes outputs."""

    def __init__(
        self,
        store: ObjectStore,
        executor: Executor,
        settings: Settings,
        metrics: WorkerMetrics,
    ) -> None:
        self._store = store
        self._executor = executor
        self._settings = settings
        self._metrics = metrics
        self._screen = Screen(settings)
        self._stack = AsyncExitStack()
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        await self._stack.aclose()

    async def collect(
        self, place: Place, n: int, output: RemoteFile | StoredFile, headers_for: HeadersFor = no_headers
    ) -> OutputRow:
        """Stores output `n` and what is made from it. Raises ArtifactError."""
        stored = output
        if isinstance(stored, RemoteFile):
            stored = await self._fetch(place, n, stored, headers_for(stored.url))
        await self._require_harmless(stored)
        return replace(await self._describe(place, n, stored), details=output.details)

    async def write(
        self, place: Place, n: int, mime: str, chunks: AsyncIterator[bytes], text: str | None = None
    ) -> StoredFile:
        """Stores what a synchronous adapter produced. Raises ArtifactError."""
        head, rest = await _peek(chunks)
        media = self._checked(place, head, mime, "the provider")
        return await self._store_stream(place, n, media, rest, None, text)

    async def _fetch(
        self, place: Place, n: int, output: RemoteFile, headers: Mapping[str, str]
    ) -> StoredFile:
        http = await self._session()
        try:
            await check_url(output.url, field="output", allow_private=self._settings.allow_private_urls)
            # A credential goes to the address that asked for it, and not to where that may point.
            async with (
                asyncio.timeout(FETCH_TIMEOUT_S),
                http.get(
                    output.url, headers=headers, allow_redirects=not headers, max_redirects=3
                ) as response,
            ):
                if response.status != 200:
                    raise ArtifactError(
                        f"The provider's file answered {response.status}.", transient=response.status >= 500
                    )
                length = response.content_length
                self._within_limit(length or 0)
                head, rest = await _peek(response.content.iter_any())
                media = self._checked(place, head, response.content_type, "the provider's file")
                return await self._store_stream(place, n, media, rest, length, None)
        except InvalidInput as error:
            raise ArtifactError(
                f"The provider's file is at a forbidden address: {error}", transient=False
            ) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ArtifactError(
                f"The provider's file broke off: {type(error).__name__}", transient=True
            ) from error

    async def _store_stream(
        self,
        place: Place,
        n: int,
        media: MediaType,
        chunks: AsyncIterator[bytes],
        length: int | None,
        text: str | None,
    ) -> StoredFile:
        key = place.file(n, media.ext)
        meter = _Meter(self._settings.max_output_bytes)
        started = time.perf_counter()
        reach("before_artifact_put")
        try:
            async with self._screen.screening() as screening:
                passing = screening.chunks(meter.measure(chunks))
                await self._store.put_stream(key, passing, length, media.mime)
                seen = await screening.seen(key)
        except StorageError as error:
            raise ArtifactError(f"The object store failed: {error}", transient=True, ours=True) from error
        reach("after_artifact_put")
        self._metrics.uploaded(place.kind, meter.bytes, time.perf_counter() - started)
        if length is not None and meter.bytes != length:
            raise ArtifactError("The provider's file is shorter than announced.", transient=True)
        return StoredFile(
            key, media.mime, meter.bytes, meter.sha256, text, virus=seen.virus, unseen=seen.unseen is not None
        )

    async def _require_harmless(self, stored: StoredFile) -> None:
        """Raises Infected, or ArtifactError if the scanner cannot look at it."""
        seen = await self._look(stored) if stored.unseen else Seen(virus=stored.virus)
        if seen.unseen is not None:
            raise ArtifactError(
                "The virus scanner cannot look at the provider's file.",
                transient=not seen.for_good,
                ours=True,
            )
        if seen.virus is not None:
            await self.remove([stored.key])
            raise Infected(seen.virus)

    async def _look(self, stored: StoredFile) -> Seen:
        """At what the scanner did not see on its way in."""
        try:
            async with self._screen.screening() as screening:
                async for _ in screening.chunks(self._store.get_stream(stored.key)):
                    pass
                return await screening.seen(stored.key)
        except StorageError as error:
            raise ArtifactError(f"The object store failed: {error}", transient=True, ours=True) from error

    async def remove(self, keys: Sequence[str]) -> None:
        """Raises ArtifactError."""
        try:
            await self._store.delete(keys)
        except StorageError as error:
            raise ArtifactError(f"The object store failed: {error}", transient=True, ours=True) from error

    async def _describe(self, place: Place, n: int, stored: StoredFile) -> OutputRow:
        family = stored.mime.partition("/")[0]
        row = OutputRow(n, place.kind, stored.key, stored.mime, stored.bytes, stored.sha256, text=stored.text)
        if family not in {"image", "audio", "video"}:
            return row
        source = await self._store.presign_get(stored.key)
        try:
            derived = await self._executor.call(
                "shared.media.derive:derive", source, family, timeout_s=DERIVE_TIMEOUT_S,
            )  # fmt: skip
        except MediaError as error:
            raise ArtifactError(
                f"The provider's file is not a sound {family}: {error}", transient=False
            ) from error
        except (ExecutorCrashed, TimeoutError) as error:
            # The file itself is stored and paid for: it is delivered without what could not be made from it.
            log.warning("artifact_not_described", key=stored.key, error=type(error).__name__)
            return row
        reach("after_derive")
        return await self._keep_derived(place, n, row, derived)

    async def _keep_derived(self, place: Place, n: int, row: OutputRow, derived: Any) -> OutputRow:
        keys: dict[str, str | None] = {}
        for name, data, mime in (
            ("thumb.webp", derived.thumbnail, "image/webp"),
            ("poster.webp", derived.poster, "image/webp"),
            ("peaks.json", derived.peaks, "application/json"),
        ):
            keys[name] = place.key(f"{n}.{name}") if data is not None else None
            if data is not None:
                try:
                    await self._store.put_bytes(place.key(f"{n}.{name}"), data, mime)
                except StorageError as error:
                    raise ArtifactError(
                        f"The object store failed: {error}", transient=True, ours=True
                    ) from error
        return replace(
            row, width=derived.width, height=derived.height, duration_s=derived.duration_s,
            thumbnail_key=keys["thumb.webp"], poster_key=keys["poster.webp"], peaks_key=keys["peaks.json"],
        )  # fmt: skip

    def _checked(self, place: Place, head: bytes, declared: str | None, what: str) -> MediaType:
        """The media type that the bytes show; text is what a text provider declares. Raises ArtifactError."""
        family = FAMILIES[place.kind]
        if family == "text":
            mime = declared if declared in TEXT_TYPES else "text/plain"
            return MediaType(mime, TEXT_TYPES[mime], Family.DOCUMENT)
        media = sniff(head)
        if media is None or media.family != family:
            found = media.mime if media else "unknown"
            raise ArtifactError(f"{what.capitalize()} should be {family}, but is {found}.", transient=False)
        return media

    def _within_limit(self, length: int) -> None:
        if length > self._settings.max_output_bytes:
            raise ArtifactError(
                f"The provider's file has {length} bytes; the limit is {self._settings.max_output_bytes}.",
                transient=False,
            )

    async def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = await self._stack.enter_async_context(
                aiohttp.ClientSession(
                    connector=public_connector(allow_private=self._settings.allow_private_urls, limit=50),
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60),
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
            )
        return self._http


class _Meter:
    """Counts and hashes a stream as it passes, and stops it at the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hash = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def measure(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.bytes += len(chunk)
            if self.bytes > self._limit:
                raise ArtifactError(
                    f"The provider's file is over the limit of {self._limit} bytes.", transient=False
                )
            self._hash.update(chunk)
            yield chunk


async def _peek(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes, and the whole stream from its beginning."""
    head = bytearray()
    iterator = aiter(chunks)
    async for chunk in iterator:
        head += chunk
        if len(head) >= SNIFF_BYTES:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield bytes(head)
        async for chunk in iterator:
            yield chunk

    return bytes(head[:SNIFF_BYTES]), whole()
