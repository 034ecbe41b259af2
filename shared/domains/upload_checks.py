"""What becomes of an upload's bytes before anybody may use them: a look at the head, at viruses, at every frame.

A file is known by its first bytes, never by its name or the type that was declared. Pictures are decoded and
written anew, without metadata; sound and video are probed.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from shared.antivirus import NotScannable, Scanner, ScannerFailed
from shared.errors import (
    ContentBlocked,
    InvalidInput,
    PayloadTooLarge,
    PenstockError,
    Unavailable,
    UnsupportedMedia,
)
from shared.executor import Executor, ExecutorCrashed
from shared.log import get_logger
from shared.media.errors import MediaError, MediaFault
from shared.media.info import CleanImage, SoundInfo, VideoInfo
from shared.media.sniff import HEAD_BYTES, SOUND_IN, Family, MediaType, by_mime, sniff
from shared.settings import VirusScan

log = get_logger(__name__)

MAX_IMAGE_BYTES = 50 << 20
CHECK_TIMEOUT_S = 60.0
WRITE_BYTES = 1 << 20
ACCEPTED = frozenset({Family.IMAGE, Family.AUDIO, Family.VIDEO})
ACCEPTED_WORDS = "PNG, JPEG, WebP, GIF, AVIF, MP3, WAV, OGG, FLAC, AAC, M4A, MP4 or WebM"


@dataclass(frozen=True, slots=True)
class Guard:
    """What looks for viruses, and what its word is worth; no scanner looks at nothing."""

    scanner: Scanner | None
    mode: VirusScan

    async def look_at(self, path: Path) -> None:
        """Raises ContentBlocked, PayloadTooLarge or Unavailable, if this guard blocks."""
        if self.scanner is None or self.mode is VirusScan.OFF:
            return
        try:
            found = await self.scanner.scan(read(path))
        except NotScannable as error:
            self._judge(
                PayloadTooLarge("The file is larger than the virus scanner accepts.", field="file"),
                str(error),
            )
        except ScannerFailed as error:
            self._judge(
                Unavailable("The virus scanner cannot be reached just now; try again.", retry_after_s=5),
                str(error),
            )
        else:
            if found is not None:
                self._judge(
                    ContentBlocked(
                        "The virus scanner flagged the file.", field="file", stage="input", virus=found
                    ),
                    found,
                )

    def _judge(self, refusal: PenstockError, why: str) -> None:
        log.warning("upload_flagged", why=why, blocked=self.mode is VirusScan.BLOCK)
        if self.mode is VirusScan.BLOCK:
            raise refusal


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that passed: where its final bytes are, and what they are."""

    path: Path
    media: MediaType
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


def declared_type(mime: str, length: int, max_bytes: int) -> MediaType:
    """What an upload says that it will be. Raises UnsupportedMedia, PayloadTooLarge."""
    declared = by_mime(mime)
    if declared is None or declared.family not in ACCEPTED:
        raise UnsupportedMedia(f"{mime} is not accepted; send {ACCEPTED_WORDS}.", field="mime")
    if length > _limit(declared, max_bytes):
        raise too_large(_limit(declared, max_bytes), "bytes")
    return declared


async def spool(path: Path, chunks: AsyncIterator[bytes], max_bytes: int) -> MediaType:
    """Writes the stream to `path`; stops at the first byte too many, or at a head that is not accepted."""
    media: MediaType | None = None
    total = 0
    buffer = bytearray()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            buffer += chunk
            total += len(chunk)
            if media is None and len(buffer) >= HEAD_BYTES:
                media = _recognise(bytes(buffer[:HEAD_BYTES]))
            limit = max_bytes if media is None else _limit(media, max_bytes)
            if total > limit:
                raise too_large(limit, "file")
            if len(buffer) >= WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(buffer))
                buffer.clear()
        if media is None:
            media = _recognise(bytes(buffer[:HEAD_BYTES]))
        await asyncio.to_thread(file.write, bytes(buffer))
    return media


def _recognise(head: bytes) -> MediaType:
    media = sniff(head)
    if not head:
        raise InvalidInput("The file is empty.", field="file", status=422)
    if media is None or media.family not in ACCEPTED:
        raise UnsupportedMedia(f"The file is not {ACCEPTED_WORDS}.", field="file")
    return media


def _limit(media: MediaType, max_bytes: int) -> int:
    return min(max_bytes, MAX_IMAGE_BYTES) if media.family is Family.IMAGE else max_bytes


def too_large(limit: int, field: str) -> PayloadTooLarge:
    return PayloadTooLarge(f"The file is larger than {limit >> 20} MB.", field=field, limit_bytes=limit)


async def require_digest(path: Path, sha256: str) -> None:
    """Raises InvalidInput when the file is not the one that was announced."""
    with await asyncio.to_thread(path.open, "rb") as file:
        digest = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
    if digest != sha256:
        raise InvalidInput(
            f"The SHA-256 of what arrived is {digest}, not {sha256}.", field="sha256", status=422
        )


async def check(executor: Executor, path: Path, media: MediaType) -> Checked:
    """Has a child process decode it. Raises UnsupportedMedia, PayloadTooLarge, InvalidInput."""
    try:
        if media.family is Family.IMAGE:
            return await _clean_image(executor, path)
        target = (
            "shared.media.sound:measured" if media.family is Family.AUDIO else "shared.media.containers:probe"
        )
        info: SoundInfo | VideoInfo = await executor.call(target, str(path), timeout_s=CHECK_TIMEOUT_S)
    except MediaError as error:
        raise _refused(error) from None
    except (ExecutorCrashed, TimeoutError):
        raise InvalidInput("The file cannot be decoded.", field="file", status=422) from None
    if isinstance(info, SoundInfo):
        checked = await asyncio.to_thread(_measured, path, SOUND_IN.get(media, media))
        return replace(checked, duration_s=info.duration_s)
    checked = await asyncio.to_thread(_measured, path, media)
    return replace(checked, width=info.width, height=info.height, duration_s=info.duration_s)


async def _clean_image(executor: Executor, path: Path) -> Checked:
    image: CleanImage = await executor.call("shared.media.images:clean", str(path), timeout_s=CHECK_TIMEOUT_S)
    cleaned = path.with_name("clean")
    await asyncio.to_thread(cleaned.write_bytes, image.data)
    media = MediaType(image.mime, image.ext, Family.IMAGE)
    digest = hashlib.sha256(image.data).hexdigest()
    return Checked(cleaned, media, len(image.data), digest, image.width, image.height)


def _measured(path: Path, media: MediaType) -> Checked:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Checked(path, media, path.stat().st_size, digest)


def _refused(error: MediaError) -> PenstockError:
    match error.code:
        case MediaFault.TOO_LARGE:
            return PayloadTooLarge(f"The file was refused: {error.message}.", field="file")
        case MediaFault.UNSUPPORTED_MEDIA:
            return UnsupportedMedia(f"The file was refused: {error.message}.", field="file")
    return InvalidInput(f"The file was refused: {error.message}.", field="file", status=422)


async def read(path: Path) -> AsyncIterator[bytes]:
    """The file's bytes, block by block."""
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    with file:
        while chunk := await asyncio.to_thread(file.read, WRITE_BYTES):
            yield chunk
