"""Alerts: a threshold of a budget was reached. Each is written once per window, by the transaction that reaches it.

The same transaction writes what is sent of it, to webhooks and by e-mail; the live feed is told after the commit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains import deliveries
from shared.domains.budgets import title
from shared.errors import NotFound
from shared.events import AccountEvent, Publisher, account_frame
from shared.money import Nanos, amount, as_json, cents

Row = Mapping[str, Any]

_MOVE = "SELECT * FROM move_budgets($1, $2, $3, $4)"
_ALERT = "SELECT * FROM alert_budgets($1, $2)"
_TURN = "SELECT turn_budgets($1)"
_SUBJECTS = "SELECT id, name, scope, period, provider FROM budgets WHERE id = ANY ($1)"
_MAIL = """
INSERT INTO emails (account_id, subject, body, next_at)
SELECT m.account_id, m.subject, m.body, now()
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS m (account_id, subject, body)
WHERE EXISTS (SELECT FROM users u WHERE u.id = m.account_id)
"""

_SHOWN = """
SELECT id, user_id, project_id, budget_id, alert_type, threshold_percent, threshold_nanos, current_spend_nanos,
    threshold_cents, current_spend_cents, triggered_at, acknowledged_at, metadata, created_at
FROM budget_alerts
"""
_PAGE = f"""{_SHOWN}
WHERE user_id = $1 AND ($2::uuid IS NULL OR budget_id = $2)
    AND ($3::boolean IS NULL OR (acknowledged_at IS NOT NULL) = $3)
    AND ($4::timestamptz IS NULL OR (triggered_at, id) < ($4, $5))
ORDER BY triggered_at DESC, id DESC LIMIT $6
"""
_GET = f"{_SHOWN} WHERE user_id = $1 AND id = $2"
_ACKNOWLEDGE = """
UPDATE budget_alerts SET acknowledged_at = coalesce(acknowledged_at, now()) WHERE user_id = $1 AND id = $2
"""


async def move(
    tx: Tx, entries: Sequence[tuple[UUID, str, int, str | None]], publisher: Publisher | None
) -> None:
    """Counts entries (generation, kind, nanos, provider) in the budgets of their accounts, and tells of what they
    reach."""
    if not entries:
        return
    alerts = await tx.fetch(_MOVE, *(list(column) for column in zip(*entries, strict=True)))
    await _tell(tx, alerts, publisher)


async def refused(tx: Tx, budget_ids: Sequence[UUID], publisher: Publisher | None) -> None:
    """Tells that these budgets have said no; once per window, for those with a threshold of 100 %."""
    await tx.execute(_TURN, list(budget_ids))
    await _tell(tx, await tx.fetch(_ALERT, list(budget_ids), True), publisher)


async def changed(tx: Tx, budget_id: UUID, publisher: Publisher | None) -> None:
    """A limit or a threshold was changed, so one may be reached."""
    await tx.execute(_TURN, [budget_id])
    await _tell(tx, await tx.fetch(_ALERT, [budget_id], False), publisher)


async def _tell(tx: Tx, alerts: Sequence[Row], publisher: Publisher | None) -> None:
    if not alerts:
        return
    rows = await tx.fetch(_SUBJECTS, [alert["budget_id"] for alert in alerts])
    names = {row["id"]: title(row) for row in rows}
    for alert in alerts:
        await deliveries.enqueue(tx, alert["user_id"], deliveries.BUDGET_ALERT, as_data(alert))
    mails = [_mail(alert, names[alert["budget_id"]]) for alert in alerts]
    await tx.execute(
        _MAIL, [alert["user_id"] for alert in alerts], [subject for subject, _ in mails],
        [body for _, body in mails],
    )  # fmt: skip
    if publisher is not None:
        live = publisher

        async def publish() -> None:
            for alert in alerts:
                frame = account_frame(
                    alert["id"], alert["triggered_at"], AccountEvent.BUDGET_ALERT, as_data(alert)
                )
                live.publish_soon(alert["user_id"], [frame])

        tx.after_commit(publish)


def as_data(alert: Row) -> dict[str, Any]:
    """What webhooks and the live feed say of an alert."""
    return {
        "id": str(alert["id"]),
        "object": "budget_alert",
        "budget_id": str(alert["budget_id"]) if alert["budget_id"] is not None else None,
        "project_id": str(alert["project_id"]) if alert["project_id"] is not None else None,
        "alert_type": alert["alert_type"],
        "threshold_percent": alert["threshold_percent"],
        "threshold_cents": cents(alert["threshold_nanos"]),
        "current_spend_cents": cents(alert["current_spend_nanos"]),
        "threshold": as_json(alert["threshold_nanos"]),
        "current_spend": as_json(alert["current_spend_nanos"]),
        "triggered_at": alert["triggered_at"],
        "acknowledged_at": alert["acknowledged_at"],
        "metadata": alert["metadata"],
    }


def _mail(alert: Row, name: str) -> tuple[str, str]:
    """Subject and body."""
    spent, limit = Nanos(alert["current_spend_nanos"]), Nanos(alert["metadata"]["limit_nanos"])
    percent = alert["threshold_percent"]
    subject = f"Penstock: {percent} % of {name} is spent"
    body = f"${amount(spent)} of ${amount(limit)} is spent: {name} has reached {percent} %."
    if alert["metadata"]["refused"]:
        subject = f"Penstock: {name} has refused a request"
        body = f"A request was refused: {name} of ${amount(limit)} has too little left, ${amount(spent)} is spent."
    resets_at = alert["metadata"]["resets_at"]
    return subject, f"{body}\n" + (f"It begins anew at {resets_at}.\n" if resets_at else "")


# As their account sees them.


async def page(
    tx: Tx,
    account_id: UUID,
    budget_id: UUID | None,
    acknowledged: bool | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row]:
    """Newest first, behind the time and id `after`."""
    return list(await tx.fetch(_PAGE, account_id, budget_id, acknowledged, *(after or (None, None)), limit))


async def acknowledge(tx: Tx, account_id: UUID, alert_id: UUID) -> Row:
    """Somebody has seen it; the first time counts. Raises NotFound."""
    await tx.execute(_ACKNOWLEDGE, account_id, alert_id)
    row: Row | None = await tx.fetchrow(_GET, account_id, alert_id)
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.")
    return row
