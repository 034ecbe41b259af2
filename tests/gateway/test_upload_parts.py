"""Large files in parts, straight to the object store."""

import hashlib
import io
import wave
from typing import Any

import pytest

from shared.domains import uploads
from tests.gateway.api import Api

UPLOADS = "/api/v1/uploads"
PART = 256 << 10


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)
    monkeypatch.setattr(uploads, "MEGABYTE", PART)


@pytest.fixture(scope="module")
def song() -> bytes:
    """A little more than two parts, and more than an ordinary upload may be here."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(5 * PART))
    return out.getvalue()


async def _begin(api: Api, content: bytes, **options: Any) -> dict[str, Any]:
    asked = {"filename": "song.wav", "mime": "audio/wav", "bytes": len(content), "multipart": True}
    answer = await api.post(UPLOADS, asked | options)
    assert answer.status == 201, answer.content
    begun: dict[str, Any] = answer.json
    return begun


async def _put(api: Api, part: dict[str, Any], content: bytes) -> None:
    data = content[part["offset"] : part["offset"] + part["bytes"]]
    async with api.gateway.http.put(part["url"], data=data) as answer:
        assert answer.status == 200


async def test_a_large_file_in_parts(api: Api, song: bytes) -> None:
    begun = await _begin(api, song, sha256=hashlib.sha256(song).hexdigest())
    path, parts = f"{UPLOADS}/{begun['upload']['id']}", begun["parts"]
    assert len(song) > api.gateway.deps.settings.max_upload_bytes
    assert [part["bytes"] for part in parts] == [PART] * 5 + [44]
    for part in reversed(parts[1:]):
        await _put(api, part, song)
    early = await api.post(f"{path}/complete")
    assert early.problem[:2] == (409, "CONFLICT")
    assert early.json["details"] == {"parts": [1]}
    now = (await api.get(f"{path}/parts")).json["parts"]
    assert [part["uploaded"] for part in now] == [False, True, True, True, True, True]
    await _put(api, now[0], song)
    done = await api.post(f"{path}/complete")
    assert (done.status, done.json["status"], done.json["mime"]) == (200, "ready", "audio/wav")
    assert (done.json["bytes"], done.json["sha256"]) == (len(song), hashlib.sha256(song).hexdigest())
    assert (await api.post(f"{path}/complete")).content == done.content
    key = f"users/{api.account_id}/uploads/{begun['upload']['id']}"
    assert await api.gateway.deps.store.get_bytes(f"{key}.wav") == song
    assert await api.gateway.deps.store.head(f"{key}.staged") is None


@pytest.mark.parametrize(
    ("content", "sha256", "status", "code", "field"),
    [
        (b"<html>" * 1000, None, 415, "UNSUPPORTED_MEDIA", "file"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(400), "0" * 64, 422, "INVALID_INPUT", "sha256"),
    ],
)
async def test_what_arrives_is_checked(
    api: Api, content: bytes, sha256: str | None, status: int, code: str, field: str
) -> None:
    begun = await _begin(api, content, sha256=sha256)
    await _put(api, begun["parts"][0], content)
    path = f"{UPLOADS}/{begun['upload']['id']}"
    assert (await api.post(f"{path}/complete")).problem == (status, code, field)
    assert (await api.get(path)).json["status"] == "rejected"
    assert (await api.get(f"{path}/parts")).problem[:2] == (409, "CONFLICT")


async def test_a_part_of_another_length_is_named(api: Api, song: bytes) -> None:
    begun = await _begin(api, song[: PART + 10])
    await _put(api, begun["parts"][0], song)
    async with api.gateway.http.put(begun["parts"][1]["url"], data=b"short") as answer:
        assert answer.status == 200
    early = await api.post(f"{UPLOADS}/{begun['upload']['id']}/complete")
    assert early.json["details"] == {"parts": [2]}


async def test_an_upload_is_given_up(api: Api, other: Api, song: bytes) -> None:
    begun = await _begin(api, song)
    path = f"{UPLOADS}/{begun['upload']['id']}"
    await _put(api, begun["parts"][0], song)
    for denied in (await other.get(f"{path}/parts"), await other.delete(path)):
        assert denied.problem[:2] == (404, "NOT_FOUND")
    assert (await api.delete(path)).status == 204
    async with api.gateway.http.put(begun["parts"][1]["url"], data=b"x" * PART) as late:
        assert late.status == 404


async def test_there_is_a_limit_here_too(api: Api) -> None:
    limit = api.gateway.deps.settings.max_multipart_bytes
    asked = {"filename": "a.wav", "mime": "audio/wav", "bytes": limit + 1, "multipart": True}
    assert (await api.post(UPLOADS, asked)).problem == (413, "PAYLOAD_TOO_LARGE", "bytes")
