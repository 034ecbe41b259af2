"""What may be spent and used: plans, counters, budgets, their alerts, and the mail that tells of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, nanos
from shared.tables.projects import CENTS

PERIODS = "('day', 'week', 'month', 'total')"


class PlanRow(SQLModel, table=True):
    """A plan. `features` maps a feature to {limit, period}: null or left out is no limit, 0 is not included.

    `rank` orders plans; the higher is served first. `for_new_users` marks the one that people who sign up get.
    """

    __tablename__ = "plans"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    label: str = Field(sa_type=Text)
    rank: int = Field(sa_type=SmallInteger)
    price_nanos: int = Field(default=0, sa_column=nanos(default=0))
    """Per month."""
    max_running: int | None = None
    requests_per_minute: int | None = None
    storage_bytes: int | None = Field(default=None, sa_type=BigInteger)
    features: dict[str, Any] = Field(sa_column=document("{}"))
    for_new_users: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class QuotaCounter(SQLModel, table=True):
    """How much of a feature an account has used in a period, which begins on `period_start` in its time zone."""

    __tablename__ = "quota_counters"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "feature", "period", "period_start"),
        CheckConstraint("used >= 0", name="quota_counters_used"),
        CheckConstraint(f"period IN {PERIODS}", name="quota_counters_period"),
    )

    account_id: UUID = Field(sa_column=account_ref())
    feature: str = Field(sa_type=Text)
    period: str = Field(sa_type=Text)
    period_start: date
    used: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class QuotaUse(SQLModel, table=True):
    """What a generation took from a counter. The row goes when that is given back."""

    __tablename__ = "quota_uses"
    __table_args__ = (Index("quota_uses_account", "account_id"), Index("quota_uses_age", "period_start"))

    generation_id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    feature: str = Field(sa_type=Text)
    period: str = Field(sa_type=Text)
    period_start: date
    units: int


class Budget(SQLModel, table=True):
    """What may be spent by an account, for a project, with a key or at a provider, per period or in all.

    `held_nanos` is what is spent and reserved, by generations that were admitted since `starts_at`; both times are
    null in all. `origin` says that another row's column holds the limit. Locked in the order of `lock_no`.
    """

    __tablename__ = "budgets"
    __table_args__ = (
        CheckConstraint(f"period IN {PERIODS}", name="budgets_period"),
        CheckConstraint("mode IN ('hard', 'soft')", name="budgets_mode"),
        CheckConstraint("limit_nanos >= 0", name="budgets_limit"),
        CheckConstraint(
            "CASE scope WHEN 'account' THEN num_nonnulls(project_id, api_key_id, provider) = 0"
            " WHEN 'project' THEN project_id IS NOT NULL AND num_nonnulls(api_key_id, provider) = 0"
            " WHEN 'key' THEN api_key_id IS NOT NULL AND num_nonnulls(project_id, provider) = 0"
            " WHEN 'provider' THEN provider IS NOT NULL AND num_nonnulls(project_id, api_key_id) = 0"
            " ELSE false END",
            name="budgets_scope",
        ),
        Index("budgets_account", "account_id", "lock_no"),
        Index(
            "budgets_mirrored",
            "account_id",
            "origin",
            "project_id",
            "api_key_id",
            "provider",
            unique=True,
            postgresql_where=text("origin IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: UUID = Field(primary_key=True)
    lock_no: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    account_id: UUID = Field(sa_column=account_ref())
    name: str | None = Field(default=None, sa_type=Text)
    scope: str = Field(sa_type=Text)
    project_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("projects.id", ondelete="CASCADE"))
    )
    api_key_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("api_keys.id", ondelete="CASCADE"))
    )
    provider: str | None = Field(default=None, sa_type=Text)
    period: str = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    limit_nanos: int = Field(sa_type=BigInteger)
    thresholds: list[int] = Field(
        sa_column=Column(ARRAY(Integer), nullable=False, server_default=text("'{50,80,100}'"))
    )
    """Alerts are due when so many percent are spent."""
    origin: str | None = Field(default=None, sa_type=Text)
    starts_at: datetime | None = Field(default=None, sa_column=moment())
    ends_at: datetime | None = Field(default=None, sa_column=moment())
    held_nanos: int = Field(default=0, sa_column=nanos(default=0))
    spent_nanos: int = Field(default=0, sa_column=nanos(default=0))
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))


class BudgetAlert(SQLModel, table=True):
    """A threshold of a budget that was reached: each once per window, which began at `starts_at`."""

    __tablename__ = "budget_alerts"
    __table_args__ = (
        CheckConstraint("alert_type IN ('threshold_reached', 'budget_exceeded')", name="budget_alerts_type"),
        Index("budget_alerts_user", "user_id", "triggered_at", "id"),
        Index(
            "budget_alerts_once",
            "budget_id",
            "starts_at",
            "threshold_percent",
            unique=True,
            postgresql_where=text("budget_id IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    user_id: UUID = Field(sa_column=account_ref())
    project_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("projects.id", ondelete="SET NULL"))
    )
    budget_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("budgets.id", ondelete="SET NULL"))
    )
    alert_type: str = Field(sa_type=Text)
    threshold_percent: int
    threshold_nanos: int = Field(sa_type=BigInteger)
    current_spend_nanos: int = Field(sa_type=BigInteger)
    threshold_cents: int = Field(
        sa_column=Column(Integer, Computed(CENTS.format(column="threshold_nanos"), persisted=True))
    )
    current_spend_cents: int = Field(
        sa_column=Column(Integer, Computed(CENTS.format(column="current_spend_nanos"), persisted=True))
    )
    starts_at: datetime | None = Field(default=None, sa_column=moment())
    triggered_at: datetime = Field(sa_column=moment(now=True))
    acknowledged_at: datetime | None = Field(default=None, sa_column=moment())
    details: dict[str, Any] = Field(sa_column=document("{}", name="metadata"))
    created_at: datetime = Field(sa_column=moment(now=True))


class Email(SQLModel, table=True):
    """A message to an account's user that is sent when `next_at` says; null when it is done with."""

    __tablename__ = "emails"
    __table_args__ = (
        Index("emails_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("emails_account", "account_id"),
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    account_id: UUID = Field(sa_column=account_ref())
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_at: datetime | None = Field(default=None, sa_column=moment())
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))
