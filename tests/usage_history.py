"""Histories of usage, written into the record as if they had happened, and what they sum up to."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from shared.db import Database
from shared.ids import new_id

ENDED = ("completed", "completed", "completed", "failed", "canceled", "expired")
COLUMNS = {"completed": "success_count", "failed": "failure_count", "expired": "failure_count",
           "canceled": "canceled_count", "waiting": "open_count"}  # fmt: skip

_GENERATION = """
INSERT INTO generations (id, account_id, kind, model, provider, project_id, state, wake_at, deadline_at, created_at,
    started_at, completed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7 = 'waiting' THEN $8::timestamptz + interval '1 year' END,
    $8::timestamptz + interval '1 year', $8, $8, $9)
"""
_SUBMISSION = """
INSERT INTO submissions (id, generation_id, account_id, n, provider, model, request_hash, state, intent_at, ended_at,
    usage, cost_nanos, error, result)
VALUES ($1, $2, $3, $4, $5, $6, 'h', $7, $8, $9, $10::text::jsonb, $11, $12::text::jsonb, $13::text::jsonb)
"""
_ENTRY = """
INSERT INTO ledger (id, account_id, generation_id, submission_id, kind, nanos, payer, provider, model, media_kind,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, now()))
"""


@dataclass(frozen=True, slots=True)
class Made:
    id: UUID
    at: datetime
    kind: str
    model: str
    provider: str | None
    project_id: UUID | None
    state: str
    seconds: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Paid:
    at: datetime
    of: Made
    nanos: int
    payer: str


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 as it would have been made then."""
    fresh = new_id()
    return UUID(int=int(moment.timestamp() * 1000) << 80 | fresh.int & (1 << 80) - 1)


async def make(
    db: Database, account_id: UUID, at: datetime, *, kind: str = "image", model: str = "flux-2",
    provider: str | None = "scripted", project_id: UUID | None = None, state: str = "completed", seconds: int = 2,
    tokens: int = 0,
) -> Made:  # fmt: skip
    """A generation with one submission, if it has a provider; it took `seconds`."""
    made = Made(id_at(at), at, kind, model, provider, project_id, state, seconds, tokens)
    ended = None if state == "waiting" else at + timedelta(seconds=seconds)
    await db.execute(_GENERATION, made.id, account_id, kind, model, provider, project_id, state, at, ended)
    if provider is not None:
        usage = {"input_token": "1", "output_token": str(tokens - 1), "second": "3.5"} if tokens else None
        error = "PROVIDER_FAILED" if state == "failed" else None
        await submit(db, account_id, made, ended=ended, usage=usage, error=error)
    return made


async def submit(
    db: Database, account_id: UUID, made: Made, *, n: int = 1, provider: str | None = None,
    ended: datetime | None = None, usage: Mapping[str, str] | None = None, cost_nanos: int | None = None,
    state: str | None = None, error: str | None = None, outputs: int = 1,
) -> UUID:  # fmt: skip
    """One call for a generation."""
    submission_id = new_id()
    await db.execute(
        _SUBMISSION, submission_id, made.id, account_id, n, provider or made.provider, "its-name",
        state or ("accepted" if ended is None else "done"), made.at, ended, _json(usage), cost_nanos,
        _json(error and {"code": error, "message": "no"}), _json({"outputs": [{}] * outputs}),
    )  # fmt: skip
    return submission_id


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


async def pay(
    db: Database, account_id: UUID, made: Made, nanos: int, at: datetime | None = None, payer: str = "account"
) -> Paid:
    """A settlement, of now unless told otherwise."""
    await db.execute(
        _ENTRY, new_id(), account_id, made.id, new_id(), "settle", nanos, payer, made.provider, "its-name", made.kind,
        at,
    )  # fmt: skip
    return Paid(at or datetime.now(UTC), made, nanos, payer)


async def random_history(
    db: Database, account_id: UUID, seed: int, around: Iterable[datetime], projects: Iterable[UUID] = ()
) -> tuple[list[Made], list[Paid]]:
    """Work of all kinds and ends close to each of the moments, with bills that come hours or days later."""
    dice = random.Random(seed)
    made, paid = [], []
    for moment in around:
        for _ in range(12):
            one = await make(
                db, account_id, moment + timedelta(minutes=dice.randint(-2000, 2000)),
                kind=dice.choice(["image", "text"]), model=dice.choice(["flux-2", "gpt-4"]),
                provider=dice.choice(["openai", "fal", None]), project_id=dice.choice([None, *projects]),
                state=dice.choice(ENDED), seconds=dice.randint(0, 90), tokens=dice.choice([0, 7, 400]),
            )  # fmt: skip
            made.append(one)
            for _ in range(dice.choice([0, 1, 1, 2])):
                later = timedelta(seconds=dice.choice([1, 40, 5_000, 200_000]))
                payer = dice.choice(["account", "account", "byok", "platform"])
                nanos = dice.choice([1, 515_000, 40_000_000])
                paid.append(await pay(db, account_id, one, nanos, one.at + later, payer))
    return made, paid


def summed(made: Iterable[Made], paid: Iterable[Paid], zone: str) -> dict[tuple[Any, ...], dict[str, int]]:
    """By (day, project, provider, model, kind): every sum that is not zero."""
    sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for one in made:
        row = sums[_key(one, one.at, zone)]
        row["request_count"] += 1
        row[COLUMNS[one.state]] += 1
        row["total_tokens"] += one.tokens if one.provider is not None else 0
        row["duration_ms_total"] += one.seconds * 1000 if one.state == "completed" else 0
    for bill in paid:
        if bill.payer != "platform":
            column = "total_cost_nanos" if bill.payer == "account" else "own_cost_nanos"
            sums[_key(bill.of, bill.at, zone)][column] += bill.nanos
    return {key: {name: n for name, n in row.items() if n} for key, row in sums.items()}


def _key(made: Made, at: datetime, zone: str) -> tuple[Any, ...]:
    return (day_of(at, zone), made.project_id, made.provider, made.model, made.kind)


def day_of(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
