"""What accounts bring along and wish for: their own keys for providers, and how their requests are routed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment


class UserApiKey(SQLModel, table=True):
    """An account's own key for a provider, encrypted (`shared.vault`); the plain key is nowhere.

    `status` is what the provider says of it: `valid`, `refused`, or `unreachable` while that is not known. Only an
    active one is used. One that was deleted has no name any more, serves nothing new, and is kept until the work
    that was submitted with it has ended.
    """

    __tablename__ = "user_api_keys"
    __table_args__ = (
        CheckConstraint("status IN ('valid', 'refused', 'unreachable')", name="user_api_keys_status"),
        CheckConstraint("NOT (is_active AND deleted_at IS NOT NULL)", name="user_api_keys_deleted"),
        UniqueConstraint("user_id", "provider", "key_name", name="user_api_keys_once"),
        Index("idx_api_keys_user_id", "user_id"),
        Index("user_api_keys_master", "master_key_id"),
        Index("user_api_keys_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    user_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False)
    )
    provider: str = Field(sa_column=Column(String(50), nullable=False))
    key_name: str | None = Field(default=None, sa_column=Column(String(255)))
    encrypted_key: str = Field(sa_type=Text)
    encryption_iv: str = Field(sa_type=Text)
    encryption_salt: str = Field(sa_type=Text)
    master_key_id: str = Field(sa_type=Text)
    last_four: str = Field(sa_type=Text)
    """The end of the key, by which its owner knows it again."""
    is_active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    status: str = Field(
        default="unreachable", sa_column=Column(Text, nullable=False, server_default="unreachable")
    )
    checked_at: datetime | None = Field(default=None, sa_column=moment())
    last_used_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
    deleted_at: datetime | None = Field(default=None, sa_column=moment())


class AccountRouting(SQLModel, table=True):
    """How an account's requests are routed that say nothing of it themselves. `defaults` names a model by kind."""

    __tablename__ = "account_routing"

    account_id: UUID = Field(sa_column=Column(account_ref().type, ForeignKey("accounts.id", ondelete="CASCADE"),
                                              primary_key=True))  # fmt: skip
    defaults: dict[str, Any] = Field(sa_column=document("{}"))
    fallbacks: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    updated_at: datetime = Field(sa_column=moment(now=True))
