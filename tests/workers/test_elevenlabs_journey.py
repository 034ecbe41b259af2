"""Generations through the real ElevenLabs and Mubert adapters, against their emulators: what was paid for, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.domains.history import outputs
from shared.executor import Executor
from shared.ids import new_id
from shared.storage import ObjectStore
from tests.emulators.base import Effect, Emulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.media import sound
from tests.emulators.mubert import MubertEmulator
from tests.pipeline import Pipeline
from workers.providers.elevenlabs.adapter import ElevenLabsProvider
from workers.providers.mubert import MubertProvider

QUICK = {"allow_private_urls": True, "find_window_s": 1.0, "heartbeat_interval_s": 0.1}


@pytest.fixture
async def emulator() -> AsyncIterator[ElevenLabsEmulator]:
    async with ElevenLabsEmulator() as running:
        yield running


@pytest.fixture
async def tracks() -> AsyncIterator[MubertEmulator]:
    async with MubertEmulator() as running:
        yield running


@pytest.fixture
async def store(pipeline: Pipeline) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@asynccontextmanager
async def serving(pipeline: Pipeline, emulator: Emulator, **changes: Any) -> AsyncIterator[None]:
    async with Executor() as executor:
        provider = (
            ElevenLabsProvider("xi_test", emulator.url, executor, allow_private=True)
            if isinstance(emulator, ElevenLabsEmulator)
            else MubertProvider("customer", "token", emulator.url)
        )
        async with pipeline.engine(provider, kinds=("audio", "music"), **{**QUICK, **changes}):
            yield


async def speak(pipeline: Pipeline, text: str = "Fog over the harbour.", **given: Any) -> UUID:
    return await pipeline.submit("audio", model="elevenlabs", input={"text": text, **given})


async def compose(pipeline: Pipeline, model: str = "elevenlabs", **given: Any) -> UUID:
    return await pipeline.submit("music", model=model, input={"prompt": "a slow waltz", **given})


async def paid(pipeline: Pipeline, generation_id: UUID) -> int:
    """What the ledger says once nothing is reserved any more."""
    return sum((await pipeline.ledger(generation_id)).values())


async def states(pipeline: Pipeline, generation_id: UUID) -> list[str]:
    return [submission["state"] for submission in await pipeline.submissions(generation_id)]


@pytest.mark.parametrize(
    ("wanted", "mime"), [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("ogg", "audio/ogg")]
)
async def test_speech_is_stored_described_and_paid(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore, wanted: str, mime: str
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline, format=wanted)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert row["cost_nanos"] == await paid(pipeline, generation_id) == emulator.billed_nanos() > 0
    async with pipeline.worker.transaction() as tx:
        (output,) = (await outputs(tx, [generation_id]))[generation_id]
    assert (output["mime"], output["duration_s"] > 0.5) == (mime, True)


async def test_music_is_paid_by_its_length(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator):
        generation_id = await compose(pipeline, duration_s=20)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() == 100_000_000


@pytest.mark.parametrize(("seconds", "state"), [(12.0, "completed"), (5.0, "failed")])
async def test_a_voice_that_nobody_measured_is_measured_cloned_and_deleted(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore, seconds: float, state: str
) -> None:
    recording, upload_id = sound("mp3", seconds), new_id()
    await store.put_bytes("tests/voice.mp3", recording, "audio/mpeg")
    await pipeline.worker.execute(
        "INSERT INTO uploads (id, account_id, state, filename, key, mime, bytes)"
        " VALUES ($1, $2, 'ready', 'voice.mp3', 'tests/voice.mp3', 'audio/mpeg', $3)",
        upload_id,
        pipeline.account_id,
        len(recording),
    )
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline, voice_sample=str(upload_id), consent=True)
        row = await pipeline.until(generation_id)
    assert row["state"] == state, row["error"]
    assert (len(emulator.voices_made), emulator.clones) == (int(state == "completed"), [])
    assert await paid(pipeline, generation_id) == emulator.billed_nanos()
    if state == "failed":
        assert row["error"]["details"] == {"field": "input.voice_sample"}


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.REFUSE_AFTER, Effect.OUTPUT_TRUNCATED])
async def test_speech_whose_answer_was_lost_is_delivered_from_the_history_and_paid_once(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore, effect: Effect
) -> None:
    emulator.faults.add("speak", effect, times=1)
    async with serving(pipeline, emulator, find_window_s=60.0):
        generation_id = await speak(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert (len(emulator.seen("speak")), len(emulator.seen("item_audio"))) == (1, 1)
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0
    assert (await states(pipeline, generation_id), row["attempts"]) == (["done"], 1)


async def test_two_equal_texts_are_two_bills(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator, find_window_s=60.0):
        first = await speak(pipeline)
        await pipeline.until(first)
        emulator.faults.add("speak", Effect.RESET_AFTER, times=1)
        second = await speak(pipeline)
        await pipeline.until(second)
    bills = [await paid(pipeline, generation_id) for generation_id in (first, second)]
    assert (sum(bills), len(emulator.invoice())) == (emulator.billed_nanos(), 2)


async def test_what_never_arrived_is_sent_again_once_its_window_has_passed(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, emulator, find_window_s=0.5):
        await pipeline.until(await speak(pipeline, "Something before."))
        emulator.faults.add("speak", Effect.RESET, times=1)
        generation_id = await speak(pipeline)
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert await states(pipeline, generation_id) == ["lost", "done"]
    assert await paid(pipeline, generation_id) == row["cost_nanos"]
    assert len(emulator.invoice()) == 2


async def test_without_a_history_a_lost_answer_is_not_charged_and_not_sent_again(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.history = False
    emulator.faults.add("speak", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_TIMEOUT")
    assert (await paid(pipeline, generation_id), len(emulator.seen("speak"))) == (0, 1)
    assert await states(pipeline, generation_id) == ["possibly_billed"]


async def test_lost_music_is_not_charged_and_not_sent_again(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("compose", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator):
        generation_id = await compose(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["details"]) == ("failed", {"possibly_billed": True})
    assert (await paid(pipeline, generation_id), len(emulator.seen("compose"))) == (0, 1)


async def test_what_cannot_be_kept_fails_and_costs_what_was_billed(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.faults.add("speak", Effect.OUTPUT_GARBAGE)
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"], row["cost_status"]) == ("failed", "UPLOAD_FAILED", "final")
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_more_at_once_than_the_plan_allows_waits_and_spends_no_attempt(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.concurrent, emulator.speak_s = 1, 0.2
    async with serving(pipeline, emulator):
        ids = [await speak(pipeline, f"Number {n}.") for n in range(3)]
        rows = [await pipeline.until(generation_id) for generation_id in ids]
    assert [(row["state"], row["attempts"]) for row in rows] == [("completed", 1)] * 3
    assert sum([await paid(pipeline, generation_id) for generation_id in ids]) == emulator.billed_nanos()


async def test_a_quota_that_is_used_up_fails_uncharged(
    pipeline: Pipeline, emulator: ElevenLabsEmulator
) -> None:
    emulator.credits_left = 1
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline)
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_AUTH")
    assert await paid(pipeline, generation_id) == len(emulator.invoice()) == 0


async def test_a_cancel_while_it_speaks_costs_what_was_billed(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.speak_s = 0.5
    async with serving(pipeline, emulator):
        generation_id = await speak(pipeline)
        async with asyncio.timeout(90):
            while not emulator.sales:
                await asyncio.sleep(0.01)
        await pipeline.cancel(generation_id)
        row = await pipeline.until(generation_id)
        async with asyncio.timeout(90):
            while (await pipeline.row(generation_id))["cost_status"] == "reconciling":
                await asyncio.sleep(0.01)
    assert row["state"] in {"completed", "canceled"}
    assert await paid(pipeline, generation_id) == emulator.billed_nanos() > 0


async def test_a_cancel_of_speech_whose_answer_was_lost_is_settled_from_the_history(
    pipeline: Pipeline, emulator: ElevenLabsEmulator, store: ObjectStore
) -> None:
    emulator.history_lag_s = 1.0
    emulator.faults.add("speak", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, emulator, find_window_s=60.0):
        await pipeline.until(await speak(pipeline, "Something before."))
        generation_id = await speak(pipeline)
        await pipeline.until(generation_id, "submitting")
        await pipeline.cancel(generation_id)
        await pipeline.until(generation_id)
        async with asyncio.timeout(90):
            while (await pipeline.row(generation_id))["cost_status"] == "reconciling":
                await asyncio.sleep(0.01)
    assert await paid(pipeline, generation_id) == emulator.sales[-1].nanos


async def test_a_track_is_stored_and_paid(
    pipeline: Pipeline, tracks: MubertEmulator, store: ObjectStore
) -> None:
    async with serving(pipeline, tracks):
        generation_id = await compose(pipeline, "mubert", format="wav")
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert await paid(pipeline, generation_id) == tracks.billed_nanos() > 0


async def test_a_track_whose_answer_was_lost_is_found_and_paid_once(
    pipeline: Pipeline, tracks: MubertEmulator, store: ObjectStore
) -> None:
    tracks.faults.add("create", Effect.RESET_AFTER, times=1)
    async with serving(pipeline, tracks, find_window_s=60.0):
        generation_id = await compose(pipeline, "mubert")
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed", row["error"]
    assert (await paid(pipeline, generation_id), len(tracks.tracks)) == (tracks.billed_nanos(), 1)


async def test_a_track_that_is_canceled_is_made_and_billed_all_the_same(
    pipeline: Pipeline, tracks: MubertEmulator
) -> None:
    tracks.run_s = 60
    async with serving(pipeline, tracks):
        generation_id = await compose(pipeline, "mubert")
        await pipeline.until(generation_id, "waiting")
        await pipeline.cancel(generation_id)
        row = await pipeline.until(generation_id)
        assert (row["state"], row["cost_status"]) == ("canceled", "reconciling")
        await tracks.advance(61)
        async with asyncio.timeout(90):
            while (await pipeline.row(generation_id))["cost_status"] == "reconciling":
                await asyncio.sleep(0.01)
    assert await paid(pipeline, generation_id) == tracks.billed_nanos() > 0
