"""Plans: what an account's plan includes, and how much of it in which period.

`features` of a plan maps a feature to its limit; what is not named is not limited, and a limit of 0 says that the
plan does not include it. Kinds of media are features, and so is what products add (`music_projects`, `sharing` …).
A limit per `live` bounds how many there are at once; the others how many are used in a period.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from shared.db import Database, Tx
from shared.errors import InvalidInput, NotFound, QuotaExceeded, TierRequired

DEFAULT: Final = "unlimited"
LIVE: Final = "live"
FEATURE_OF_KIND: Final[Mapping[str, str]] = {"text": "chat"}
"""Text that a model writes is a message of the AI chat; other kinds are features of the same name."""

_ALL = "SELECT * FROM plans ORDER BY rank"
_OF_ACCOUNT = """
SELECT p.*, a.timezone, a.max_running AS account_max_running
FROM accounts a JOIN plans p ON p.name = a.plan WHERE a.id = $1
"""
_SET = "SELECT auth.set_plan($1, $2)"
_FOR_NEW_USERS = "SELECT auth.set_plan_for_new_users($1)"


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` per `period`: day, week, month, total, or live."""

    most: int
    period: str

    @property
    def is_included(self) -> bool:
        return self.most > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as its row says it."""

    name: str
    label: str
    features: Mapping[str, Limit] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, label: str, features: Mapping[str, Any]) -> "Plan":
        limits = {
            feature: Limit(given["limit"], given.get("period", "total"))
            for feature, given in features.items()
            if given["limit"] is not None
        }
        return cls(name, label, limits)

    def limit(self, feature: str) -> Limit | None:
        """None is no limit."""
        return self.features.get(feature)

    def refusal(self, feature: str) -> TierRequired | None:
        """The error when the plan does not include the feature."""
        limit = self.limit(feature)
        if limit is None or limit.is_included:
            return None
        return TierRequired(
            f"The plan {self.label} does not include {feature.replace('_', ' ')}.",
            feature=feature,
            plan=self.name,
            scope="plan",
        )


def feature_of(kind: str) -> str:
    """What a generation of this kind counts as, unless the product that asks for it says otherwise."""
    return FEATURE_OF_KIND.get(kind, kind)


async def listed(db: Database | Tx) -> list[Mapping[str, Any]]:
    """All plans, the smallest first."""
    return list(await db.fetch(_ALL))


async def row_of(tx: Tx, account_id: UUID) -> Mapping[str, Any]:
    """The account's plan with the account's `timezone`."""
    row = await tx.fetchrow(_OF_ACCOUNT, account_id)
    assert row is not None  # noqa: S101  # whoever asks has this account
    return dict(row)


async def of_account(tx: Tx, account_id: UUID) -> Plan:
    row = await row_of(tx, account_id)
    return Plan.of(row["name"], row["label"], row["features"])


async def require(tx: Tx, account_id: UUID, feature: str, live: int = 0) -> None:
    """For what products add: raises TierRequired when the plan does not include it, and QuotaExceeded when there
    are already `live` of what it allows so many of at once."""
    plan = await of_account(tx, account_id)
    refusal = plan.refusal(feature)
    if refusal is not None:
        raise refusal
    limit = plan.limit(feature)
    if limit is not None and limit.period == LIVE and live >= limit.most:
        raise QuotaExceeded(
            f"The plan {plan.label} has room for {limit.most} {feature.replace('_', ' ')}; there are {live}.",
            scope="plan", feature=feature, plan=plan.name, used=live, limit=limit.most, period=LIVE, resets_at=None,
        )  # fmt: skip


async def assign(db: Database | Tx, account_id: UUID, name: str) -> None:
    """An operator gives an account a plan, with its concurrency and storage. Raises InvalidInput and NotFound."""
    await _check(db, name)
    if not await db.fetchval(_SET, account_id, name):
        raise NotFound(f"There is no account {account_id}.")


async def assign_to_new_users(db: Database | Tx, name: str) -> None:
    """Which plan people get who sign up from now on. Raises InvalidInput."""
    await _check(db, name)
    await db.execute(_FOR_NEW_USERS, name)


async def _check(db: Database | Tx, name: str) -> None:
    names = [row["name"] for row in await listed(db)]
    if name not in names:
        raise InvalidInput(
            f"There is no plan {name!r}; there are {', '.join(names)}.", field="plan", status=422
        )
