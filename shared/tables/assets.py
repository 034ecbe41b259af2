"""The library: every delivered file, and those that its owner added."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    String,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, words

SEARCHED = (
    "(name)::text, description, prompt, excerpt, model, provider_model, provider, kind, seed, width, height, tags,"
    " created_at"
)
"""The columns whose words `search` holds."""


class Asset(SQLModel, table=True):
    """A file of the library. It is in the trash from `deleted_at` on, and gone thirty days later.

    The columns `file_url` and `thumbnail_url` hold the keys of the stored objects; callers get addresses that are
    made of the id. `type` is the workbench's word for `kind`.
    """

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint("type IN ('image', 'video', 'audio', 'text')", name="assets_type"),
        CheckConstraint("rating BETWEEN 0 AND 5", name="assets_rating"),
        Index("idx_assets_user_id", "user_id", "id"),
        Index("idx_assets_project_id", "project_id", "id"),
        Index("assets_search", "search", postgresql_using="gin"),
        Index("assets_tags", "tags", postgresql_using="gin", postgresql_where=text("tags <> '{}'")),
        Index("assets_rated", "user_id", "rating", "id"),
        Index("assets_favorite", "user_id", "id", postgresql_where=text("favorite")),
        Index("assets_generation", "generation_id", postgresql_where=text("generation_id IS NOT NULL")),
        Index(
            "assets_upload", "upload_id", unique=True, postgresql_where=text("upload_id IS NOT NULL")
        ),
        Index("assets_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )  # fmt: skip

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    user_id: UUID = Field(sa_column=account_ref())
    project_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("projects.id", ondelete="CASCADE"))
    )
    type: str = Field(sa_column=Column(String(50), nullable=False))
    kind: str = Field(sa_type=Text)
    name: str | None = Field(default=None, sa_column=Column(String(255)))
    description: str | None = Field(default=None, sa_type=Text)
    file_key: str = Field(sa_column=Column("file_url", Text, nullable=False))
    thumbnail_key: str | None = Field(default=None, sa_column=Column("thumbnail_url", Text))
    file_size_bytes: int = Field(sa_type=BigInteger)
    file_format: str | None = Field(default=None, sa_column=Column(String(50)))
    mime: str = Field(sa_type=Text)
    sha256: str | None = Field(default=None, sa_type=Text)
    width: int | None = None
    height: int | None = None
    duration_seconds: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    generation_id: UUID | None = None
    output_n: int | None = None
    """Which output of the generation it is."""
    upload_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("uploads.id", ondelete="CASCADE"))
    )
    model: str | None = Field(default=None, sa_type=Text)
    """The name that was asked for; `provider` and `provider_model` say what ran."""
    provider: str | None = Field(default=None, sa_type=Text)
    provider_model: str | None = Field(default=None, sa_type=Text)
    prompt: str | None = Field(default=None, sa_type=Text)
    """Its first 4,000 characters."""
    excerpt: str | None = Field(default=None, sa_type=Text)
    """The first 4,000 characters of a text."""
    seed: int | None = Field(default=None, sa_type=BigInteger)
    details: dict[str, Any] = Field(sa_column=document("{}", name="metadata"))
    """The owner's own words: any JSON object."""
    tags: list[str] = Field(sa_column=words())
    favorite: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    rating: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    """1 to 5; 0 is none."""
    archived_at: datetime | None = Field(default=None, sa_column=moment())
    published_at: datetime | None = Field(default=None, sa_column=moment())
    deleted_at: datetime | None = Field(default=None, sa_column=moment())
    restored_at: datetime | None = Field(default=None, sa_column=moment())
    """When it was last taken back from the trash: retention counts its age from then."""
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
    search: str = Field(sa_column=Column(TSVECTOR, Computed(f"asset_search({SEARCHED})", persisted=True)))


class RetentionRule(SQLModel, table=True):
    """Assets of a type, or of all, go to the trash at this age; favourites and what is published never do."""

    __tablename__ = "retention_rules"
    __table_args__ = (
        CheckConstraint("type IN ('image', 'video', 'audio', 'text')", name="retention_rules_type"),
        CheckConstraint("older_than_days > 0", name="retention_rules_age"),
        Index("retention_rules_user", "user_id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    user_id: UUID = Field(sa_column=account_ref())
    type: str | None = Field(default=None, sa_column=Column(String(50)))
    older_than_days: int
    created_at: datetime = Field(sa_column=moment(now=True))
