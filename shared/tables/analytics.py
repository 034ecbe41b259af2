"""Usage as it is read by day and month. It can be lost: all of it is summed from the record."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, moment, nanos

CENTS = (
    "GREATEST(LEAST(round((total_cost_nanos)::numeric / 10000000.0), '2147483647'::numeric),"
    " '-2147483647'::numeric)::integer"
)
AVERAGE = (
    "LEAST(round((duration_ms_total)::numeric / NULLIF(success_count, 0)), '2147483647'::numeric)::integer"
)


def _count() -> Column[int]:
    return Column(Integer, nullable=False, server_default="0")


class UsageAnalytics(SQLModel, table=True):
    """What an account used in a day or month of its time zone, by project, provider, model and kind.

    The counts are of generations asked for in the period, as they stand now (`open_count`: not ended yet), tokens
    theirs. Money is what was settled or adjusted in the period: `total_cost_nanos` by us, `own_cost_nanos` by
    providers for the account's own keys. `duration_ms_total` is that of the successes.
    """

    __tablename__ = "usage_analytics"
    __table_args__ = (
        CheckConstraint("period_type IN ('daily', 'monthly')", name="usage_analytics_period_type"),
        UniqueConstraint(
            "user_id", "project_id", "period_type", "period_start", "provider", "model", "generation_type",
            name="usage_analytics_once", postgresql_nulls_not_distinct=True,
        ),
        Index("idx_usage_analytics_user_id", "user_id", "period_type", "period_start"),
        Index("idx_usage_analytics_period", "period_start"),
        Index("usage_analytics_project", "project_id", postgresql_where=text("project_id IS NOT NULL")),
        Index("usage_analytics_open", "user_id", "period_start", postgresql_where=text("open_count > 0")),
    )  # fmt: skip

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("gen_random_uuid()")))
    user_id: UUID = Field(sa_column=account_ref())
    project_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("projects.id", ondelete="CASCADE"))
    )
    period_type: str = Field(sa_type=String(20))
    period_start: date
    provider: str | None = Field(default=None, sa_type=Text)
    model: str | None = Field(default=None, sa_type=Text)
    generation_type: str | None = Field(default=None, sa_type=Text)
    request_count: int = Field(default=0, sa_column=_count())
    success_count: int = Field(default=0, sa_column=_count())
    failure_count: int = Field(default=0, sa_column=_count())
    canceled_count: int = Field(default=0, sa_column=_count())
    open_count: int = Field(default=0, sa_column=_count())
    total_tokens: int = Field(default=0, sa_column=nanos(default=0))
    total_cost_nanos: int = Field(default=0, sa_column=nanos(default=0))
    own_cost_nanos: int = Field(default=0, sa_column=nanos(default=0))
    duration_ms_total: int = Field(default=0, sa_column=nanos(default=0))
    total_cost_cents: int = Field(sa_column=Column(Integer, Computed(CENTS, persisted=True)))
    avg_duration_ms: int | None = Field(sa_column=Column(Integer, Computed(AVERAGE, persisted=True)))
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))


class UsageRollup(SQLModel, table=True):
    """How far an account's usage is rolled up, and by the days of which time zone."""

    __tablename__ = "usage_rollups"

    account_id: UUID = Field(
        sa_column=Column(Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    )
    timezone: str = Field(sa_type=Text)
    rolled_to: datetime = Field(sa_column=moment(nullable=False))
    recounted_at: datetime = Field(sa_column=moment(nullable=False))
    """When all of it was last compared with the record."""
