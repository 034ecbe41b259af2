"""What an account may have: the one place where plan, quota and budget say yes or no, and which of them said no.

Requests per minute are the gateway's to refuse, before anything is read; see `shared.domains.rate_limits`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains import budget_alerts, budgets, quotas
from shared.domains.budgets import Watch
from shared.domains.plans import Plan
from shared.domains.quotas import Counters
from shared.errors import BudgetExceeded, Forbidden, PenstockError
from shared.events import Publisher
from shared.money import Nanos, amount

ACCOUNT = """
a.status, a.budget_nanos, a.held_nanos, a.max_running, a.timezone, a.plan, p.label AS plan_label, p.features,
EXISTS (SELECT FROM budgets b WHERE b.account_id = a.id) AS has_budgets
"""
"""What decides about an account: columns of `accounts a JOIN plans p`."""

# Rows that were written before refer to the account, which locks its key for sharing. A plain FOR UPDATE would wait
# for the same lock of another request, which waits for ours.
_LOCK_ACCOUNT = "SELECT budget_nanos, held_nanos FROM accounts WHERE id = $1 FOR NO KEY UPDATE"


@dataclass(frozen=True, slots=True)
class Ask:
    """What admission wants for one request. `providers` may serve it at the platform's expense; there are none when
    only the account's own keys will."""

    id: UUID
    feature: str
    units: int
    reserve: Nanos
    providers: Collection[str]
    project_id: UUID | None = None
    api_key_id: UUID | None = None


@dataclass(slots=True)
class Entitlement:
    """What requests of one account may have, as it stands in this transaction. `left` of its own budget, if any."""

    standing: Forbidden | None
    plan: Plan
    counters: Counters
    left: int | None
    watch: Watch
    _refused: set[UUID] = field(default_factory=set)

    def closed(self, ask: Ask) -> frozenset[str]:
        """Providers whose budget has too little left for it."""
        rows = self.watch.at(ask.providers)
        return frozenset(row["provider"] for row in rows if self.watch.stops(row, ask.reserve))

    def refusal(self, ask: Ask) -> PenstockError | None:
        """Forbidden, TierRequired, QuotaExceeded or BudgetExceeded: the first that says no."""
        return (
            self.standing
            or self.plan.refusal(ask.feature)
            or self.counters.refusal(ask.feature, ask.units)
            or self._over_budget(ask)
        )

    def _over_budget(self, ask: Ask) -> BudgetExceeded | None:
        if self.left is not None and ask.reserve > self.left:
            return BudgetExceeded(
                f"${amount(Nanos(max(self.left, 0)))} of the budget is left; this may cost ${amount(ask.reserve)}.",
                remaining_nanos=max(self.left, 0),
                needed_nanos=ask.reserve,
                scope="account",
            )
        stopping = next((row for row in self.counting(ask) if self.watch.stops(row, ask.reserve)), None)
        if stopping is None:
            return None
        self._refused.add(stopping["id"])
        return self.watch.refusal(stopping, ask.reserve)

    def take(self, ask: Ask) -> None:
        """The request is granted; those after it find less."""
        self.counters.take(ask.id, ask.feature, ask.units)
        self.watch.take(self.counting(ask), ask.reserve)
        if self.left is not None:
            self.left -= ask.reserve

    async def write(self, tx: Tx, account_id: UUID, publisher: Publisher | None) -> None:
        """Counts what was granted, and tells of budgets that refused. Money is counted with the ledger's entries."""
        await self.counters.write(tx, account_id)
        if self._refused:
            await budget_alerts.refused(tx, sorted(self._refused), publisher)

    def counting(self, ask: Ask) -> list[Mapping[str, Any]]:
        """The budgets that count it."""
        if not ask.providers:
            return []
        return [*self.watch.of(ask.project_id, ask.api_key_id), *self.watch.at(ask.providers)]


async def entitlement(
    tx: Tx, account_id: UUID, account: Mapping[str, Any] | None, asks: Sequence[Ask], *, lock: bool = True
) -> Entitlement:
    """What may be had for these asks by an account whose row has the columns of `ACCOUNT`.

    Counters are locked before the account and this before budgets, as everywhere. Without `lock` nothing is.
    """
    if account is None or account["status"] != "active":
        nothing = Plan("none", "None")
        return Entitlement(Forbidden("This account is suspended."), nothing, Counters(nothing), None, Watch())
    plan = Plan.of(account["plan"], account["plan_label"], account["features"])
    features = [ask.feature for ask in asks]
    counters = await quotas.counters(tx, account_id, plan, account["timezone"], features, lock=lock)
    left = None
    if account["budget_nanos"] is not None:
        locked = await tx.fetchrow(_LOCK_ACCOUNT, account_id) if lock else account
        if locked is not None and locked["budget_nanos"] is not None:
            left = locked["budget_nanos"] - locked["held_nanos"]
    watch = await _watch(tx, account_id, asks, lock=lock) if account["has_budgets"] else Watch()
    return Entitlement(None, plan, counters, left, watch)


async def _watch(tx: Tx, account_id: UUID, asks: Sequence[Ask], *, lock: bool) -> Watch:
    return await budgets.watch(
        tx,
        account_id,
        projects={ask.project_id for ask in asks if ask.project_id is not None},
        keys={ask.api_key_id for ask in asks if ask.api_key_id is not None},
        providers={provider for ask in asks for provider in ask.providers},
        lock=lock,
    )
