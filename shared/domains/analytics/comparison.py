"""How providers compare: every call to one, whether or not its generation came to a result by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains.analytics.record import Run, Standing, tables_of
from shared.domains.analytics.report import Asked, require_project
from shared.money import Nanos

MAX_DAYS = 366
"""The calls of so many days are read, one by one: percentiles cannot be summed."""


class Side(StrEnum):
    """What is compared: providers, or their models."""

    PROVIDER = "provider"
    MODEL = "model"


# A call counts on the day on which its generation was asked for. One that was called off before it was made has no
# error; a duplicate is a fault of ours. What cannot be told is neither a success nor a failure.
_COMPARED = """
WITH calls AS (
    SELECT s.provider, {model} AS model, g.project_id, s.cost_nanos,
        CASE WHEN s.state = 'done' AND s.error IS NULL THEN 'success'
            WHEN s.state IN ('intent', 'accepted', 'unknown') THEN 'open'
            WHEN s.error IS NULL AND s.state = 'rejected' THEN NULL
            WHEN s.error ->> 'code' = 'CANCELED' THEN NULL
            WHEN s.state IN ('done', 'rejected', 'lost', 'possibly_billed') THEN 'failure' END AS outcome,
        CASE WHEN s.state IN ('lost', 'possibly_billed') THEN upper(s.state)
            ELSE coalesce(s.error ->> 'code', 'UPLOAD_FAILED') END AS class,
        CASE WHEN s.state = 'done' AND s.error IS NULL
            THEN jsonb_array_length(coalesce(s.result -> 'outputs', '[]')) ELSE 0 END AS outputs,
        extract(epoch FROM s.ended_at - s.intent_at) * 1000 AS run_ms
    FROM {generations} g JOIN {submissions} s ON s.generation_id = g.id
    WHERE g.account_id = $1 AND g.id >= id_floor(($3::date - 2)::timestamp AT TIME ZONE 'UTC')
        AND g.id < id_floor(($4::date + 3)::timestamp AT TIME ZONE 'UTC')
        AND (g.created_at AT TIME ZONE $2)::date BETWEEN $3 AND $4
        AND ($5::uuid IS NULL OR g.project_id = $5) AND ($6::text IS NULL OR g.kind = $6)
        AND ($7::text IS NULL OR s.provider = $7)
), failed AS (
    SELECT provider, model, jsonb_object_agg(class, calls ORDER BY class) AS failures FROM (
        SELECT provider, model, class, count(*) AS calls FROM calls WHERE outcome = 'failure' GROUP BY 1, 2, 3
    ) AS f GROUP BY 1, 2
)
SELECT c.provider, c.model, count(c.outcome)::int AS calls,
    count(*) FILTER (WHERE outcome = 'success')::int AS successes,
    count(*) FILTER (WHERE outcome = 'failure')::int AS failures,
    count(*) FILTER (WHERE outcome = 'open')::int AS unfinished,
    coalesce(sum(outputs), 0)::int AS outputs, coalesce(sum(cost_nanos), 0)::bigint AS cost_nanos,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY run_ms) FILTER (WHERE outcome = 'success') AS run_ms,
    coalesce((SELECT f.failures FROM failed f WHERE f.provider = c.provider AND f.model IS NOT DISTINCT FROM c.model),
        '{{}}') AS classes
FROM calls c GROUP BY c.provider, c.model HAVING count(c.outcome) > 0 ORDER BY calls DESC, c.provider, c.model
"""


@dataclass(frozen=True, slots=True)
class Standings:
    """One side of the comparison. `model` is None where providers are compared.

    A run is timed from the call to the final word. The cost is all that was billed, for failures too.
    """

    provider: str
    model: str | None
    calls: int
    successes: int
    failures: int
    unfinished: int
    outputs: int
    cost: Nanos
    p50_ms: int | None
    p95_ms: int | None
    classes: Mapping[str, int]
    """Failed calls by the code of their error; LOST and POSSIBLY_BILLED where it is not known what became of them."""

    @property
    def success_rate(self) -> float | None:
        ended = self.successes + self.failures
        return self.successes / ended if ended else None

    @property
    def cost_per_output(self) -> Nanos | None:
        return Nanos(round(self.cost / self.outputs)) if self.outputs else None


async def compare(tx: Tx, account_id: UUID, now: Standing, asked: Asked, by: Side) -> Sequence[Standings]:
    """The most used first. Raises NotFound for a project that the account does not have."""
    if asked.project_id is not None:
        await require_project(tx, asked.project_id)
    tables = await tables_of(tx, account_id, [Run(asked.first, asked.last)])
    model = "s.model" if by is Side.MODEL else "NULL::text"
    rows = await tx.fetch(
        _COMPARED.format(model=model, generations=tables.generations, submissions=tables.submissions),
        account_id, now.timezone, asked.first, asked.last, asked.project_id, asked.kind, asked.provider,
    )  # fmt: skip
    return [_standings(row) for row in rows]


def _standings(row: Mapping[str, Any]) -> Standings:
    p50_ms, p95_ms = row["run_ms"] or (None, None)
    return Standings(
        row["provider"], row["model"], row["calls"], row["successes"], row["failures"], row["unfinished"],
        row["outputs"], Nanos(row["cost_nanos"]), _whole(p50_ms), _whole(p95_ms), row["classes"],
    )  # fmt: skip


def _whole(ms: float | None) -> int | None:
    return None if ms is None else round(ms)
