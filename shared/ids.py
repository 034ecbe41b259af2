"""Identifiers: UUIDv7, whose order is the order of creation."""

import uuid
from uuid import UUID

from uuid_utils.compat import uuid7

PENSTOCK_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:penstock")


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562)."""
    return uuid7()


def derived_id(*parts: object) -> UUID:
    """A UUIDv5 that is the same for the same parts."""
    return uuid.uuid5(PENSTOCK_NAMESPACE, "/".join(str(part) for part in parts))


def parse_id(text: str) -> UUID | None:
    """The UUID that `text` is in canonical form, or None."""
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
