"""The object store: any S3. aiobotocore signs, lists and deletes; bytes stream through presigned URLs.

`ObjectStore.open` is the bucket of generations and uploads; `within` gives the others, on the same connections.

What a key's content type and name are is kept in Postgres and put into the signed URL: not every S3 keeps
metadata.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from shared.buckets import Bucket, Place
from shared.s3 import Connection, Patience
from shared.settings import Settings

PART_BYTES = 8 << 20
SINGLE_PUT_BYTES = 1 << 30
CHUNK_BYTES = 1 << 16
PIECE_BYTES = 1 << 18
"""What is sent at once: no more than a slow store takes within its patience."""
DELETE_BATCH = 1000
STAGED = "staged"
PATIENCE = Patience()
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})


class StorageError(Exception):
    """The object store failed or is away; the same call may succeed later."""


class ObjectMissing(StorageError):
    """There is no object under this key."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload in parts, as the store has it. `n` counts from 1."""

    n: int
    bytes: int
    etag: str


class ObjectStore:
    """One bucket. Connects when first used, so that a process that stores nothing holds nothing."""

    def __init__(self, settings: Settings, connection: Connection, place: Place) -> None:
        self._settings = settings
        self._connection = connection
        self._bucket = place.bucket
        self._prefix = place.prefix

    @classmethod
    def open(
        cls, settings: Settings, bucket: Bucket = Bucket.ASSETS, *, patience: Patience = PATIENCE
    ) -> Self:
        return cls(settings, Connection(settings, patience), place_of(settings, bucket))

    def within(self, bucket: Bucket) -> "ObjectStore":
        """Another bucket on the same connections, which close with this one."""
        return ObjectStore(self._settings, self._connection, place_of(self._settings, bucket))

    async def close(self) -> None:
        await self._connection.stack.aclose()

    async def ensure_bucket(self) -> None:
        """Makes the bucket if it is not there. Raises StorageError."""
        try:
            await self.ping()
        except ObjectMissing:
            try:
                await self._call("create_bucket")
            except StorageError as error:
                if "BucketAlready" not in str(error):  # made by another process meanwhile
                    raise

    async def ping(self) -> None:
        """Raises StorageError when the bucket cannot be reached."""
        await self._call("head_bucket")

    async def lets_in(self, origin: str) -> bool:
        """Whether pages of this origin may PUT into the bucket, as their browsers ask before they do. Raises
        StorageError."""
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type",
        }
        url = await self.presign_put("cors")
        http = await self._connection.http()
        try:
            async with http.options(url, headers=asked) as answer:
                told = {
                    name: answer.headers.get(f"Access-Control-Allow-{name}", "")
                    .lower()
                    .replace(" ", "")
                    .split(",")
                    for name in ("Origin", "Methods", "Headers")
                }
                wanted = {"Origin": origin.lower(), "Methods": "put", "Headers": "content-type"}
                return answer.ok and all(
                    "*" in told[name] or word in told[name] for name, word in wanted.items()
                )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StorageError(f"OPTIONS failed: {type(error).__name__}") from error

    async def presign_get(
        self, key: str, *, expires_s: int = 900, mime: str | None = None, download_name: str | None = None
    ) -> str:
        """A URL that reads the object; with a name, browsers save it under that name."""
        params = {"Bucket": self._bucket, "Key": self._prefix + key}
        if mime is not None:
            params["ResponseContentType"] = mime
        if download_name is not None:
            params["ResponseContentDisposition"] = f'attachment; filename="{download_name}"'
        return await self._presign("get_object", params, expires_s)

    async def presign_put(self, key: str, *, expires_s: int = 900) -> str:
        """A URL that writes the object with one PUT."""
        return await self._presign(
            "put_object", {"Bucket": self._bucket, "Key": self._prefix + key}, expires_s
        )

    async def begin_parts(self, key: str, mime: str) -> str:
        """Begins an upload in parts; returns the store's name for it. Nothing is there before it is completed."""
        started = await self._call("create_multipart_upload", Key=key, ContentType=mime)
        return str(started["UploadId"])

    async def presign_part(self, key: str, upload: str, n: int, *, expires_s: int = 900) -> str:
        """A URL that writes one part with one PUT; repeating it replaces the part."""
        params = {"Bucket": self._bucket, "Key": self._prefix + key, "UploadId": upload, "PartNumber": n}
        return await self._presign("upload_part", params, expires_s)

    async def parts(self, key: str, upload: str) -> list[Part]:
        """The parts that are there, in order. Raises ObjectMissing when there is no such upload any more."""
        found: list[Part] = []
        after, more = 0, True
        while more:
            page = await self._call("list_parts", Key=key, UploadId=upload, PartNumberMarker=after)
            found += [Part(part["PartNumber"], part["Size"], part["ETag"]) for part in page.get("Parts", ())]
            after, more = page.get("NextPartNumberMarker") or 0, bool(page.get("IsTruncated"))
        return found

    async def complete_parts(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Makes one object of the parts; no URL of a part works after it."""
        wanted = [{"PartNumber": part.n, "ETag": part.etag} for part in parts]
        await self._join({"Key": key, "UploadId": upload}, wanted)

    async def abort_parts(self, key: str, upload: str) -> None:
        """Gives up an upload in parts and what it holds; one that is over is no error."""
        with suppress(ObjectMissing):
            await self._call("abort_multipart_upload", Key=key, UploadId=upload)

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], length: int | None, mime: str) -> int:
        """Stores the stream without holding it; returns the bytes written. Raises StorageError.

        What the stream itself raises comes through unchanged, and no object is left.
        """
        if length is not None and length <= SINGLE_PUT_BYTES:
            return await self._put_single(key, chunks, length, mime)
        parts = _regroup(chunks, PART_BYTES)
        first = await anext(parts)
        if len(first) < PART_BYTES:
            await self.put_bytes(key, first, mime)
            return len(first)
        return await self._put_parts(key, first, parts, mime)

    async def put_bytes(self, key: str, data: bytes, mime: str) -> None:
        await self._call("put_object", Key=key, Body=data, ContentType=mime)

    async def get_stream(
        self, key: str, start: int | None = None, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """The object's bytes from `start` to `end`, both included. Raises ObjectMissing, StorageError."""
        headers = {} if start is None else {"Range": f"bytes={start}-{'' if end is None else end}"}
        url = await self.presign_get(key)
        http = await self._connection.http()
        try:
            async with http.get(url, headers=headers) as response:
                if response.status == 404:
                    raise ObjectMissing(key)
                if response.status not in {200, 206}:
                    raise StorageError(f"GET answered {response.status}")
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StorageError(f"GET failed: {type(error).__name__}") from error

    async def get_bytes(self, key: str) -> bytes:
        """A small object as a whole. Raises ObjectMissing, StorageError."""
        return b"".join([chunk async for chunk in self.get_stream(key)])

    async def head(self, key: str) -> ObjectInfo | None:
        try:
            answer = await self._call("head_object", Key=key)
        except ObjectMissing:
            return None
        return ObjectInfo(answer["ContentLength"], answer["ETag"].strip('"'))

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes the objects; keys that are not there are no error."""
        for start in range(0, len(keys), DELETE_BATCH):
            objects = [{"Key": self._prefix + key} for key in keys[start : start + DELETE_BATCH]]
            await self._call("delete_objects", Delete={"Objects": objects, "Quiet": True})

    async def _put_single(self, key: str, chunks: AsyncIterator[bytes], length: int, mime: str) -> int:
        url = await self.presign_put(key)
        http = await self._connection.http()
        headers = {"Content-Length": str(length), "Content-Type": mime}
        source = _Source(chunks, self._connection.patience.silence_s)
        try:
            async with source.patience(), http.put(url, data=source.read(), headers=headers) as answer:
                if answer.status not in {200, 201, 204}:
                    raise StorageError(f"PUT answered {answer.status}")
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            # aiohttp makes a connection error of whatever the stream raises.
            if source.error is not None:
                raise source.error from None
            raise StorageError(f"PUT failed: {type(error).__name__}") from error
        return length

    async def _put_parts(self, key: str, first: bytes, others: AsyncIterator[bytes], mime: str) -> int:
        started = await self._call("create_multipart_upload", Key=key, ContentType=mime)
        upload = {"Key": key, "UploadId": started["UploadId"]}
        parts: list[dict[str, Any]] = []
        total = 0
        try:
            async for part in _led_by(first, others):
                number = len(parts) + 1
                answer = await self._call("upload_part", **upload, PartNumber=number, Body=part)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                total += len(part)
            await self._join(upload, parts)
        except BaseException:
            with suppress(StorageError):
                await asyncio.shield(self._call("abort_multipart_upload", **upload))
            raise
        return total

    async def _join(self, upload: Mapping[str, str], parts: Sequence[Mapping[str, Any]]) -> None:
        await self._call(
            "complete_multipart_upload", within_s=self._connection.patience.joining_s,
            **upload, MultipartUpload={"Parts": parts},
        )  # fmt: skip

    async def _presign(self, operation: str, params: dict[str, Any], expires_s: int) -> str:
        client = await self._connection.s3()
        return str(await client.generate_presigned_url(operation, Params=params, ExpiresIn=expires_s))

    async def _call(self, operation: str, *, within_s: float | None = None, **params: Any) -> Any:
        client = await self._connection.s3()
        if self._prefix and "Key" in params:
            params["Key"] = self._prefix + params["Key"]
        within_s = within_s or self._connection.patience.for_body(len(params.get("Body", b"")))
        try:
            async with asyncio.timeout(within_s):
                return await getattr(client, operation)(Bucket=self._bucket, **params)
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                raise ObjectMissing(params.get("Key", self._bucket)) from error
            raise StorageError(f"{operation}: {error.response['Error']['Code']}") from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise StorageError(f"{operation}: {type(error).__name__}") from error


class _Source:
    """A stream on its way out, and the error that it ended with.

    How long the stream itself takes is not the store's fault, and how long its answer takes is bounded by aiohttp, but
    only after the last byte.
    """

    def __init__(self, chunks: AsyncIterator[bytes], silence_s: float) -> None:
        self._chunks = chunks
        self._silence_s = silence_s
        self._offered_at: float | None = None
        self._stall = asyncio.timeout(None)
        self.error: Exception | None = None

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Around the request: raises TimeoutError when the store takes nothing for `silence_s`."""
        self._look()
        try:
            async with self._stall:
                yield
        finally:
            self._watch.cancel()

    async def read(self) -> AsyncIterator[bytes | memoryview]:
        loop = asyncio.get_running_loop()
        try:
            async for chunk in self._chunks:
                for piece in _pieces(chunk):
                    self._offered_at = loop.time()
                    yield piece
                    self._offered_at = None
        except Exception as error:
            self.error = error
            raise

    def _look(self) -> None:
        """Now and then: a timer for each piece would cost more than to hash it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        until = (self._offered_at or now) + self._silence_s
        if until > now:
            self._watch = loop.call_at(until, self._look)
        else:
            self._stall.reschedule(now)


def _pieces(chunk: bytes) -> Iterator[bytes | memoryview]:
    """No more at once than a slow store takes within its patience."""
    if len(chunk) <= PIECE_BYTES:
        yield chunk
        return
    whole = memoryview(chunk)
    for start in range(0, len(chunk), PIECE_BYTES):
        yield whole[start : start + PIECE_BYTES]


async def _led_by(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in others:
        yield part


async def _regroup(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The same bytes in parts of `size`, the last one shorter; at least one part."""
    buffer = bytearray()
    sent = False
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= size:
            yield bytes(buffer[:size])
            del buffer[:size]
            sent = True
    if buffer or not sent:
        yield bytes(buffer)


def place_of(settings: Settings, bucket: Bucket) -> Place:
    """Where the settings put a bucket."""
    if bucket is Bucket.ASSETS:
        return Place(settings.s3_bucket)
    if bucket in settings.buckets:
        return Place.parse(settings.buckets[bucket])
    if settings.bucket_prefix is not None:
        return Place(f"{settings.bucket_prefix}{bucket}")
    return Place(settings.s3_bucket, f"{bucket}/")


def generation_key(account_id: object, generation_id: object, name: str) -> str:
    """Where a generation's file lies. The same file always has the same key, so storing twice is harmless."""
    return f"users/{account_id}/generations/{generation_id}/{name}"


def upload_key(account_id: object, upload_id: object, ext: str) -> str:
    return f"users/{account_id}/uploads/{upload_id}.{ext}"


def preview_key(key: str, name: str) -> str:
    """Where something that is made from an upload lies, beside it: `….png.thumb.webp`."""
    return f"{key}.{name}"


def staging_key(account_id: object, upload_id: object) -> str:
    """Where a file waits to be checked; nobody may read it there."""
    return upload_key(account_id, upload_id, STAGED)
