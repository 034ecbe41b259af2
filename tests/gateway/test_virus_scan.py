"""Uploads past a virus scanner."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shared.antivirus import Scanner, ScannerFailed
from shared.settings import Settings, VirusScan
from tests.emulators.clamd import EICAR, NAME, ClamdEmulator
from tests.gateway.api import Api, Gateway, Response, open_gateway, picture

type Open = Callable[..., AbstractAsyncContextManager[Api]]


def _infected() -> bytes:
    note = PngInfo()
    note.add_text("comment", EICAR.decode())
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=note)
    return out.getvalue()


@pytest.fixture
async def clamd() -> AsyncIterator[ClamdEmulator]:
    async with ClamdEmulator(max_bytes=200_000) as running:
        yield running


@pytest.fixture
def guarded(settings: Settings, served: Gateway, clamd: ClamdEmulator) -> Open:
    """Opens a gateway with this scanner, and a client of a fresh account."""

    @asynccontextmanager
    async def opened(mode: str = "block", url: str | None = None) -> AsyncIterator[Api]:
        changes = {"clamav_url": url or clamd.url, "virus_scan": VirusScan(mode)}
        async with open_gateway(settings.model_copy(update=changes)) as gateway:
            yield await gateway.account()

    return opened


async def _send(api: Api, content: bytes) -> Response:
    form = aiohttp.FormData()
    form.add_field("file", io.BytesIO(content), filename="a.png")
    return await api.post("/api/v1/uploads:direct", data=form)


@pytest.mark.parametrize(("mode", "status", "scans"), [("block", 422, 1), ("warn", 201, 1), ("off", 201, 0)])
async def test_a_virus(guarded: Open, clamd: ClamdEmulator, mode: str, status: int, scans: int) -> None:
    async with guarded(mode) as api:
        answer = await _send(api, _infected())
        assert answer.status == status
        assert len(clamd.scanned) == scans
        if mode == "block":
            assert answer.problem == (422, "CONTENT_BLOCKED", "file")
            assert answer.json["details"] == {"stage": "input", "virus": NAME}
        assert (await _send(api, picture())).status == 201


async def test_a_presigned_upload_with_a_virus_is_rejected(guarded: Open) -> None:
    content = _infected()
    async with guarded() as api:
        asked = {"filename": "a.png", "mime": "image/png", "bytes": len(content)}
        begun = (await api.post("/api/v1/uploads", asked)).json
        async with api.gateway.http.put(begun["put"]["url"], data=content) as put:
            assert put.status == 200
        path = f"/api/v1/uploads/{begun['upload']['id']}"
        assert (await api.post(f"{path}/complete")).problem[:2] == (422, "CONTENT_BLOCKED")
        assert (await api.get(path)).json["status"] == "rejected"


@pytest.mark.parametrize(("mode", "status"), [("block", 503), ("warn", 201)])
async def test_without_the_scanner(guarded: Open, mode: str, status: int) -> None:
    async with guarded(mode, "tcp://127.0.0.1:1") as api:
        assert (await _send(api, picture())).status == status
        ready = await api.get("/readyz")
        assert ready.status == 200
        assert (ready.json["degraded"], ready.json["checks"]["virus_scanner"]["status"]) == (True, "down")


async def test_a_scanner_that_fails_or_finds_it_too_large(guarded: Open, clamd: ClamdEmulator) -> None:
    noise = io.BytesIO()
    Image.effect_noise((500, 500), 100).save(noise, "PNG")
    assert len(noise.getvalue()) > 200_000
    async with guarded() as api:
        assert (await _send(api, noise.getvalue())).problem == (413, "PAYLOAD_TOO_LARGE", "file")
        clamd.broken = True
        assert (await _send(api, picture())).problem[:2] == (503, "UNAVAILABLE")
        assert (await api.get("/readyz")).json["checks"]["virus_scanner"]["status"] == "up"


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b""
        yield EICAR[:20]
        yield EICAR[20:]

    async with ClamdEmulator(tmp_path / "clamd.ctl") as clamd:
        scanner = Scanner(clamd.url)
        await scanner.ping()
        # The pieces are one file, and an empty one is not its end.
        assert await scanner.scan(content()) == NAME
    with pytest.raises(ScannerFailed):
        await scanner.ping()


@pytest.mark.parametrize("url", ["http://clamd:3310", "tcp://clamd", "unix://", "clamd:3310"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="must be tcp://HOST:PORT or unix:///PATH"):
        Settings(_env_file=None, clamav_url=url)
