"""Generations over HTTP: submit, look, wait, cancel, do again, delete."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from yarl import URL

from gateway.resources import GenerationResource
from shared.domains import eta, fleet, run_times
from shared.domains.changes import Lease
from shared.domains.generations import Lifecycle
from shared.domains.run_times import SUBMIT, Sample
from shared.ids import new_id
from tests.gateway.api import Api, Painter, image

GENERATIONS = "/api/v1/generations"


async def test_submit_answers_202_with_the_resource(api: Api) -> None:
    answer = await api.post(GENERATIONS, image(metadata={"order": 7}, priority="high"))
    resource = answer.json
    assert answer.status == 202
    assert answer.headers["Location"] == f"{GENERATIONS}/{resource['id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert (resource["status"], resource["stage"], resource["seq"]) == ("queued", "routing", 1)
    assert (resource["metadata"], resource["priority"]) == ({"order": 7}, "high")
    assert resource["cost"]["status"] == "reserved"
    GenerationResource.model_validate_json(answer.content)


async def test_a_completed_generation_has_its_outputs(api: Api, painter: Painter) -> None:
    resource = await api.until_ended((await api.submit())["id"])
    answer = await api.get(f"{GENERATIONS}/{resource['id']}")
    found = GenerationResource.model_validate_json(answer.content)
    assert (found.status, found.stage, found.progress) == ("completed", None, 1.0)
    assert (found.outputs[0].mime, found.outputs[0].width) == ("image/png", 32)
    assert found.outputs[0].url.endswith(f"{GENERATIONS}/{resource['id']}/outputs/0")
    assert found.resolved is not None
    assert (found.resolved.provider, found.cost.status) == ("scripted", "final")


async def test_prefer_wait_answers_200_at_the_end(api: Api, painter: Painter) -> None:
    answer = await api.post(GENERATIONS, image(), headers={"Prefer": "respond-async, wait=20"})
    assert (answer.status, answer.json["status"]) == (200, "completed")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert len(answer.json["outputs"]) == 1


async def test_prefer_wait_answers_202_when_the_time_is_over(api: Api) -> None:
    answer = await api.post(GENERATIONS, image(), headers={"Prefer": "wait=0"})
    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert answer.headers["Preference-Applied"] == "wait=0"


async def test_a_wait_that_is_not_understood_is_ignored(api: Api) -> None:
    answer = await api.post(GENERATIONS, image(), headers={"Prefer": "wait=soon"})
    assert answer.status == 202
    assert "Preference-Applied" not in answer.headers


async def test_an_unchanged_generation_is_304(api: Api) -> None:
    path = f"{GENERATIONS}/{(await api.submit())['id']}"
    first = await api.get(path)
    assert first.headers["ETag"] == 'W/"1"'
    assert first.headers["Cache-Control"] == "no-store"
    again = await api.get(path, headers={"If-None-Match": 'W/"1"'})
    assert (again.status, again.content, again.headers["ETag"]) == (304, b"", 'W/"1"')
    await api.post(f"{path}/cancel")
    changed = await api.get(path, headers={"If-None-Match": 'W/"1"'})
    assert (changed.status, changed.headers["ETag"]) == (200, 'W/"2"')
    assert changed.headers["Cache-Control"].startswith("private, max-age=")


async def test_a_long_poll_with_an_etag_answers_at_the_first_change(api: Api) -> None:
    path = f"{GENERATIONS}/{(await api.submit())['id']}"
    poll = asyncio.create_task(api.get(f"{path}?wait=20", headers={"If-None-Match": 'W/"1"'}))
    await api.post(f"{path}/cancel")
    answer = await poll
    assert (answer.status, answer.json["status"], answer.json["seq"]) == (200, "canceled", 2)


async def test_a_long_poll_with_an_etag_hears_of_a_wait(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.waiting.LOOK_S", 60.0)
    generation_id, worker = UUID((await api.submit())["id"]), new_id()
    await api.gateway.worker.execute("UPDATE generations SET owner = $2 WHERE id = $1", generation_id, worker)
    poll = asyncio.create_task(
        api.get(f"{GENERATIONS}/{generation_id}?wait=60", headers={"If-None-Match": 'W/"1"'})
    )
    deps = api.gateway.deps
    async with asyncio.timeout(90):
        while not (channel := deps.hub._channels.get(api.account_id)) or not channel.watches:
            await asyncio.sleep(0.01)
        await deps.hub.repaired()
        lease = Lease(generation_id, 0, worker)
        await Lifecycle(api.gateway.worker, deps.publisher).release(lease, 60.0, waiting_for="cooldown")
        answer = await asyncio.wait_for(poll, 15)
    assert (answer.status, answer.json["seq"], answer.json["waiting_for"]["reason"]) == (200, 1, "cooldown")
    assert answer.headers["ETag"] == 'W/"1-cooldown"'


async def test_a_long_poll_with_an_etag_finds_what_nobody_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.waiting.LOOK_S", 0.1)
    made = await api.submit()
    path = f"{GENERATIONS}/{made['id']}?wait=60"
    poll = asyncio.create_task(api.get(path, headers={"If-None-Match": 'W/"1"'}))
    await asyncio.sleep(0.1)
    await api.gateway.worker.execute(
        "UPDATE generations SET rung = false, waiting_for = 'limit' WHERE id = $1", made["id"]
    )
    assert (await asyncio.wait_for(poll, 15)).json["waiting_for"]["reason"] == "limit"


async def test_queue_positions_count_the_accounts_own(api: Api, other: Api) -> None:
    await other.submit()
    first, second = await api.submit(), await api.submit(priority="high")
    assert (await api.get(f"{GENERATIONS}/{first['id']}")).json["queue_position"] == 1
    assert (await api.get(f"{GENERATIONS}/{second['id']}")).json["queue_position"] == 0


async def test_pages_follow_each_other_without_gap_or_repetition(api: Api, other: Api) -> None:
    made = [(await api.submit())["id"] for _ in range(5)]
    await other.submit()
    seen, path = [], f"{GENERATIONS}?limit=2&kind=image"
    while path:
        answer = await api.get(path)
        seen += [item["id"] for item in answer.json["data"]]
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next"] is None)
        path = link.partition(">")[0].removeprefix("<") if link else ""
    assert seen == made[::-1]


async def test_filters_add_up(api: Api) -> None:
    project = (await api.post("/api/v1/projects", {"name": "Foxes"})).json["id"]
    wanted = await api.submit(project_id=project, input={"prompt": "a 100% red_fox"})
    await api.submit(project_id=project)
    canceled = await api.submit(input={"prompt": "a 100% red_fox"})
    await api.post(f"{GENERATIONS}/{canceled['id']}/cancel")

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await api.get(f"{GENERATIONS}?{query}")).json["data"]]

    assert await ids(f"project={project}&q=100%25%20red_f") == [wanted["id"]]
    assert await ids("status=canceled,failed") == [canceled["id"]]
    assert await ids("status=canceled&status=failed&kind=image&model=scripted") == [canceled["id"]]
    assert await ids("q=100%25&created_before=2020-01-01T00:00:00Z") == []
    assert await ids("kind=video") == []


async def test_history_is_found_by_what_one_calls_a_model(api: Api) -> None:
    db = api.gateway.worker
    queued, ran = await api.submit(), await api.submit(input={"prompt": "no 50%_off sign"})
    await db.execute(
        "UPDATE generations SET provider = 'scripted', provider_model = 'labs/Flux-1-Schnell' WHERE id = $1",
        ran["id"],
    )
    await db.execute("UPDATE model_cards SET label = 'Script, the Elder' WHERE model = 'scripted-image'")

    async def ids(query: str) -> list[str]:
        return [item["id"] for item in (await api.get(f"{GENERATIONS}?{query}")).json["data"]]

    for name in ("model", "q"):
        assert await ids(f"{name}=flux-1") == [ran["id"]]
        assert await ids(f"{name}=SCRIPTED") == [ran["id"], queued["id"]]
        # What has run is not called by the label of what it might have run on.
        assert await ids(f"{name}=the+elder") == [queued["id"]]
        assert await ids(f"{name}=%25lux_1") == []
    assert await ids("model=flux&q=50%25_off") == [ran["id"]]
    assert await ids("model=flux&q=lighthouse") == []
    bulk = {"action": "cancel", "filter": {"model": "script"}}
    assert (await api.post(f"{GENERATIONS}:bulk", bulk)).json["done"] == 0


async def test_history_is_found_by_what_a_message_says(api: Api) -> None:
    messages = [{"role": "user", "content": 'Say "lanterns\nat dusk" once.'}]
    chat = await api.submit(kind="text", input={"messages": messages})
    await api.submit(kind="text", input={"prompt": "nothing of it"})

    async def ids(words: str) -> list[str]:
        found = await api.get(str(URL(GENERATIONS).with_query(q=words)))
        return [item["id"] for item in found.json["data"]]

    assert await ids('say "LANTERNS\nat') == [chat["id"]]
    assert await ids("user") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("after=bm90aGluZw", "after"),
        ("status=done", "status.0"),
        ("kind=poem", "kind.0"),
        ("project=7", "project"),
        ("created_after=yesterday", "created_after"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
        ("q=%00", "q"),
        ("colour=red", "colour"),
    ],
)
async def test_a_wrong_list_parameter_is_named(api: Api, query: str, field: str) -> None:
    assert (await api.get(f"{GENERATIONS}?{query}")).problem == (422, "INVALID_INPUT", field)


async def test_a_cursor_is_good_for_its_own_list_only(api: Api, other: Api) -> None:
    for _ in range(2):
        await api.submit()
    cursor = (await api.get(f"{GENERATIONS}?limit=1")).json["next"]
    assert (await api.get(f"{GENERATIONS}?limit=1&kind=image&after={cursor}")).problem[2] == "after"
    assert (await other.get(f"{GENERATIONS}?limit=1&after={cursor}")).problem[2] == "after"
    assert (await api.get(f"{GENERATIONS}?limit=1&after={cursor[:-2]}xx")).problem[2] == "after"


async def test_cancel_says_what_became_of_the_money(api: Api) -> None:
    path = f"{GENERATIONS}/{(await api.submit())['id']}/cancel"
    first, again = await api.post(path), await api.post(path)
    assert first.json["money"] == again.json["money"] == {"outcome": "released"}
    assert (first.json["status"], first.json["changed"]) == ("canceled", True)
    assert (again.json["status"], again.json["changed"]) == ("canceled", False)


async def test_canceling_what_runs_is_pending(api: Api, painter: Painter) -> None:
    painter.gate.clear()
    generation_id = (await api.submit())["id"]
    answer = await api.get(f"{GENERATIONS}/{generation_id}?wait=20", headers={"If-None-Match": 'W/"1"'})
    assert answer.json["status"] == "running"
    canceled = await api.post(f"{GENERATIONS}/{generation_id}/cancel")
    assert (canceled.json["status"], canceled.json["money"]) == ("running", {"outcome": "pending"})
    painter.gate.set()
    assert (await api.until_ended(generation_id))["status"] in {"canceled", "completed"}


async def test_retry_repeats_what_did_not_succeed(api: Api) -> None:
    first = await api.submit(metadata={"n": 1}, input={"prompt": "a fox", "seed": 3})
    path = f"{GENERATIONS}/{first['id']}"
    assert (await api.post(f"{path}/retry")).problem[:2] == (409, "CONFLICT")
    await api.post(f"{path}/cancel")
    second = await api.post(f"{path}/retry?provider=scripted")
    assert (second.status, second.json["parent_id"]) == (202, first["id"])
    assert (second.json["input"], second.json["metadata"]) == (first["input"], {"n": 1})
    assert (await api.post(f"{path}/retry?provider=nobody")).problem == (422, "INVALID_INPUT", "provider")


async def test_a_retry_with_a_key_is_made_once(api: Api) -> None:
    first = await api.submit()
    await api.post(f"{GENERATIONS}/{first['id']}/cancel")
    sent = {"headers": {"Idempotency-Key": "again"}}
    answers = [await api.post(f"{GENERATIONS}/{first['id']}/retry", **sent) for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


async def test_rerun_changes_what_is_asked(api: Api) -> None:
    first = await api.submit(input={"prompt": "a fox", "seed": 3, "aspect_ratio": "16:9"})
    path = f"{GENERATIONS}/{first['id']}/rerun"
    same = await api.post(path, {"seed": "same", "overrides": {"prompt": "a hare", "aspect_ratio": None}})
    assert same.json["input"]["prompt"] == "a hare"
    assert same.json["input"]["seed"] == 3
    assert "aspect_ratio" not in same.json["input"]
    fresh = await api.post(path)
    assert fresh.json["input"]["seed"] != 3
    assert fresh.json["parent_id"] == first["id"]
    wrong = await api.post(path, {"overrides": {"count": 99}})
    assert wrong.problem == (422, "INVALID_INPUT", "overrides.count")


async def test_delete_hides_what_has_ended(api: Api) -> None:
    path = f"{GENERATIONS}/{(await api.submit())['id']}"
    refused = await api.delete(path)
    assert refused.problem[:2] == (409, "CONFLICT")
    assert refused.json["details"]["cancel"] == f"{path}/cancel"
    await api.post(f"{path}/cancel")
    assert (await api.delete(path)).status == 204
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.delete(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.post(f"{path}/cancel")).problem[:2] == (404, "NOT_FOUND")
    assert (await api.get(GENERATIONS)).json["data"] == []


async def test_submissions_show_what_was_asked_of_providers(api: Api, painter: Painter) -> None:
    ended = await api.until_ended((await api.submit())["id"])
    found = (await api.get(f"{GENERATIONS}/{ended['id']}/submissions")).json
    assert [(one["n"], one["provider"], one["state"]) for one in found["data"]] == [(1, "scripted", "done")]
    assert found["decision"]["reason"]
    assert "credential" not in found["data"][0]


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/submissions"),
        ("GET", "/outputs/0"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("POST", "/rerun"),
    ],
)
async def test_anothers_generation_is_not_there(api: Api, other: Api, method: str, rest: str) -> None:
    theirs = (await other.submit())["id"]
    for generation_id in (theirs, str(uuid4()), "seven", "0196"):
        answer = await api.call(method, f"{GENERATIONS}/{generation_id}{rest}")
        assert answer.problem[:2] == (404, "NOT_FOUND")


async def test_the_eta_is_learned_and_counts_the_queue(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works here yet: then a worker is there whose calls take a second, and whose runs take twenty."""
    monkeypatch.setattr(eta, "FRESH_S", 0.0)
    worker, card = api.gateway.worker, "scripted/scripted-image"
    await worker.execute("DELETE FROM run_times")
    await worker.execute("DELETE FROM workers")  # those that other tests left
    first, second = await api.submit(), await api.submit()

    async def told(resource: dict[str, Any]) -> tuple[float | None, float | None]:
        found = (await api.get(f"{GENERATIONS}/{resource['id']}")).json
        return found["eta_seconds"], found["eta_p90_seconds"]

    assert await told(second) == (None, None)
    await fleet.register(worker, new_id(), kinds=["image"], slots=1, host="h", pid=1, version="0")
    assert await told(second) == (0.1, 0.2), "one call and one run, as the card guesses"
    times = [Sample(card, "1 megapixel", 20.0), Sample(card, SUBMIT, 1.0)] * 10
    await run_times.add(worker, times)
    assert await told(first) == (20.0, 20.0)
    assert await told(second) == (21.0, 21.0)
    assert (await api.get(f"{GENERATIONS}?limit=1")).json["data"][0]["eta_seconds"] == 21.0
    await worker.execute("DELETE FROM workers")
    await worker.execute("DELETE FROM run_times")


async def test_it_is_told_what_it_waits_for_and_that_a_cancel_was_asked(api: Api) -> None:
    made = await api.submit()
    path = f"{GENERATIONS}/{made['id']}"
    assert (made["waiting_for"], made["cancel_requested_at"]) == (None, None)
    await api.gateway.worker.execute(
        "UPDATE generations SET waiting_for = 'cooldown', rung = false, wake_at = now() + interval '1 minute'"
        " WHERE id = $1", made["id"],
    )  # fmt: skip
    waits = await api.get(path, headers={"If-None-Match": 'W/"1"'})
    assert (waits.status, waits.json["waiting_for"]["reason"]) == (200, "cooldown")
    same = {"If-None-Match": waits.headers["ETag"]}
    assert (await api.get(path, headers=same)).status == 304
    await api.gateway.worker.execute("UPDATE generations SET waiting_for = NULL WHERE id = $1", made["id"])
    assert (await api.get(f"{path}?wait=20", headers=same)).json["waiting_for"] is None
    await api.gateway.worker.execute(
        "UPDATE generations SET state = 'submitting', waiting_for = 'doubt' WHERE id = $1", made["id"]
    )
    await api.post(f"{path}/cancel")
    found = (await api.get(path)).json
    assert (found["status"], found["waiting_for"]["reason"]) == ("running", "doubt")
    assert found["cancel_requested_at"] is not None
