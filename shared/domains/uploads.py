"""Files that callers bring. Nothing becomes an input before its bytes were looked at.

A file is known by its first bytes, never by its name or the type that was declared. Pictures are decoded and
written anew, without metadata; sound and video are probed. A presigned upload lands beside its final place,
so that its URL cannot change what was checked.
"""

import asyncio
import hashlib
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from shared.errors import Conflict, InvalidInput, NotFound, PayloadTooLarge, PenstockError, UnsupportedMedia
from shared.executor import Executor, ExecutorCrashed
from shared.ids import new_id
from shared.log import get_logger
from shared.media.errors import MediaError, MediaFault
from shared.media.info import CleanImage, SoundInfo, VideoInfo
from shared.media.sniff import HEAD_BYTES, Family, MediaType, by_mime, sniff
from shared.orm import orm_session
from shared.storage import ObjectStore, StorageError, upload_key
from shared.tables import Upload

log = get_logger(__name__)

MAX_FILENAME = 120
PRESIGN_S = 900
MAX_IMAGE_BYTES = 50 << 20
CHECK_TIMEOUT_S = 60.0
WRITE_BYTES = 1 << 20
ACCEPTED = frozenset({Family.IMAGE, Family.AUDIO, Family.VIDEO})
ACCEPTED_WORDS = "PNG, JPEG, WebP, GIF, AVIF, MP3, WAV, OGG, FLAC, AAC, M4A, MP4 or WebM"


@dataclass(frozen=True, slots=True)
class Intake:
    """What uploads work with. `engine` is the application role's."""

    engine: AsyncEngine
    store: ObjectStore
    executor: Executor
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Checked:
    """A file that passed: where its final bytes are, and what they are."""

    path: Path
    media: MediaType
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


def safe_name(name: str) -> str:
    """A file name without folders, control characters, leading dots or length: for display and download only.

    >>> safe_name("../../etc/passwd")
    'passwd'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(char for char in last if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*')
    clean = re.sub(r"\s+", " ", clean).strip().lstrip(".")
    if len(clean) > MAX_FILENAME:
        stem, dot, extension = clean.rpartition(".")
        room = MAX_FILENAME - len(dot + extension)
        clean = stem[:room] + dot + extension if dot and room > 0 else clean[:MAX_FILENAME]
    return clean or "upload"


async def begin(
    intake: Intake, account_id: UUID, *, filename: str, mime: str, length: int
) -> tuple[Upload, str]:
    """A pending upload, and the URL to PUT its bytes to. Raises UnsupportedMedia, PayloadTooLarge."""
    declared = by_mime(mime)
    if declared is None or declared.family not in ACCEPTED:
        raise UnsupportedMedia(f"{mime} is not accepted; send {ACCEPTED_WORDS}.", field="mime")
    if length > _limit(declared, intake.max_bytes):
        raise _too_large(_limit(declared, intake.max_bytes), "bytes")
    upload = _new(account_id, filename, declared, length)
    url = await intake.store.presign_put(_staging_key(upload), expires_s=PRESIGN_S)
    async with orm_session(intake.engine, account_id) as session:
        session.add(upload)
    return upload, url


async def complete(intake: Intake, account_id: UUID, upload_id: UUID) -> Upload:
    """Checks what was PUT and makes it usable; repeating it is harmless.

    Raises NotFound, Conflict (nothing there yet), and the errors of `receive`, after which it is rejected.
    """
    upload = await get(intake, account_id, upload_id)
    if upload.state == "ready":
        return upload
    if upload.state == "rejected":
        raise Conflict("This upload was refused; begin another one.")
    staged = await intake.store.head(_staging_key(upload))
    if staged is None:
        raise Conflict("There are no bytes yet: PUT them to the URL first.")
    try:
        if staged.bytes > intake.max_bytes:
            raise _too_large(intake.max_bytes, "bytes")
        chunks = intake.store.get_stream(_staging_key(upload))
        done = await _take_in(intake, upload, chunks)
    except PenstockError:
        await _save(intake, upload, state="rejected")
        await _forget(intake.store, [_staging_key(upload)])
        raise
    # After any other failure the bytes stay, so that completing it again finds them.
    await _forget(intake.store, [_staging_key(upload)])
    return done


async def receive(intake: Intake, account_id: UUID, *, filename: str, chunks: AsyncIterator[bytes]) -> Upload:
    """Takes the file from a stream. Raises UnsupportedMedia, PayloadTooLarge, InvalidInput (field `file`)."""
    upload = _new(account_id, filename, None, 0)
    return await _take_in(intake, upload, chunks)


async def get(intake: Intake, account_id: UUID, upload_id: UUID) -> Upload:
    """Raises NotFound, also for uploads of other accounts."""
    async with orm_session(intake.engine, account_id) as session:
        return await _load(session, upload_id)


async def delete(intake: Intake, account_id: UUID, upload_id: UUID) -> None:
    """Removes row and bytes. Generations that were made with it stay. Raises NotFound."""
    async with orm_session(intake.engine, account_id) as session:
        upload = await _load(session, upload_id)
        await session.delete(upload)
    await _forget(intake.store, [upload.key, _staging_key(upload)])


async def _load(session: AsyncSession, upload_id: UUID) -> Upload:
    upload = await session.get(Upload, upload_id)
    if upload is None:
        raise NotFound(f"There is no upload {upload_id}.")
    return upload


def _new(account_id: UUID, filename: str, media: MediaType | None, length: int) -> Upload:
    upload_id = new_id()
    return Upload(
        id=upload_id,
        account_id=account_id,
        state="pending",
        filename=safe_name(filename),
        key=upload_key(account_id, upload_id, media.ext if media else "bin"),
        mime=media.mime if media else "application/octet-stream",
        bytes=length,
        created_at=datetime.now(UTC),
    )


def _staging_key(upload: Upload) -> str:
    return f"users/{upload.account_id}/uploads/{upload.id}.staged"


async def _take_in(intake: Intake, upload: Upload, chunks: AsyncIterator[bytes]) -> Upload:
    """Spools, checks and stores the bytes, then writes the row: a ready upload always has its object."""
    with tempfile.TemporaryDirectory(prefix="penstock-upload-") as folder:
        path = Path(folder) / "file"
        media = await _spool(path, chunks, intake.max_bytes)
        checked = await _check(intake.executor, path, media)
        key = upload_key(upload.account_id, upload.id, checked.media.ext)
        await intake.store.put_stream(key, _read(checked.path), checked.bytes, checked.media.mime)
    return await _save(
        intake,
        upload,
        state="ready",
        key=key,
        mime=checked.media.mime,
        bytes=checked.bytes,
        sha256=checked.sha256,
        width=checked.width,
        height=checked.height,
        duration_s=checked.duration_s,
        completed_at=datetime.now(UTC),
    )


async def _save(intake: Intake, upload: Upload, **changes: object) -> Upload:
    async with orm_session(intake.engine, upload.account_id) as session:
        stored = await session.merge(upload)
        for name, value in changes.items():
            setattr(stored, name, value)
    return stored


async def _spool(path: Path, chunks: AsyncIterator[bytes], max_bytes: int) -> MediaType:
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
                raise _too_large(limit, "file")
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


def _too_large(limit: int, field: str) -> PayloadTooLarge:
    return PayloadTooLarge(f"The file is larger than {limit >> 20} MB.", field=field, limit_bytes=limit)


async def _check(executor: Executor, path: Path, media: MediaType) -> _Checked:
    """Has a child process decode it. Raises UnsupportedMedia, PayloadTooLarge, InvalidInput."""
    try:
        if media.family is Family.IMAGE:
            return await _clean_image(executor, path)
        target = "shared.media.sound:probe" if media.family is Family.AUDIO else "shared.media.video:probe"
        info: SoundInfo | VideoInfo = await executor.call(target, str(path), timeout_s=CHECK_TIMEOUT_S)
    except MediaError as error:
        raise _refused(error) from None
    except (ExecutorCrashed, TimeoutError):
        raise InvalidInput("The file cannot be decoded.", field="file", status=422) from None
    checked = await asyncio.to_thread(_measured, path, media)
    width, height = (info.width, info.height) if isinstance(info, VideoInfo) else (None, None)
    return replace(checked, width=width, height=height, duration_s=info.duration_s)


async def _clean_image(executor: Executor, path: Path) -> _Checked:
    image: CleanImage = await executor.call("shared.media.images:clean", str(path), timeout_s=CHECK_TIMEOUT_S)
    cleaned = path.with_name("clean")
    await asyncio.to_thread(cleaned.write_bytes, image.data)
    media = MediaType(image.mime, image.ext, Family.IMAGE)
    digest = hashlib.sha256(image.data).hexdigest()
    return _Checked(cleaned, media, len(image.data), digest, image.width, image.height)


def _measured(path: Path, media: MediaType) -> _Checked:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _Checked(path, media, path.stat().st_size, digest)


def _refused(error: MediaError) -> PenstockError:
    match error.code:
        case MediaFault.TOO_LARGE:
            return PayloadTooLarge(f"The file was refused: {error.message}.", field="file")
        case MediaFault.UNSUPPORTED_MEDIA:
            return UnsupportedMedia(f"The file was refused: {error.message}.", field="file")
    return InvalidInput(f"The file was refused: {error.message}.", field="file", status=422)


async def _read(path: Path) -> AsyncIterator[bytes]:
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    with file:
        while chunk := await asyncio.to_thread(file.read, WRITE_BYTES):
            yield chunk


async def _forget(store: ObjectStore, keys: list[str]) -> None:
    """Best effort: an object without a row is found and removed by maintenance."""
    with suppress(StorageError):
        await store.delete(keys)
