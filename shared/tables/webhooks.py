"""Who wants to be told of events by HTTP, with what secret, and what became of each message."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, document, moment, words


class WebhookEndpoint(SQLModel, table=True):
    """A URL that is told of an account's events of the types in `events`."""

    __tablename__ = "webhook_endpoints"
    # The end of every generation looks here, in a statement that is planned each time: one index is enough.
    __table_args__ = (Index("webhook_endpoints_account", "account_id"),)

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    url: str = Field(sa_type=Text)
    events: list[str] = Field(sa_column=words())
    description: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    enabled: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    disabled_reason: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))


class WebhookSecret(SQLModel, table=True):
    """What signs messages: of an endpoint, or without one the account's own, for URLs that requests name.

    `sealed` is encrypted. During a rotation the old secret has an end and both sign.
    """

    __tablename__ = "webhook_secrets"
    __table_args__ = (
        Index(
            "webhook_secrets_current",
            "account_id",
            "endpoint_id",
            unique=True,
            postgresql_where=text("expires_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("webhook_secrets_account", "account_id"),
        Index("webhook_secrets_endpoint", "endpoint_id"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    endpoint_id: UUID | None = Field(
        default=None, sa_column=Column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    )
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=moment(now=True))
    expires_at: datetime | None = Field(default=None, sa_column=moment())


class WebhookDelivery(SQLModel, table=True):
    """One message to one receiver; its id is the `webhook-id` of every attempt.

    `next_at` is its clock: null exactly when nothing is due any more. A claim sets it ahead and bumps `epoch`,
    the fencing token of what is written back. `tries` counts on the schedule, which a redelivery begins anew;
    `attempts` counts all. Neither the endpoint nor the generation is a foreign key: the log outlives both, and the
    end of a generation neither waits for an endpoint that is deleted just then nor fails because of it.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'delivered', 'failed', 'abandoned')", name="webhook_deliveries_state"
        ),
        CheckConstraint("(next_at IS NOT NULL) = (state = 'pending')", name="webhook_deliveries_clock"),
        CheckConstraint("(endpoint_id IS NULL) = (url IS NOT NULL)", name="webhook_deliveries_receiver"),
        Index("webhook_deliveries_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("webhook_deliveries_account", "account_id", "created_at", "id"),
        Index("webhook_deliveries_endpoint", "endpoint_id", "created_at", "id"),
        Index("webhook_deliveries_generation", "generation_id"),
        Index("webhook_deliveries_created", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    endpoint_id: UUID | None = None
    url: str | None = Field(default=None, sa_type=Text)
    """Where it goes when a request named the receiver; an endpoint's URL is read at each attempt."""
    type: str = Field(sa_type=Text)
    generation_id: UUID | None = None
    data: dict[str, Any] = Field(sa_column=document("{}"))
    state: str = Field(default="pending", sa_column=Column(Text, nullable=False, server_default="pending"))
    next_at: datetime | None = Field(
        default=None, sa_column=Column(moment().type, nullable=True, server_default=text("now()"))
    )
    epoch: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    claimed_at: datetime | None = Field(default=None, sa_column=moment())
    """Since when somebody is at it; null while nobody is."""
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    status: int | None = None
    """The HTTP status of the last attempt, null when there was no answer; then `error` says why."""
    response: str | None = Field(default=None, sa_type=Text)
    """How the last answer's body begins."""
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))
    attempted_at: datetime | None = Field(default=None, sa_column=moment())
    delivered_at: datetime | None = Field(default=None, sa_column=moment())
