"""Budgets: what may be spent by an account, for a project, with a key or at a provider, per period or in all.

A key's budget is its successors' too: they have what the keys before them left.

A budget counts the generations that were admitted in its window: reserved when they are admitted, settled when their
bill is known, released at their end, always in the transaction of the ledger's entries (`ledger.record`). A hard
budget refuses what might exceed it, a soft one only tells. A limit of 0 lets nothing through, not even what is free.

Whoever admits or settles locks accounts before budgets and budgets in the order of `lock_no`, so that nobody waits in
a circle; accounts without a budget lock nothing. What an account's own key at a provider pays for counts nowhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from shared.db import Tx
from shared.errors import BudgetExceeded, Conflict, InvalidInput, NotFound
from shared.ids import new_id
from shared.money import Nanos, amount

Row = Mapping[str, Any]

PERIODS: Final = ("day", "week", "month", "total")
SCOPES: Final = ("account", "project", "key", "provider")
MODES: Final = ("hard", "soft")
THRESHOLDS: Final = (50, 80, 100)
MAX_BUDGETS: Final = 200

# A window that has ended counts nothing any more; its row is turned by whoever next writes to it.
_SHOWN = """
b.id, b.name, b.scope, b.project_id, b.api_key_id, b.provider, b.period, b.mode, b.limit_nanos, b.thresholds, b.origin,
b.created_at, b.updated_at, b.lock_no,
CASE WHEN b.scope = 'key' THEN ARRAY(
    SELECT kin.id FROM api_keys k JOIN api_keys kin
        ON kin.account_id = k.account_id AND coalesce(kin.family_id, kin.id) = coalesce(k.family_id, k.id)
    WHERE k.id = b.api_key_id) END AS key_ids,
CASE WHEN b.ends_at <= now() THEN 0 ELSE b.held_nanos END AS held_nanos,
CASE WHEN b.ends_at <= now() THEN 0 ELSE b.spent_nanos END AS spent_nanos,
CASE WHEN b.ends_at <= now() THEN greatest(window_start(b.period, a.timezone, now()), b.ends_at) ELSE b.starts_at END
    AS starts_at,
CASE WHEN b.ends_at <= now() THEN window_end(b.period, a.timezone, now()) ELSE b.ends_at END AS ends_at
"""
_SELECT = f"SELECT {_SHOWN} FROM budgets b JOIN accounts a ON a.id = b.account_id"  # noqa: S608  # constants only
_LIST = f"{_SELECT} WHERE b.account_id = $1 ORDER BY b.lock_no DESC"
_GET = f"{_SELECT} WHERE b.account_id = $1 AND b.id = $2"

_WATCHED = """
b.account_id = $1 AND (b.scope = 'account' OR b.project_id = ANY ($2) OR b.provider = ANY ($4)
    OR b.api_key_id IN (SELECT kin.id FROM api_keys k JOIN api_keys kin
        ON kin.account_id = k.account_id AND coalesce(kin.family_id, kin.id) = coalesce(k.family_id, k.id)
        WHERE k.id = ANY ($3)))
"""
_LOOK = f"{_SELECT} WHERE {_WATCHED} ORDER BY b.lock_no"
_LOCK = f"{_LOOK} FOR NO KEY UPDATE OF b"

_OPEN = "SELECT open_budget($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL)"
_COUNT = "SELECT count(*) FROM budgets WHERE account_id = $1"
_CHANGE = """
UPDATE budgets SET name = CASE WHEN $3 THEN $4 ELSE name END, mode = coalesce($5, mode),
    limit_nanos = coalesce($6, limit_nanos), thresholds = coalesce($7, thresholds), updated_at = now()
WHERE account_id = $1 AND id = $2
"""
_DELETE = "DELETE FROM budgets WHERE account_id = $1 AND id = $2"


@dataclass(slots=True)
class Watch:
    """The budgets that requests of one account touch, as they stand in this transaction; `take` moves them on."""

    rows: Sequence[Row] = ()
    taken: dict[UUID, int] = field(default_factory=dict)

    def of(self, project_id: UUID | None, api_key_id: UUID | None) -> list[Row]:
        """Those that count a request whichever provider serves it."""
        return [
            row
            for row in self.rows
            if row["scope"] == "account"
            or (row["scope"] == "project" and row["project_id"] == project_id)
            or (row["scope"] == "key" and api_key_id in row["key_ids"])
        ]

    def at(self, providers: Collection[str]) -> list[Row]:
        """Those of the providers that may serve it."""
        return [row for row in self.rows if row["scope"] == "provider" and row["provider"] in providers]

    def left(self, row: Row) -> int:
        left: int = row["limit_nanos"] - row["held_nanos"] - self.taken.get(row["id"], 0)
        return max(left, 0)

    def stops(self, row: Row, reserve: Nanos) -> bool:
        return row["mode"] == "hard" and (row["limit_nanos"] == 0 or reserve > self.left(row))

    def take(self, rows: Iterable[Row], reserve: Nanos) -> None:
        for row in rows:
            self.taken[row["id"]] = self.taken.get(row["id"], 0) + reserve

    def refusal(self, row: Row, reserve: Nanos) -> BudgetExceeded:
        """Names the budget, what is left of it, and when it begins anew."""
        left, resets_at = self.left(row), row["ends_at"]
        when = f" It begins anew at {resets_at:%Y-%m-%d %H:%M} UTC." if resets_at is not None else ""
        what = f"${amount(Nanos(left))} is left of {title(row)}; this may cost ${amount(reserve)}.{when}"
        if row["limit_nanos"] == 0:
            what = f"{title(row)[0].upper()}{title(row)[1:]} is 0, which lets nothing through."
        return BudgetExceeded(
            what,
            scope=row["scope"],
            budget_id=str(row["id"]),
            budget=title(row),
            period=row["period"],
            limit_nanos=row["limit_nanos"],
            remaining_nanos=left,
            needed_nanos=reserve,
            resets_at=resets_at,
            **_subject(row),
        )


def title(row: Row) -> str:
    """`the monthly budget "Marketing" of the project`."""
    period = {"day": "daily ", "week": "weekly ", "month": "monthly "}.get(row["period"], "")
    name = f' "{row["name"]}"' if row["name"] else ""
    whose = {"account": "the account", "project": "the project", "key": "the API key"}
    return f"the {period}budget{name} of {whose.get(row['scope'], row['provider'])}"


def _subject(row: Row) -> dict[str, Any]:
    columns = {"project": "project_id", "key": "api_key_id", "provider": "provider"}
    column = columns.get(row["scope"])
    return {} if column is None else {column: str(row[column])}


async def watch(
    tx: Tx,
    account_id: UUID,
    *,
    projects: Collection[UUID],
    keys: Collection[UUID],
    providers: Collection[str],
    lock: bool = True,
) -> Watch:
    """The budgets that such requests touch, locked until the transaction ends unless they are only looked at."""
    sql = _LOCK if lock else _LOOK
    return Watch(await tx.fetch(sql, account_id, list(projects), list(keys), list(providers)))


# As their account sees and sets them.


@dataclass(frozen=True, slots=True)
class NewBudget:
    """`subject` is what the scope names: a project's or key's id, a provider's name, None for the account."""

    scope: str
    subject: UUID | str | None
    period: str
    limit_nanos: int
    mode: str = "hard"
    name: str | None = None
    thresholds: Sequence[int] = THRESHOLDS


async def create(tx: Tx, account_id: UUID, new: NewBudget) -> Row:
    """Counts what was admitted in its window already. Raises InvalidInput, and Conflict when there are too many."""
    if await tx.fetchval(_COUNT, account_id) >= MAX_BUDGETS:
        raise Conflict(f"An account has at most {MAX_BUDGETS} budgets; delete one first.")
    await _check_subject(tx, new)
    budget_id = new_id()
    subjects = [new.subject if new.scope == scope else None for scope in ("project", "key", "provider")]
    await tx.execute(
        _OPEN, budget_id, account_id, new.name, new.scope, *subjects, new.period, new.mode, new.limit_nanos,
        list(new.thresholds),
    )  # fmt: skip
    return await get(tx, account_id, budget_id)


async def _check_subject(tx: Tx, new: NewBudget) -> None:
    known = {
        "project": "SELECT EXISTS (SELECT FROM projects WHERE id = $1)",
        "key": "SELECT EXISTS (SELECT FROM api_keys WHERE id = $1)",
        "provider": "SELECT EXISTS (SELECT FROM model_cards WHERE provider = $1)",
    }
    sql = known.get(new.scope)
    if sql is not None and not await tx.fetchval(sql, new.subject):
        column = {"project": "project_id", "key": "api_key_id"}.get(new.scope, "provider")
        raise InvalidInput(f"There is no {new.scope} {new.subject}.", field=column, status=422)


async def listed(tx: Tx, account_id: UUID) -> list[Row]:
    """Newest first; those of projects, keys and providers too."""
    return list(await tx.fetch(_LIST, account_id))


async def get(tx: Tx, account_id: UUID, budget_id: UUID) -> Row:
    """Raises NotFound."""
    row: Row | None = await tx.fetchrow(_GET, account_id, budget_id)
    if row is None:
        raise NotFound(f"There is no budget {budget_id}.")
    return row


async def change(tx: Tx, account_id: UUID, budget_id: UUID, changes: Mapping[str, Any]) -> Row:
    """Sets those of name, mode, limit_nanos and thresholds that are given.

    Raises NotFound, and Conflict for a limit that is set elsewhere.
    """
    row = await get(tx, account_id, budget_id)
    if row["origin"] is not None and changes.keys() & {"mode", "limit_nanos"}:
        raise Conflict(f"This limit is set {_place(row)}.", origin=row["origin"])
    await tx.execute(
        _CHANGE, account_id, budget_id, "name" in changes, changes.get("name"), changes.get("mode"),
        changes.get("limit_nanos"), changes.get("thresholds"),
    )  # fmt: skip
    return await get(tx, account_id, budget_id)


async def delete(tx: Tx, account_id: UUID, budget_id: UUID) -> None:
    """Its alerts stay. Raises NotFound, and Conflict for one that is set elsewhere."""
    row = await get(tx, account_id, budget_id)
    if row["origin"] is not None:
        raise Conflict(f"This limit is set {_place(row)}; lift it there.", origin=row["origin"])
    await tx.execute(_DELETE, account_id, budget_id)


def _place(row: Row) -> str:
    places = {"project": "on its project", "key": "on its API key"}
    return places.get(row["origin"], "in the settings of the providers")
