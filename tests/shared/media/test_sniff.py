import subprocess
import sys

import pytest

from shared.media.sniff import by_mime, sniff

HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "gif": b"GIF89a\x01\0\x01\0",
    "avif": b"\0\0\0\x20ftypavif\0\0\0\0",
    "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "ogg": b"OggS\0\x02",
    "flac": b"fLaC\0\0\0\x22",
    "mp3": b"ID3\x04\0\0\0\0\0\0",
    "aac": b"\xff\xf1\x50\x80",
    "m4a": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "mp4": b"\0\0\0\x20ftypisom\0\0\x02\0",
    "webm": b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
    "pdf": b"%PDF-1.7\n",
    "epub": b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/epub+zip",
    "zip": b"PK\x03\x04" + b"\0" * 40,
}


@pytest.mark.parametrize("ext", HEADS)
def test_knows_what_it_accepts(ext: str) -> None:
    found = sniff(HEADS[ext] + b"\0" * 64)
    assert found is not None
    assert found.ext == ext


def test_mp3_without_a_tag() -> None:
    found = sniff(b"\xff\xfb\x90\x64" + b"\0" * 60)
    assert found is not None
    assert found.mime == "audio/mpeg"


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<?xml version='1.0'?><svg>",
        b"<!DOCTYPE html><html>",
        b"\xef\xbb\xbf<html>",
        b"MZ\x90\0",
        b"#!/bin/sh\n",
        b"RIFF\x24\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska",
        b"\xff\xff\xff\xff",
        b"\xff\xd8",
        b"",
    ],
)
def test_refuses_the_rest(head: bytes) -> None:
    assert sniff(head) is None


def test_finds_a_type_by_its_name() -> None:
    found = by_mime("Audio/OGG; codecs=opus")
    assert found is not None
    assert found.ext == "ogg"
    assert by_mime("image/svg+xml") is None


def test_imports_nothing_heavy() -> None:
    script = "import sys, shared.media.sniff; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "PIL", "av", "filetype"} & set(loaded.split())
