"""A folder of built files, read once, and what of it a request gets: the right encoding, or 304."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from aiohttp import web

IMMUTABLE = "public, max-age=31536000, immutable"
ENCODINGS = {".br": "br", ".gz": "gzip"}
"""How a file's encoded twins end; the first that a caller takes is sent."""

_MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file; `encoded` has its twins by content coding, best first."""

    content: bytes
    media: str
    encoded: Mapping[str, bytes]
    etag: str

    def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """200 in the best encoding that the caller takes, or 304."""
        sent = {**headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if self.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=sent)
        coding, content = self._best(request.headers.get("Accept-Encoding", ""))
        if coding is not None:
            sent["Content-Encoding"] = coding
        return web.Response(body=content, headers={**sent, "Content-Type": self.media})

    def _best(self, accepted: str) -> tuple[str | None, bytes]:
        taken = codings(accepted)
        for coding, content in self.encoded.items():
            if coding in taken:
                return coding, content
        return None, self.content


def static_file(name: str, content: bytes, encoded: Mapping[str, bytes] = MappingProxyType({})) -> StaticFile:
    suffix = Path(name).suffix
    media = _MEDIA.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:20]}"'
    return StaticFile(content, media, encoded, etag)


def read_folder(folder: Path) -> dict[str, StaticFile]:
    """All files below `folder` by their path in it; empty when there is no such folder."""
    found: dict[str, StaticFile] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in ENCODINGS and not path.name.startswith("."):
            found[path.relative_to(folder).as_posix()] = static_file(
                path.name, path.read_bytes(), _twins(path)
            )
    return found


def _twins(path: Path) -> dict[str, bytes]:
    twins = {coding: path.with_name(path.name + end) for end, coding in ENCODINGS.items()}
    return {coding: twin.read_bytes() for coding, twin in twins.items() if twin.is_file()}


def codings(accepted: str) -> set[str]:
    """The content codings of an Accept-Encoding header that are not refused with q=0."""
    taken: set[str] = set()
    for part in accepted.lower().split(","):
        coding, _, quality = part.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            taken.add(coding.strip())
    return taken
