"""Files that callers bring. Nothing becomes an input before its bytes were looked at (`shared.domains.upload_checks`).

A presigned upload lands beside its final place, so that its URL cannot change what was checked. One in parts is
put together there by `complete`. A row is there before the bytes are, so that no bytes are ever nobody's.
"""

import math
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from shared.domains import previews
from shared.domains.storage import no_room
from shared.domains.upload_checks import (
    Guard,
    check,
    declared_type,
    read,
    require_digest,
    spool,
    too_large,
)
from shared.domains.variants import with_variants
from shared.errors import Conflict, NotFound, PenstockError
from shared.executor import Executor
from shared.ids import new_id
from shared.media.sniff import MediaType
from shared.orm import orm_session
from shared.storage import ObjectMissing, ObjectStore, Part, StorageError, staging_key, upload_key
from shared.tables import Asset, Upload

MAX_FILENAME = 120
PRESIGN_S = 900
PARTS_PRESIGN_S = 6 * 3600
PART_BYTES = 16 << 20
MAX_PARTS = 1000
MEGABYTE = 1 << 20
SHOWN_PARTS = 20

_LIMIT = text("SELECT storage_limit_bytes FROM accounts WHERE id = :account")
# Those who add files wait for each other; admissions and everything else of the account do not.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('storage:' || :account, 0))")
_USED_BY_OTHERS = text("""
SELECT (SELECT coalesce(sum(bytes), 0) FROM outputs WHERE account_id = :account)::bigint
    + (SELECT coalesce(sum(bytes), 0) FROM uploads
       WHERE account_id = :account AND state <> 'rejected' AND id <> :upload)::bigint
""")


@dataclass(frozen=True, slots=True)
class Intake:
    """What uploads work with. `engine` is the application role's."""

    engine: AsyncEngine
    store: ObjectStore
    executor: Executor
    guard: Guard
    max_bytes: int
    max_multipart_bytes: int

    def limit_of(self, upload: Upload) -> int:
        return self.max_bytes if upload.multipart_id is None else self.max_multipart_bytes


@dataclass(frozen=True, slots=True)
class PartUrl:
    """Where a part goes: the `bytes` from `offset` on, by PUT to `url`."""

    n: int
    offset: int
    bytes: int
    url: str
    uploaded: bool


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
    intake: Intake, account_id: UUID, *, filename: str, mime: str, length: int, sha256: str | None = None
) -> tuple[Upload, str]:
    """A pending upload, and the URL to PUT its bytes to.

    Raises UnsupportedMedia, PayloadTooLarge, QuotaExceeded.
    """
    upload = _new(account_id, filename, declared_type(mime, length, intake.max_bytes), length, sha256=sha256)
    url = await intake.store.presign_put(_staging_key(upload), expires_s=PRESIGN_S)
    await _reserve(intake, upload)
    return upload, url


async def begin_parts(
    intake: Intake, account_id: UUID, *, filename: str, mime: str, length: int, sha256: str | None = None
) -> tuple[Upload, list[PartUrl]]:
    """The same for a large file, in parts. Their sizes are given: only the last one is shorter."""
    declared = declared_type(mime, length, intake.max_multipart_bytes)
    upload = _new(account_id, filename, declared, length, sha256=sha256)
    upload.multipart_id = await intake.store.begin_parts(_staging_key(upload), declared.mime)
    try:
        await _reserve(intake, upload)
    except BaseException:
        await _forget(intake.store, upload)
        raise
    return upload, await _part_urls(intake, upload, upload.multipart_id, ())


async def parts(intake: Intake, account_id: UUID, upload_id: UUID) -> list[PartUrl]:
    """Where its parts go, with fresh URLs, and which are there. Raises NotFound, Conflict."""
    upload = await get(intake, account_id, upload_id)
    if upload.multipart_id is None or upload.state != "pending":
        raise Conflict("This upload takes no parts.")
    try:
        there = await intake.store.parts(_staging_key(upload), upload.multipart_id)
    except ObjectMissing:
        raise Conflict("All parts of this upload are there: complete it.") from None
    return await _part_urls(intake, upload, upload.multipart_id, there)


async def complete(intake: Intake, account_id: UUID, upload_id: UUID) -> Upload:
    """Checks what was PUT and makes it usable; repeating it is harmless.

    Raises NotFound, Conflict (not all there yet), and the errors of `receive`, after which it is rejected unless
    the same may succeed later.
    """
    upload = await get(intake, account_id, upload_id)
    if upload.state == "ready":
        return upload
    if upload.state == "rejected":
        raise Conflict("This upload was refused; begin another one.")
    if upload.multipart_id is not None:
        await _join(intake.store, upload, upload.multipart_id)
    staged = await intake.store.head(_staging_key(upload))
    if staged is None:
        raise Conflict("There are no bytes yet: PUT them to the URL first.")
    try:
        if staged.bytes > intake.limit_of(upload):
            raise too_large(intake.limit_of(upload), "bytes")
        done = await _take_in(intake, upload, intake.store.get_stream(_staging_key(upload)))
    except PenstockError as error:
        if not error.retryable:
            await _save(intake, upload, state="rejected")
            await _forget(intake.store, upload)
        raise
    # After any other failure the bytes stay, so that completing it again finds them.
    with suppress(StorageError):
        await intake.store.delete([_staging_key(upload)])
    return done


async def receive(
    intake: Intake,
    account_id: UUID,
    *,
    filename: str,
    chunks: AsyncIterator[bytes],
    upload_id: UUID | None = None,
) -> Upload:
    """Takes the file from a stream; under an id of the caller's, doing it twice is harmless. Raises
    UnsupportedMedia, PayloadTooLarge, InvalidInput (field `file`), ContentBlocked, QuotaExceeded, Unavailable."""
    upload = _new(account_id, filename, None, 0, upload_id)
    async with orm_session(intake.engine, account_id) as session:
        await _require_room(session, upload, None)
    try:
        return await _take_in(intake, upload, chunks)
    except StorageError:
        async with orm_session(intake.engine, account_id) as session:
            kept = await session.get(Upload, upload.id)
            if kept is not None and kept.state == "pending":
                await session.delete(kept)
        raise


async def get(intake: Intake, account_id: UUID, upload_id: UUID) -> Upload:
    """Raises NotFound, also for uploads of other accounts."""
    async with orm_session(intake.engine, account_id) as session:
        return await _load(session, upload_id)


async def delete(intake: Intake, account_id: UUID, upload_id: UUID) -> None:
    """Removes row and bytes, and gives up one that is under way. Generations that were made with it stay.

    Raises NotFound, and Conflict for one that is in the library.
    """
    async with orm_session(intake.engine, account_id) as session:
        upload = await _load(session, upload_id)
        if await session.scalar(select(col(Asset.id)).where(col(Asset.upload_id) == upload_id)) is not None:
            raise Conflict("This upload is in the library: delete the asset instead.")
        await session.delete(upload)
    await _forget(intake.store, upload)


async def _load(session: AsyncSession, upload_id: UUID) -> Upload:
    upload = await session.get(Upload, upload_id)
    if upload is None:
        raise NotFound(f"There is no upload {upload_id}.")
    return upload


def _new(
    account_id: UUID,
    filename: str,
    media: MediaType | None,
    length: int,
    upload_id: UUID | None = None,
    sha256: str | None = None,
) -> Upload:
    upload_id = upload_id or new_id()
    return Upload(
        id=upload_id,
        account_id=account_id,
        state="pending",
        filename=safe_name(filename),
        key=upload_key(account_id, upload_id, media.ext if media else "bin"),
        mime=media.mime if media else "application/octet-stream",
        bytes=length,
        sha256=sha256,
        created_at=datetime.now(UTC),
    )


def _staging_key(upload: Upload) -> str:
    return staging_key(upload.account_id, upload.id)


def plan_parts(length: int) -> list[tuple[int, int, int]]:
    """Number, offset and size of each part: whole megabytes, at least 16, and at most a thousand of them.

    >>> plan_parts(20 << 20)
    [(1, 0, 16777216), (2, 16777216, 4194304)]
    """
    size = max(PART_BYTES, math.ceil(length / MAX_PARTS / MEGABYTE) * MEGABYTE)
    return [
        (n, offset, min(size, length - offset)) for n, offset in enumerate(range(0, length, size), start=1)
    ]


async def _part_urls(
    intake: Intake, upload: Upload, multipart_id: str, there: Sequence[Part]
) -> list[PartUrl]:
    key, sizes = _staging_key(upload), {part.n: part.bytes for part in there}
    return [
        PartUrl(
            n,
            offset,
            size,
            await intake.store.presign_part(key, multipart_id, n, expires_s=PARTS_PRESIGN_S),
            sizes.get(n) == size,
        )
        for n, offset, size in plan_parts(upload.bytes)
    ]


async def _join(store: ObjectStore, upload: Upload, multipart_id: str) -> None:
    """Makes one object of the parts; one that was made before is no error. Raises Conflict."""
    try:
        there = await store.parts(_staging_key(upload), multipart_id)
    except ObjectMissing:
        return
    sizes = {part.n: part.bytes for part in there}
    wanted = {n: size for n, _, size in plan_parts(upload.bytes)}
    wrong = [n for n, size in wanted.items() if sizes.get(n) != size]
    if wrong:
        shown = ", ".join(str(n) for n in wrong[:SHOWN_PARTS])
        raise Conflict(
            f"Of {len(wanted)} parts, {len(wrong)} are missing or have another length: {shown}.",
            parts=wrong[:SHOWN_PARTS],
        )
    await store.complete_parts(
        _staging_key(upload), multipart_id, [part for part in there if part.n in wanted]
    )


async def _take_in(intake: Intake, upload: Upload, chunks: AsyncIterator[bytes]) -> Upload:
    """Spools, checks and stores the bytes, then says so in the row: a ready upload always has its object."""
    with tempfile.TemporaryDirectory(prefix="penstock-upload-") as folder:
        path = Path(folder) / "file"
        media = await spool(path, chunks, intake.limit_of(upload))
        if upload.sha256 is not None:
            await require_digest(path, upload.sha256)
        await intake.guard.look_at(path)
        checked = await check(intake.executor, path, media)
        upload.key = upload_key(upload.account_id, upload.id, checked.media.ext)
        upload.mime, upload.bytes = checked.media.mime, checked.bytes
        await _reserve(intake, upload)
        await intake.store.put_stream(upload.key, read(checked.path), checked.bytes, checked.media.mime)
        shown = await previews.make(
            intake.executor, intake.store, checked.path, checked.media.family, upload.key
        )
    return await _save(
        intake,
        upload,
        **shown,
        state="ready",
        sha256=checked.sha256,
        width=checked.width,
        height=checked.height,
        duration_s=checked.duration_s,
        multipart_id=None,
        completed_at=datetime.now(UTC),
    )


async def _reserve(intake: Intake, upload: Upload) -> None:
    """Takes the room for its bytes and writes the pending row. Raises QuotaExceeded."""
    async with orm_session(intake.engine, upload.account_id) as session:
        await _require_room(session, upload, upload.bytes)
        row = insert(Upload).values(upload.model_dump())
        kept = {name: row.excluded[name] for name in ("key", "mime", "bytes")}
        # One that another request has made ready meanwhile, by the same id, is left alone.
        await session.execute(
            row.on_conflict_do_update(index_elements=["id"], set_=kept, where=col(Upload.state) == "pending")
        )


async def _require_room(session: AsyncSession, upload: Upload, needed: int | None) -> None:
    """Makes sure that so many bytes fit, until the end of the transaction. Raises QuotaExceeded."""
    limit = await session.scalar(_LIMIT, {"account": upload.account_id})
    if limit is None:
        return
    await session.execute(_LOCK, {"account": str(upload.account_id)})
    asked = {"account": upload.account_id, "upload": upload.id}
    used = (await session.execute(_USED_BY_OTHERS, asked)).scalar_one()
    if used >= limit or used + (needed or 0) > limit:
        raise no_room(limit, used, needed)


async def _save(intake: Intake, upload: Upload, **changes: object) -> Upload:
    async with orm_session(intake.engine, upload.account_id) as session:
        stored = await session.merge(upload)
        for name, value in changes.items():
            setattr(stored, name, value)
    return stored


async def _forget(store: ObjectStore, upload: Upload) -> None:
    """Best effort: what a row that is pending or rejected leaves behind, maintenance removes."""
    with suppress(StorageError):
        if upload.multipart_id is not None:
            await store.abort_parts(_staging_key(upload), upload.multipart_id)
        await store.delete(
            [*with_variants(upload.key), *previews.preview_keys(upload.key), _staging_key(upload)]
        )
