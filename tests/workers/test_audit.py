"""The audit: what the emulated Replicate lists, against the submissions that were recorded."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from shared.domains.callbacks import callback_url
from shared.ids import new_id
from shared.settings import Settings
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline
from workers import audit as audit_module
from workers.audit import Auditor
from workers.engine import Engine
from workers.providers.replicate.adapter import ReplicateProvider

BASE = "https://penstock.example"
MODEL = "black-forest-labs/flux-1.1-pro"


@pytest.fixture
def settings_here(pipeline: Pipeline) -> Settings:
    return pipeline.settings.model_copy(update={"callback_base_url": BASE, "allow_private_urls": True})


@pytest.fixture
async def emulator(pipeline: Pipeline) -> AsyncIterator[ReplicateEmulator]:
    async with ReplicateEmulator() as running:
        yield running
    await pipeline.worker.execute("DELETE FROM provider_audits")


@pytest.fixture
async def auditor(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Auditor]:
    """An auditor for whom a job is settled as soon as it is made."""
    monkeypatch.setattr(audit_module, "SETTLED_AFTER_S", -60.0)
    monkeypatch.setattr(ReplicateProvider, "find_window_s", -60.0)
    provider = ReplicateProvider("r8_test", emulator.url)
    yield Auditor(pipeline.worker, {"replicate": provider}, settings_here)
    await provider.close()


async def by_hand(emulator: ReplicateEmulator, webhook: str | None) -> str:
    """A prediction that nobody recorded; returns its id."""
    body: dict[str, Any] = {"input": {"prompt": "x"}}
    if webhook is not None:
        body["webhook"] = webhook
    async with (
        aiohttp.ClientSession(emulator.url, headers={"Authorization": "Bearer r8_test"}) as http,
        http.post(f"/v1/models/{MODEL}/predictions", json=body) as answer,
    ):
        made: str = (await answer.json())["id"]
        return made


def url(settings: Settings, submission_id: UUID) -> str:
    made = callback_url(settings, "replicate", submission_id)
    assert made is not None
    return made


async def latest(pipeline: Pipeline) -> Any:
    return await pipeline.worker.fetchrow("SELECT * FROM provider_audits ORDER BY started_at DESC LIMIT 1")


async def recorded(pipeline: Pipeline, emulator: ReplicateEmulator, settings: Settings) -> UUID:
    """The id of a submission whose prediction is as it should be."""
    generation_id, submission_id = new_id(), new_id()
    remote_id = await by_hand(emulator, url(settings, submission_id))
    await pipeline.worker.execute(
        "INSERT INTO generations (id, account_id, kind, model, state, deadline_at)"
        " VALUES ($1, $2, 'image', 'm', 'completed', now())",
        generation_id, pipeline.account_id,
    )  # fmt: skip
    await pipeline.worker.execute(
        "INSERT INTO submissions (id, generation_id, account_id, n, provider, model, request_hash, state, remote_id)"
        " VALUES ($1, $2, $3, 1, 'replicate', 'm', 'h', 'done', $4)",
        submission_id, generation_id, pipeline.account_id, remote_id,
    )  # fmt: skip
    return submission_id


async def test_an_orphan_made_by_hand_is_found(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, auditor: Auditor
) -> None:
    await recorded(pipeline, emulator, settings_here)
    submission_id = new_id()
    orphan = await by_hand(emulator, url(settings_here, submission_id))
    await by_hand(emulator, None)
    elsewhere = settings_here.model_copy(update={"secret_key": type(settings_here.secret_key)("another" * 6)})
    await by_hand(emulator, url(elsewhere, new_id()))
    (done,) = await auditor.tick()
    assert (done.orphans, done.missing) == (1, 0)
    row = await latest(pipeline)
    assert (row["listed"], row["known"], row["foreign_jobs"], row["orphans"]) == (4, 1, 2, 1)
    (finding,) = row["findings"]
    assert finding["what"] == "unknown_submission"
    assert (finding["remote_id"], finding["submission_id"]) == (orphan, str(submission_id))
    assert finding["model"] == MODEL
    gauges = await pipeline.app.fetch("SELECT gauge, labels, value FROM auth.audit_gauges()")
    told = {row["gauge"]: row["value"] for row in gauges}
    assert told["audit_age_seconds"] >= 0
    assert {name: told[name] for name in ("audit_orphans", "audit_missing", "audit_foreign")} == {
        "audit_orphans": 1, "audit_missing": 0, "audit_foreign": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "remote_id", "what"),
    [
        ("done", "another", "second_job"),
        ("lost", None, "written_off"),
        ("possibly_billed", None, "written_off"),
        ("unknown", None, None),
        ("intent", None, None),
    ],
)
async def test_how_a_marked_job_stands_to_its_submission(
    pipeline: Pipeline,
    emulator: ReplicateEmulator,
    settings_here: Settings,
    auditor: Auditor,
    state: str,
    remote_id: str | None,
    what: str | None,
) -> None:
    submission_id = await recorded(pipeline, emulator, settings_here)
    emulator.predictions.clear()
    emulator._order.clear()
    if remote_id is not None:
        remote_id = await by_hand(emulator, None)
    await pipeline.worker.execute(
        "UPDATE submissions SET state = $2, remote_id = $3 WHERE id = $1", submission_id, state, remote_id
    )
    await by_hand(emulator, url(settings_here, submission_id))
    (done,) = await auditor.tick()
    assert [finding["what"] for finding in done.findings] == ([what] if what else [])


async def test_a_job_that_another_submission_counts_as_its_own_is_told(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, auditor: Auditor
) -> None:
    submission_id = await recorded(pipeline, emulator, settings_here)
    mistaken = await by_hand(emulator, url(settings_here, new_id()))
    await pipeline.worker.execute(
        "UPDATE submissions SET remote_id = $2 WHERE id = $1", submission_id, mistaken
    )
    (done,) = await auditor.tick()
    assert sorted(finding["what"] for finding in done.findings) == ["claimed_by_other", "second_job"]


async def test_a_submission_that_the_provider_does_not_list_is_missing(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, auditor: Auditor
) -> None:
    submission_id = await recorded(pipeline, emulator, settings_here)
    emulator._order.clear()
    (done,) = await auditor.tick()
    assert (done.orphans, done.missing) == (0, 1)
    assert done.findings[0]["submission_id"] == str(submission_id)


async def test_once_a_day_and_on_from_where_the_last_one_ended(
    pipeline: Pipeline, emulator: ReplicateEmulator, auditor: Auditor
) -> None:
    (first,) = await auditor.tick()
    assert await auditor.tick() == []
    await pipeline.worker.execute(
        "UPDATE provider_audits SET started_at = started_at - interval '25 hours',"
        " finished_at = finished_at - interval '25 hours'"
    )
    (second,) = await auditor.tick()
    assert second.since == first.until
    assert (datetime.now(UTC) - first.since).total_seconds() == pytest.approx(86_400, abs=60)


async def test_a_list_that_breaks_off_is_read_again_an_hour_later(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, auditor: Auditor
) -> None:
    await by_hand(emulator, url(settings_here, new_id()))
    emulator.faults.add("list", Effect.REFUSE, times=1)
    assert await auditor.tick() == []
    row = await latest(pipeline)
    assert row["finished_at"] is None
    assert row["error"]
    assert await auditor.tick() == []
    await pipeline.worker.execute("UPDATE provider_audits SET started_at = now() - interval '61 minutes'")
    (done,) = await auditor.tick()
    assert done.orphans == 1


async def test_many_pages_are_one_audit(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings, auditor: Auditor
) -> None:
    for _ in range(120):
        await by_hand(emulator, url(settings_here, new_id()))
    (done,) = await auditor.tick()
    assert (done.orphans, len(done.findings)) == (120, 100)
    assert len(emulator.seen("list")) == 2


async def test_what_has_no_list_or_no_key_is_not_asked(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings
) -> None:
    keyless = ReplicateProvider(None, emulator.url)
    assert await Auditor(pipeline.worker, {"replicate": keyless}, settings_here).tick() == []
    assert emulator.seen("list") == []
    await keyless.close()


async def test_maintenance_audits_by_itself(
    pipeline: Pipeline, emulator: ReplicateEmulator, settings_here: Settings
) -> None:
    engine = await Engine.open(
        settings_here,
        (),
        maintenance=True,
        providers={"replicate": ReplicateProvider("r8_test", emulator.url)},
    )
    await engine.start()
    try:
        async with asyncio.timeout(90):
            while (row := await latest(pipeline)) is None or row["finished_at"] is None:
                await asyncio.sleep(0.02)
    finally:
        await engine.drain()
        await engine.close()
    assert row["provider"] == "replicate"
