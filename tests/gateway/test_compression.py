"""Large answers are sent small to whoever takes that."""

import gzip

import aiohttp
import pytest

from gateway.compression import WORTHWHILE_BYTES
from tests.gateway.api import Api


@pytest.mark.parametrize("path", ["/api/openapi.json", "/docs/docs.js"])
async def test_large_ones_are_compressed_and_say_the_same(nobody: Api, path: str) -> None:
    async with aiohttp.ClientSession(nobody.gateway.url, auto_decompress=False) as http:
        async with http.get(path, headers={"Accept-Encoding": "gzip, br"}) as answer:
            small = await answer.read()
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["Vary"]
            assert answer.headers["Content-Length"] == str(len(small))
        async with http.get(path, headers={"Accept-Encoding": "gzip;q=0"}) as answer:
            plain = await answer.read()
            assert "Content-Encoding" not in answer.headers
            assert "Accept-Encoding" in answer.headers["Vary"]
    assert gzip.decompress(small) == plain
    assert len(small) * 2 < len(plain)


async def test_small_ones_are_left_as_they_are(nobody: Api) -> None:
    asked = {"Accept-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession(nobody.gateway.url, auto_decompress=False) as http,
        http.get("/api/errors/not-found", headers=asked) as answer,
    ):
        assert len(await answer.read()) < WORTHWHILE_BYTES
        assert "Content-Encoding" not in answer.headers
        assert "Vary" not in answer.headers
