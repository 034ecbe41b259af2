"""The names under which files are known, whatever the object store's buckets are called.

Rows and addresses name a bucket of this list and a key; settings say where that lies: in a bucket of its own
(BUCKETS, or BUCKET_PREFIX before the name), or as a folder of S3_BUCKET when they say nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

MAX_KEY = 1024


class Bucket(StrEnum):
    """`penstock-assets` holds generations and uploads, the others what the products keep under fixed keys."""

    ASSETS = "penstock-assets"
    MUSIC = "r3al-studio-music"
    WRITING = "r3al-writers-guild"
    IMAGES = "r3al-premium-images"
    TACTICAL = "r3al-tactical-secure"
    MEDIA = "r3al-user-media"

    @property
    def has_addresses(self) -> bool:
        """Whether its files may be read at `/cdn/…`. Tactical ones pass a clearance and an audit first."""
        return self is not Bucket.TACTICAL


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket of the object store, and what its keys begin with: nothing, or a folder and a slash."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`bucket`, or `bucket/folder`."""
        bucket, _, folder = text.strip("/").partition("/")
        return cls(bucket, f"{folder}/" if folder else "")


def is_safe_key(key: str) -> bool:
    """Whether a key that came from outside names one object and no way to another.

    >>> is_safe_key("users/a/../b"), is_safe_key("users/a/b.png")
    (False, True)
    """
    if not key or len(key.encode(errors="replace")) > MAX_KEY or not key.isprintable() or "\\" in key:
        return False
    return all(part not in ("", ".", "..") for part in key.split("/"))
