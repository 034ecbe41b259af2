"""Many at once: batches and bulk actions."""

from typing import Any

import pytest

from tests.gateway.api import Api, image

BATCH = "/api/v1/generations:batch"
BULK = "/api/v1/generations:bulk"


async def test_each_item_of_a_batch_is_admitted_or_refused_by_itself(api: Api) -> None:
    items = [image(), image(kind="poem"), {"prompt": "?"}, image(model="none"), image(priority="low")]
    answer = (await api.post(BATCH, {"items": items})).json
    assert (answer["accepted"], answer["refused"]) == (2, 3)
    assert [one["status"] for one in answer["data"]] == [202, 422, 422, 422, 202]
    assert [one["index"] for one in answer["data"]] == [0, 1, 2, 3, 4]
    assert [one["error"]["field"] for one in answer["data"] if one["error"]] == ["kind", "kind", "model"]
    assert answer["data"][4]["generation"]["priority"] == "low"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": [image()] * 101}, "items"),
        ({"items": image()}, "items"),
        ({"items": [7]}, "items.0"),
    ],
)
async def test_a_batch_holds_1_to_100_objects(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(BATCH, body)).problem == (422, "INVALID_INPUT", field)


async def test_a_batch_that_is_sent_again_admits_nothing_new(api: Api) -> None:
    body = {"items": [image(), image(kind="poem"), image(priority="high")]}
    sent = {"headers": {"Idempotency-Key": "batch"}}
    first, again = await api.post(BATCH, body, **sent), await api.post(BATCH, body, **sent)
    assert [one["generation"] for one in first.json["data"]] == [
        one["generation"] for one in again.json["data"]
    ]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len((await api.get("/api/v1/generations")).json["data"]) == 2
    other = await api.post(BATCH, {"items": [image()]}, **sent)
    assert other.problem == (422, "IDEMPOTENCY_MISMATCH", "Idempotency-Key")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "cancel"}, "body"),
        ({"action": "cancel", "filter": {}}, "filter"),
        ({"action": "cancel", "filter": {"status": []}}, "filter"),
        ({"action": "cancel", "filter": {"kind": None}}, "filter"),
        ({"action": "cancel", "filter": {"everything": True}}, "filter.everything"),
        ({"action": "cancel", "ids": []}, "ids"),
        ({"action": "cancel", "ids": ["seven"]}, "ids.0"),
        ({"action": "explode", "filter": {"status": "queued"}}, "action"),
    ],
)
async def test_a_bulk_action_without_a_choice_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    queued = await api.submit()
    assert (await api.post(BULK, body)).problem == (422, "INVALID_INPUT", field)
    assert (await api.get(f"/api/v1/generations/{queued['id']}")).json["status"] == "queued"


async def test_bulk_cancels_what_the_filter_matches(api: Api, other: Api) -> None:
    low = [(await api.submit(metadata={"n": n}, input={"prompt": "a red fox"}))["id"] for n in range(3)]
    kept = [(await api.submit())["id"], (await other.submit(input={"prompt": "a red fox"}))["id"]]
    answer = (await api.post(BULK, {"action": "cancel", "filter": {"q": "red fox", "status": "queued"}})).json
    assert (answer["done"], answer["refused"], answer["more"]) == (3, 0, False)
    assert {one["id"] for one in answer["data"]} == set(low)
    assert (await api.get(f"/api/v1/generations/{kept[0]}")).json["status"] == "queued"
    assert (await other.get(f"/api/v1/generations/{kept[1]}")).json["status"] == "queued"


async def test_bulk_by_ids_tells_of_each(api: Api, other: Api) -> None:
    mine, theirs = (await api.submit())["id"], (await other.submit())["id"]
    await api.post(BULK, {"action": "cancel", "ids": [mine]})
    retried = (await api.post(BULK, {"action": "retry", "ids": [mine, mine, theirs]})).json
    assert [one["status"] for one in retried["data"]] == [202, 404]
    assert retried["data"][0]["result"]["parent_id"] == mine
    fresh = retried["data"][0]["result"]["id"]
    deleted = (await api.post(BULK, {"action": "delete", "ids": [mine, fresh]})).json
    assert [one["status"] for one in deleted["data"]] == [204, 409]
