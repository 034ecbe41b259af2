"""Column builders that every table uses: one way to write a time, a document and a foreign account."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text


def moment(*, nullable: bool = True, now: bool = False) -> Column[Any]:
    """TIMESTAMPTZ, by default null; with `now`, NOT NULL DEFAULT now()."""
    default = text("now()") if now else None
    return Column(DateTime(timezone=True), nullable=nullable and not now, server_default=default)


def document(default: str | None = None, *, name: str | None = None) -> Column[Any]:
    """JSONB; NOT NULL when a default such as `{}` is given. `name` where it differs from the field's."""
    server_default = text(f"'{default}'::jsonb") if default is not None else None
    return Column(name, JSONB, nullable=default is None, server_default=server_default)


def nanos(*, default: int | None = None) -> Column[Any]:
    """BIGINT nano-dollars; NOT NULL when a default is given."""
    server_default = text(str(default)) if default is not None else None
    return Column(BigInteger, nullable=default is None, server_default=server_default)


def words() -> Column[Any]:
    """TEXT[] NOT NULL DEFAULT '{}'."""
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def account_ref() -> Column[Any]:
    """The owning account; its rows go with it."""
    return Column(Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False)
