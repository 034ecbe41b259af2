"""The archive: what is moved, exactly and once, and that it is read as if it had never moved."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner

from cli.archive import app
from shared.domains import archive, history, ledger, projects, storage
from shared.domains.analytics import rollup
from shared.domains.history import PageFilter
from shared.domains.trash import restore, soft_delete
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from tests.pipeline import Pipeline
from tests.usage_history import make, random_history
from workers.archiver import Archiver

NOW = datetime.now(UTC)
MONTH = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
PLACES = ("archived", "detached")

_OUTPUTS = """
INSERT INTO outputs (generation_id, n, account_id, kind, key, mime, bytes, sha256)
SELECT g.id, 0, g.account_id, g.kind,
    'users/' || g.account_id || '/generations/' || g.id || '/0.png', 'image/png', 7, 'h'
FROM generations g WHERE g.account_id = $1 AND g.state = 'completed'
"""
_EVENTS = """
INSERT INTO generation_events (generation_id, seq, account_id, type, data)
SELECT g.id, 1, g.account_id, 'generation.' || g.state, '{"x": null, "y": [1.5, "ö"]}' FROM generations g
WHERE g.account_id = $1
"""
# As if all of it had ended orderly: what is reserved is given back, what was settled is the cost.
_SETTLE = """
UPDATE generations g SET cost_status = 'final', cost_nanos = nullif(l.nanos, 0), updated_at = g.completed_at
FROM (SELECT g.id, coalesce(sum(l.nanos) FILTER (WHERE l.payer = 'account'), 0) AS nanos
    FROM generations g LEFT JOIN ledger l ON l.generation_id = g.id GROUP BY g.id) AS l
WHERE g.id = l.id AND g.account_id = $1
"""


def ago(months: int) -> datetime:
    """The middle of the month so many months ago."""
    first = MONTH
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first + timedelta(days=14)


@pytest.fixture
async def past(pipeline: Pipeline) -> AsyncIterator[UUID]:
    """A project whose account has worked six, five, four months ago and yesterday."""
    project_id, account_id = new_id(), pipeline.account_id
    await pipeline.worker.execute(
        "INSERT INTO projects (id, user_id, name) VALUES ($1, $2, 'fog')", project_id, account_id
    )
    moments = [ago(6), ago(5), ago(4), NOW - timedelta(days=2)]
    await random_history(pipeline.worker, account_id, 7, moments, [project_id])
    for sql in (_OUTPUTS, _EVENTS, _SETTLE):
        await pipeline.worker.execute(sql, account_id)
    yield project_id
    await pipeline.worker.execute("DELETE FROM accounts WHERE id = $1", account_id)
    left = "SELECT count(*) FROM archive.all_generations WHERE account_id = $1"
    assert await pipeline.worker.fetchval(left, account_id) == 0
    await pipeline.worker.execute("SELECT archive.attach_month(m) FROM unnest(archive.detached()) AS m")


async def _put(pipeline: Pipeline, place: str) -> None:
    """Moves what is old, and detaches one of its months."""
    assert await Archiver(pipeline.worker, 3, 4 if place == "detached" else 0).keep() > 0
    detached = await pipeline.worker.fetchval("SELECT cardinality(archive.detached())")
    assert detached >= 2 if place == "detached" else detached == 0


async def _everything(pipeline: Pipeline) -> Mapping[str, Any]:
    """All rows, as text, and the sums that somebody would miss."""
    found: dict[str, Any] = {}
    for name in ("generations", "submissions", "generation_events"):
        rows = await pipeline.worker.fetch(f"SELECT t::text AS row FROM archive.all_{name} AS t ORDER BY 1")
        found[name] = [row["row"] for row in rows]
    found["outputs"] = await pipeline.worker.fetch("SELECT * FROM outputs ORDER BY generation_id, n")
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        # Those that are found at the same time come in any order.
        found["verified"] = replace(await ledger.verify(tx, ago(12)), differences=())
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        found["stored"] = await storage.usage(tx, pipeline.account_id)
        found["projects"] = await projects.page(tx, None, None, 10)
        found["spent"] = await tx.fetchval("SELECT sum(nanos) FROM ledger")
        found["workbench"] = await tx.fetch("SELECT * FROM workbench_generations ORDER BY id")
    return found


async def test_months_are_made_ahead(pipeline: Pipeline) -> None:
    async with pipeline.worker.transaction() as tx:
        await archive.make_months(tx)
        assert await archive.make_months(tx) == 0
        known = {month.first: month.attached for month in await archive.months(tx)}
    following = MONTH.date()
    for _ in range(1 + archive.MONTHS_AHEAD):
        assert known[following]
        following = (following + timedelta(days=31)).replace(day=1)


async def test_a_move_is_exact_and_happens_once(pipeline: Pipeline, past: UUID) -> None:
    before = await _everything(pipeline)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    moved = await Archiver(pipeline.worker, 3, 0).keep()
    hot = await pipeline.worker.fetch("SELECT created_at FROM generations")
    assert moved > 12
    assert len(hot) + moved == len(before["generations"])
    assert min(row["created_at"] for row in hot) >= ago(3).replace(day=1, hour=0)
    assert await _everything(pipeline) == before
    assert await Archiver(pipeline.worker, 3, 0).keep() == 0
    recount = await rollup.recount(pipeline.worker, pipeline.account_id)
    assert recount is not None
    assert recount.total == 0


@pytest.mark.parametrize(
    "hold",
    [
        "UPDATE generations SET cost_status = 'reconciling'",
        "UPDATE generations SET cost_status = 'unpriced'",
        "UPDATE submissions SET state = 'unknown'",
        "UPDATE submissions SET check_at = now()",
        "INSERT INTO provider_callbacks (id, submission_id, provider, event_id, headers, body, verified)"
        " SELECT gen_random_uuid(), id, 'p', 'e', '{}', '', true FROM submissions",
        "INSERT INTO webhook_deliveries (id, account_id, generation_id, url, type)"
        " SELECT gen_random_uuid(), account_id, id, 'u', 't' FROM generations",
        "UPDATE generations SET completed_at = now()",
    ],
)
async def test_what_is_still_needed_stays(pipeline: Pipeline, hold: str) -> None:
    await make(pipeline.worker, pipeline.account_id, ago(5))
    await pipeline.worker.execute(_SETTLE, pipeline.account_id)
    await pipeline.worker.execute(hold)
    assert await archive.move(pipeline.worker, 3) == 0
    assert await pipeline.worker.fetchval("SELECT count(*) FROM generations") == 1


async def test_a_failure_or_a_kill_moves_nothing(pipeline: Pipeline, past: UUID) -> None:
    before = await _everything(pipeline)
    hot = await pipeline.worker.fetchval("SELECT count(*) FROM generations")
    oldest = await pipeline.worker.fetchrow("SELECT * FROM generations ORDER BY id LIMIT 1")
    assert oldest is not None
    async with pipeline.worker.transaction() as tx:
        await tx.execute("SELECT archive.make_month(archive.month_of($1))", oldest["id"])
        month = await tx.fetchval("SELECT archive.suffix(archive.month_of($1))", oldest["id"])
    # A submission that is there already: the batch cannot be written whole.
    copy = f"INSERT INTO archive.submissions{month} SELECT * FROM submissions WHERE generation_id = $1"
    if (await pipeline.worker.execute(copy, oldest["id"])).endswith(" 0"):
        pytest.fail("the history begins without a submission")
    with pytest.raises(asyncpg.UniqueViolationError):
        await archive.move(pipeline.worker, 3)
    await pipeline.worker.execute(f"DELETE FROM archive.submissions{month}")
    assert await _everything(pipeline) == before
    # The backend dies with all of it done and nothing committed.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
        async with pipeline.worker.transaction() as tx:
            moved = await tx.fetchval("SELECT archive.move(now() - interval '90 days', 5)")
            assert moved == 5
            await tx.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
    assert await pipeline.worker.fetchval("SELECT count(*) FROM generations") == hot
    assert await archive.move(pipeline.worker, 3, most=5) == 5
    assert await _everything(pipeline) == before


async def test_two_movers_move_each_once(pipeline: Pipeline, past: UUID) -> None:
    before = await _everything(pipeline)
    await asyncio.gather(*(archive.move(pipeline.worker, 3, most=4) for _ in range(6)))
    assert await _everything(pipeline) == before


@pytest.mark.parametrize("place", PLACES)
async def test_lists_go_on_into_the_archive(pipeline: Pipeline, past: UUID, place: str) -> None:
    # Old and unsettled: it stays hot, older than what is archived.
    await make(pipeline.worker, pipeline.account_id, ago(5), state="waiting")
    filters = (
        PageFilter(),
        PageFilter(project_id=past),
        PageFilter(statuses=["completed"], kinds=["image"]),
        PageFilter(created_before=ago(4)),
        PageFilter(created_after=ago(5), created_before=ago(4)),
        PageFilter(created_before=ago(40)),
    )
    before = [await _pages(pipeline, where) for where in filters]
    assert [len(ids) > 3 for ids in before] == [True] * 5 + [False]
    await _put(pipeline, place)
    assert [await _pages(pipeline, where) for where in filters] == before
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        assert await history.matching_ids(tx, PageFilter(), 500) == before[0]


async def _pages(pipeline: Pipeline, where: PageFilter) -> list[UUID]:
    ids: list[UUID] = []
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        while rows := await history.page(tx, where, ids[-1] if ids else None, 7):
            ids += [row["id"] for row in rows]
            assert all(len(row["outputs"]) == (row["state"] == "completed") for row in rows)
    assert ids == sorted(set(ids), reverse=True)
    return ids


@pytest.mark.parametrize("place", PLACES)
async def test_one_is_read_as_before(pipeline: Pipeline, past: UUID, place: str) -> None:
    ids = [row["id"] for row in await pipeline.worker.fetch("SELECT id FROM generations ORDER BY id")]
    before = [await _one(pipeline, generation_id) for generation_id in ids]
    await _put(pipeline, place)
    assert [await _one(pipeline, generation_id) for generation_id in ids] == before


async def _one(pipeline: Pipeline, generation_id: UUID) -> Any:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        return (
            await history.get(tx, generation_id),
            await history.submissions(tx, generation_id),
            await history.events_since(tx, generation_id, 0),
        )


@pytest.mark.parametrize("place", PLACES)
async def test_deleting_and_letting_go_reach_the_archive(pipeline: Pipeline, past: UUID, place: str) -> None:
    await _put(pipeline, place)
    oldest = await pipeline.worker.fetchval("SELECT id FROM archive.all_generations ORDER BY id LIMIT 1")
    async with pipeline.app.transaction(new_id()) as tx:
        assert await soft_delete(tx, oldest) is None, "it is another account's"
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        assert await soft_delete(tx, oldest) is True
        assert await soft_delete(tx, oldest) is None
        assert await history.get(tx, oldest) is None
        assert await restore(tx, oldest) is True
        assert await history.get(tx, oldest) is not None
        held = await projects.delete(tx, past)
        assert held.generations > 3
    rows = await pipeline.worker.fetch("SELECT project_id, project_name FROM archive.all_generations")
    assert {row["project_id"] for row in rows} == {None}
    assert sum(row["project_name"] == "fog" for row in rows) == held.generations


async def test_months_are_detached_and_attached(pipeline: Pipeline, past: UUID) -> None:
    await _put(pipeline, "archived")
    month = ago(5).date().replace(day=1)
    for change in (archive.detach, archive.attach):
        async with pipeline.worker.transaction() as tx:
            await change(tx, month)
        with pytest.raises(Conflict):
            async with pipeline.worker.transaction() as tx:
                await change(tx, month)
    with pytest.raises(NotFound):
        async with pipeline.worker.transaction() as tx:
            await archive.detach(tx, date(1999, 1, 1))


async def test_late_work_goes_into_a_detached_month(pipeline: Pipeline, past: UUID) -> None:
    await _put(pipeline, "detached")
    await make(pipeline.worker, pipeline.account_id, ago(6))
    await pipeline.worker.execute(_SETTLE, pipeline.account_id)
    before = await _everything(pipeline)
    assert await archive.move(pipeline.worker, 3) == 1
    assert await _everything(pipeline) == before


async def test_the_command(pipeline: Pipeline, past: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    month = f"{ago(5):%Y-%m}"
    monkeypatch.setenv("DATABASE_WORKER_URL", pipeline.settings.worker_url)
    monkeypatch.setenv("GENERATIONS_HOT_MONTHS", "3")
    for argv, code, says in (
        (["run"], 0, "generations moved."),
        (["detach", month], 0, f"{month} is detached."),
        (["ls", "--json"], 0, '"state": "detached"'),
        (["attach", month, "--json"], 0, f'"month": "{month}"'),
        (["attach", month], 1, f"{month} is attached already."),
        (["attach", "soon"], 2, "Say a month such as 2026-01."),
    ):
        told = await asyncio.to_thread(CliRunner().invoke, app, argv)
        assert (told.exit_code, says in told.output) == (code, True), told.output
