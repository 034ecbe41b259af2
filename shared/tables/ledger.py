"""What was paid. Append-only, and it outlives what it paid for: no foreign key reaches a generation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import moment


class LedgerEntry(SQLModel, table=True):
    """One signed movement in nano-dollars.

    `reserve` (+) when a generation is admitted, `settle` (+) with a submission's true cost, `release` (-)
    of the reserve at the end, `adjust` by hand. The sum over a finished generation is what it cost.
    `payer` is `platform` for what Penstock pays itself, such as a duplicate, and `byok` for what the account pays
    its provider directly, by its own key: that is recorded, and counts against no budget of ours.
    """

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint("kind IN ('reserve', 'settle', 'release', 'adjust')", name="ledger_kind"),
        CheckConstraint("payer IN ('account', 'platform', 'byok')", name="ledger_payer"),
        Index(
            "ledger_once_generation",
            "generation_id",
            "kind",
            unique=True,
            postgresql_where=text("submission_id IS NULL AND kind <> 'adjust'"),
        ),
        Index(
            "ledger_once_submission",
            "submission_id",
            "kind",
            unique=True,
            postgresql_where=text("submission_id IS NOT NULL AND kind <> 'adjust'"),
        ),
        Index("ledger_account", "account_id", "created_at"),
        Index("ledger_created", "created_at", postgresql_using="brin"),
    )

    id: UUID = Field(primary_key=True)
    account_id: UUID
    generation_id: UUID | None = None
    submission_id: UUID | None = None
    kind: str = Field(sa_type=Text)
    nanos: int = Field(sa_type=BigInteger)
    payer: str = Field(default="account", sa_column=Column(Text, nullable=False, server_default="account"))
    provider: str | None = Field(default=None, sa_type=Text)
    model: str | None = Field(default=None, sa_type=Text)
    media_kind: str | None = Field(default=None, sa_type=Text)
    price_id: str | None = Field(default=None, sa_type=Text)
    note: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))
