"""What a file is, by its first bytes; names and declared types are not asked.

An allow-list: what is not recognised here is not accepted. Markup that browsers run (SVG, HTML) is left
out on purpose. Light enough for an event loop.
"""

from dataclasses import dataclass
from enum import StrEnum

HEAD_BYTES = 512
"""As much of a file as `sniff` can make use of."""


class Family(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class MediaType:
    """`ext` is without its dot."""

    mime: str
    ext: str
    family: Family


PNG = MediaType("image/png", "png", Family.IMAGE)
JPEG = MediaType("image/jpeg", "jpg", Family.IMAGE)
WEBP = MediaType("image/webp", "webp", Family.IMAGE)
GIF = MediaType("image/gif", "gif", Family.IMAGE)
AVIF = MediaType("image/avif", "avif", Family.IMAGE)
MP3 = MediaType("audio/mpeg", "mp3", Family.AUDIO)
WAV = MediaType("audio/wav", "wav", Family.AUDIO)
OGG = MediaType("audio/ogg", "ogg", Family.AUDIO)
FLAC = MediaType("audio/flac", "flac", Family.AUDIO)
AAC = MediaType("audio/aac", "aac", Family.AUDIO)
M4A = MediaType("audio/mp4", "m4a", Family.AUDIO)
MP4 = MediaType("video/mp4", "mp4", Family.VIDEO)
WEBM = MediaType("video/webm", "webm", Family.VIDEO)
WEBA = MediaType("audio/webm", "weba", Family.AUDIO)
PDF = MediaType("application/pdf", "pdf", Family.DOCUMENT)
EPUB = MediaType("application/epub+zip", "epub", Family.DOCUMENT)
ZIP = MediaType("application/zip", "zip", Family.ARCHIVE)

MEDIA_TYPES = (PNG, JPEG, WEBP, GIF, AVIF, MP3, WAV, OGG, FLAC, AAC, M4A, MP4, WEBM, WEBA, PDF, EPUB, ZIP)

_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"ID3", MP3),
    (b"OggS", OGG),
    (b"fLaC", FLAC),
    (b"%PDF-", PDF),
)
_RIFF_FORMS = {b"WEBP": WEBP, b"WAVE": WAV}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"MSNV",
}
SOUND_IN = {MP4: M4A, WEBM: WEBA}
"""What a container of films is when there is only sound in it, as browsers record it."""

_EPUB_MARK = b"mimetypeapplication/epub+zip"


def sniff(head: bytes) -> MediaType | None:
    """The type that `head`, the first bytes of a file, belongs to; None when it is not on the list."""
    for prefix, media_type in _PREFIXES:
        if head.startswith(prefix):
            return media_type
    if head.startswith(b"RIFF"):
        return _RIFF_FORMS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"webm" in head[:64] else None
    if head.startswith(b"PK\x03\x04"):
        return EPUB if head[30:58] == _EPUB_MARK else ZIP
    return _bare_frames(head)


def by_mime(mime: str) -> MediaType | None:
    """The accepted type of this name; parameters (`; codecs=…`) are ignored."""
    name = mime.partition(";")[0].strip().lower()
    return next((media_type for media_type in MEDIA_TYPES if media_type.mime == name), None)


def _iso_media(head: bytes) -> MediaType | None:
    brand = head[8:12]
    if brand in (b"avif", b"avis"):
        return AVIF
    if brand in (b"M4A ", b"M4B "):
        return M4A
    return MP4 if brand in _MP4_BRANDS else None


def _bare_frames(head: bytes) -> MediaType | None:
    """MPEG audio without a container: eleven set bits, then fields of which some values are reserved."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if head[1] & 0xF6 == 0xF0:
        return AAC
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    is_mp3 = head[1] & 0xE0 == 0xE0 and version != 1 and layer == 1 and 0 < bitrate < 15 and rate != 3
    return MP3 if is_mp3 else None
