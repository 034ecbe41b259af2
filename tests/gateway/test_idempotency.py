"""Idempotency-Key: the same request twice is done once."""

import asyncio

import pytest

from shared.crypto import fingerprint
from shared.domains import idempotency
from shared.domains.idempotency import Claim, StoredReply
from shared.errors import IdempotencyInProgress
from tests.gateway.api import Api, image

GENERATIONS = "/api/v1/generations"
UPLOADS = "/api/v1/uploads"
UPLOAD = {"filename": "a.png", "mime": "image/png", "bytes": 10}


async def _count(api: Api, table: str) -> int:
    sql = f"SELECT count(*)::int FROM {table} WHERE account_id = $1"
    found: int = await api.gateway.worker.fetchval(sql, api.account_id)
    return found


async def test_one_key_fifty_times_at_once_makes_one_generation(api: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "only-once"}}
    answers = await asyncio.gather(*(api.post(GENERATIONS, image(), **sent) for _ in range(50)))
    done = [answer for answer in answers if answer.status == 202]
    assert {answer.status for answer in answers} <= {202, 409}
    assert len({answer.json["id"] for answer in done}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in done) == 1
    assert await _count(api, "generations") == 1


async def test_a_repetition_gets_the_first_answer(api: Api) -> None:
    first = await api.post(GENERATIONS, image(), headers={"Idempotency-Key": "k"})
    await api.post(f"{GENERATIONS}/{first.json['id']}/cancel")
    again = await api.post(GENERATIONS, image(), headers={"Idempotency-Key": '"k"'})
    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("path", [GENERATIONS, UPLOADS])
async def test_another_body_under_the_same_key_is_refused(api: Api, path: str) -> None:
    bodies = [image(), image(priority="high")] if path == GENERATIONS else [UPLOAD, UPLOAD | {"bytes": 11}]
    sent = {"headers": {"Idempotency-Key": "k"}}
    assert (await api.post(path, bodies[0], **sent)).status in {201, 202}
    answer = await api.post(path, bodies[1], **sent)
    assert answer.problem == (422, "IDEMPOTENCY_MISMATCH", "Idempotency-Key")


async def test_keys_belong_to_an_account_and_a_path(api: Api, other: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "k"}}
    answers = [await client.post(GENERATIONS, image(), **sent) for client in (api, other)]
    assert answers[0].json["id"] != answers[1].json["id"]
    assert (await api.post(UPLOADS, UPLOAD, **sent)).status == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "caf\u00e9"])
async def test_a_key_that_cannot_be_one_is_refused(api: Api, key: str) -> None:
    answer = await api.post(GENERATIONS, image(), headers={"Idempotency-Key": key})
    assert answer.problem == (400, "INVALID_INPUT", "Idempotency-Key")


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "k"}}
    assert (await api.post(UPLOADS, UPLOAD | {"mime": "text/html"}, **sent)).status == 415
    assert (await api.post(GENERATIONS, image(model="none"), **sent)).status == 422
    assert (await api.post(UPLOADS, UPLOAD, **sent)).status == 201
    assert (await api.post(GENERATIONS, image(), **sent)).status == 202


async def test_other_posts_are_done_once_too(api: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "k"}}
    answers = await asyncio.gather(*(api.post(UPLOADS, UPLOAD, **sent) for _ in range(10)))
    assert {answer.status for answer in answers} <= {201, 409}
    assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.status == 409)
    assert await _count(api, "uploads") == 1
    replayed = await api.post(UPLOADS, UPLOAD, **sent)
    assert (replayed.status, replayed.headers["Idempotent-Replayed"]) == (201, "true")


async def test_a_request_that_crashed_is_taken_over_after_a_minute(api: Api) -> None:
    db, asked = api.gateway.deps.db, fingerprint(b"{}")
    crashed = await idempotency.claim(db, api.account_id, "POST /x", "k", asked)
    assert isinstance(crashed, Claim)
    with pytest.raises(IdempotencyInProgress):
        await idempotency.claim(db, api.account_id, "POST /x", "k", asked)
    await api.gateway.worker.execute(
        "UPDATE idempotency_keys SET created_at = now() - interval '61 seconds' WHERE account_id = $1",
        api.account_id,
    )
    second = await idempotency.claim(db, api.account_id, "POST /x", "k", asked)
    assert isinstance(second, Claim)
    await idempotency.finish(db, crashed, StoredReply(200, {}, b"late"))
    await idempotency.release(db, crashed)
    await idempotency.finish(db, second, StoredReply(201, {"A": "b"}, b"second"))
    assert await idempotency.claim(db, api.account_id, "POST /x", "k", asked) == StoredReply(
        201, {"A": "b"}, b"second"
    )
