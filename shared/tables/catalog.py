"""What can be asked of whom, and how well that goes."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, nanos, words


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


class RunTime(SQLModel, table=True):
    """How long one model takes for requests of one size, in seconds from the call to its final word.

    `recent` are the last times, oldest first; `early_s`, `median_s` and `late_s` their 20th, 50th and 90th
    percentiles. `samples` counts all that were ever seen.
    """

    __tablename__ = "run_times"
    __table_args__ = (PrimaryKeyConstraint("card", "size"),)

    card: str = Field(sa_type=Text)
    size: str = Field(sa_type=Text)
    """A class of sizes such as `1 megapixel`, or `submit`: how long the call itself held a slot."""
    samples: int = Field(sa_type=BigInteger)
    recent: list[float] = Field(sa_column=Column(ARRAY(Float), nullable=False))
    early_s: float = Field(sa_column=Column(Float, nullable=False))
    median_s: float = Field(sa_column=Column(Float, nullable=False))
    late_s: float = Field(sa_column=Column(Float, nullable=False))
    updated_at: datetime = Field(sa_column=moment(now=True))


class PriceRow(SQLModel, table=True):
    """An imported price. It overrides the card's own from its day on, until a later one does.

    Rows are only added: who corrects a price of the same day adds a `revision`, so that the price id
    `card@day.revision` names one price for ever. `units` null gives the card its own price back.
    """

    __tablename__ = "prices"
    __table_args__ = (
        PrimaryKeyConstraint("card", "effective_from", "revision"),
        CheckConstraint("revision > 0", name="prices_revision"),
    )

    card: str = Field(sa_type=Text)
    effective_from: date
    revision: int
    units: dict[str, Any] | None = Field(default=None, sa_column=document())
    """Nano-dollars per unit, as decimal strings."""
    source: str = Field(sa_type=Text)
    imported_by: UUID | None = None
    """The account whose key imported it."""
    imported_at: datetime = Field(sa_column=moment(now=True))


class ProviderHealth(SQLModel, table=True):
    """How a provider does for one credential: the platform's (null user) or an account's own.

    `cooldown_until` is when something may be sent again; while the status is `down`, only a probe then. `probe`
    is the submission that looks whether the provider is back, for as long as `probe_until` says.
    """

    __tablename__ = "provider_health"
    __table_args__ = (
        CheckConstraint(
            "status IN ('unknown', 'healthy', 'degraded', 'down')", name="provider_health_status"
        ),
        Index("provider_health_credential", "credential"),
        UniqueConstraint(
            "provider",
            "user_id",
            "credential",
            name="provider_health_once",
            postgresql_nulls_not_distinct=True,
        ),
        Index("idx_provider_health_provider", "provider"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    provider: str = Field(sa_type=Text)
    user_id: UUID | None = Field(default=None, sa_column=Column(account_ref().type, nullable=True))
    credential: str = Field(
        default="platform", sa_column=Column(Text, nullable=False, server_default="platform")
    )
    status: str = Field(default="unknown", sa_column=Column(Text, nullable=False, server_default="unknown"))
    error_rates: dict[str, float] = Field(sa_column=document("{}"))
    """Share of failures, 0 to 1, by what was asked: {submit, poll, run}."""
    last_success_at: datetime | None = Field(default=None, sa_column=moment())
    last_failure_at: datetime | None = Field(default=None, sa_column=moment())
    failure_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    avg_response_time_ms: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    error_message: str | None = Field(default=None, sa_type=Text)
    cooldown_s: float = Field(default=0.0, sa_column=Column(Float, nullable=False, server_default=text("0")))
    """How long the cool-down of a provider that is down lasts; each failed probe doubles it."""
    cooldown_until: datetime | None = Field(default=None, sa_column=moment())
    probe: UUID | None = None
    probe_until: datetime | None = Field(default=None, sa_column=moment())
    checked_at: datetime | None = Field(default=None, sa_column=moment())


class ProviderLimit(SQLModel, table=True):
    """What a credential may do at its provider; null is no limit. `next_at` paces its calls per minute."""

    __tablename__ = "provider_limits"
    __table_args__ = (PrimaryKeyConstraint("provider", "credential"),)

    provider: str = Field(sa_type=Text)
    credential: str = Field(sa_type=Text)
    rpm: int | None = None
    concurrent: int | None = None
    next_at: datetime | None = Field(default=None, sa_column=moment())


class ProviderCall(SQLModel, table=True):
    """A submission that counts against its credential's limit of calls at once, taken before its intent."""

    __tablename__ = "provider_calls"
    __table_args__ = (Index("provider_calls_credential", "provider", "credential"),)

    submission_id: UUID = Field(primary_key=True)
    provider: str = Field(sa_type=Text)
    credential: str = Field(sa_type=Text)
    taken_at: datetime = Field(sa_column=moment(now=True))


class AccountProvider(SQLModel, table=True):
    """An account's wish about one provider: its place (the lowest first, null for none), whether it may serve at
    all, and what it may cost in a month."""

    __tablename__ = "account_providers"
    __table_args__ = (PrimaryKeyConstraint("account_id", "provider"),)

    account_id: UUID = Field(sa_column=account_ref())
    provider: str = Field(sa_type=Text)
    priority: int | None = None
    enabled: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    monthly_cap_nanos: int | None = Field(default=None, sa_column=nanos())
    updated_at: datetime = Field(sa_column=moment(now=True))
