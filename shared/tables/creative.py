"""The Creative Studio's history: a projection of the library for its page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Uuid, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment


class CreativeGeneration(SQLModel, table=True):
    """One delivered file of a generation. It has the id of its asset, and is gone when that is.

    The columns `result_url` and `thumbnail_url` hold the keys of the stored objects; callers get addresses.
    """

    __tablename__ = "creative_generations"
    __table_args__ = (
        CheckConstraint(
            "type IN ('image', 'audio', 'music', 'video', 'upscale', 'text', 'ebook')",
            name="creative_generations_type",
        ),
        Index("idx_creative_user_type", "user_id", "type"),
        Index("idx_creative_created", text("created_at DESC")),
    )

    id: UUID = Field(
        sa_column=Column(
            Uuid,
            ForeignKey("assets.id", ondelete="CASCADE"),
            primary_key=True,
            server_default=text("gen_random_uuid()"),
        )
    )
    user_id: UUID = Field(sa_column=account_ref())
    generation_id: UUID
    type: str = Field(sa_type=Text)
    """An upscale is an image whose `metadata.operation` says so."""
    prompt: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    settings: dict[str, Any] = Field(sa_column=document("{}"))
    result_key: str = Field(sa_column=Column("result_url", Text, nullable=False))
    thumbnail_key: str | None = Field(default=None, sa_column=Column("thumbnail_url", Text))
    details: dict[str, Any] = Field(sa_column=document("{}", name="metadata"))
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))
