"""The one error that work on media may end with by design."""

from enum import StrEnum


class MediaFault(StrEnum):
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    """Not a type that is accepted, whatever its name says."""
    CORRUPT = "CORRUPT"
    """An accepted type that cannot be decoded."""
    TOO_LARGE = "TOO_LARGE"
    """More bytes, pixels, seconds or memory than the limits allow."""


class MediaError(Exception):
    """The file is at fault, not the code: trying again will not help.

    `message` is for people and names no paths.
    """

    def __init__(self, code: MediaFault | str, message: str) -> None:
        super().__init__(code, message)
        self.code = MediaFault(code)
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
