"""What can be asked of whom, and how well that goes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Float, Index, Numeric, UniqueConstraint, Uuid, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, words


class ModelCardRow(SQLModel, table=True):
    """A provider's model as its adapter describes it; workers publish these when they start."""

    __tablename__ = "model_cards"
    __table_args__ = (Index("model_cards_kind", "kind"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    provider: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    aliases: list[str] = Field(sa_column=words())
    rank: int
    parameters: dict[str, Any] = Field(sa_column=document("{}"))
    limits: dict[str, Any] = Field(sa_column=document("{}"))
    price: dict[str, Any] | None = Field(default=None, sa_column=document())
    expected_s: float = Field(sa_column=Column(Float, nullable=False))
    licence: str | None = Field(default=None, sa_type=Text)
    shutdown_on: date | None = None
    successor: str | None = Field(default=None, sa_type=Text)
    available: bool
    unavailable_reason: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = Field(sa_column=moment(now=True))


class ProviderHealth(SQLModel, table=True):
    """How a provider does for one credential: the platform's (null user) or an account's own."""

    __tablename__ = "provider_health"
    __table_args__ = (
        CheckConstraint(
            "status IN ('unknown', 'healthy', 'degraded', 'down')", name="provider_health_status"
        ),
        UniqueConstraint(
            "provider", "user_id", name="provider_health_once", postgresql_nulls_not_distinct=True
        ),
        Index("idx_provider_health_provider", "provider"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    provider: str = Field(sa_type=Text)
    user_id: UUID | None = Field(default=None, sa_column=Column(account_ref().type, nullable=True))
    status: str = Field(default="unknown", sa_column=Column(Text, nullable=False, server_default="unknown"))
    last_success_at: datetime | None = Field(default=None, sa_column=moment())
    last_failure_at: datetime | None = Field(default=None, sa_column=moment())
    failure_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    avg_response_time_ms: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    error_message: str | None = Field(default=None, sa_type=Text)
    cooldown_until: datetime | None = Field(default=None, sa_column=moment())
    checked_at: datetime | None = Field(default=None, sa_column=moment())
