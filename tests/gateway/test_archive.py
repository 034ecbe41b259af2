"""What was archived answers as before, whether its month is attached or detached."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domains import archive
from shared.domains.archive import HOT
from tests.gateway.api import Api, Painter, image

GENERATIONS = "/api/v1/generations"
NEXT_MONTH = -1
"""Moves even what is of today."""


@pytest.fixture
async def painted(api: Api, painter: Painter) -> AsyncIterator[str]:
    """The id of a completed picture."""
    ended = await api.until_ended((await api.submit())["id"])
    assert ended["status"] == "completed"
    yield ended["id"]
    db = api.gateway.worker
    await db.execute("DELETE FROM accounts WHERE id IN (SELECT account_id FROM archive.accounts)")
    await db.execute("SELECT archive.attach_month(m) FROM unnest(archive.detached()) AS m")


@pytest.mark.parametrize("place", ["archived", "detached"])
async def test_nobody_notices(api: Api, other: Api, painted: str, place: str) -> None:
    before = await _seen(api, painted)
    await _put(api, place)
    assert await _seen(api, painted) == before
    assert {status for status, _ in before.values()} == {200}
    for method, rest in (("GET", ""), ("GET", "/outputs/0"), ("POST", "/cancel"), ("DELETE", "")):
        assert (await other.call(method, f"{GENERATIONS}/{painted}{rest}")).status == 404


async def _seen(api: Api, generation_id: str) -> dict[str, Any]:
    """Status and content of everything that shows the generation."""
    year = datetime.now(UTC).year
    shown = (await api.get(f"{GENERATIONS}/{generation_id}")).json
    key = await api.gateway.worker.fetchval("SELECT key FROM outputs WHERE generation_id = $1", shown["id"])
    paths = (
        f"{GENERATIONS}/{generation_id}", f"{GENERATIONS}/{generation_id}/submissions",
        f"{GENERATIONS}/{generation_id}/outputs/0", f"{GENERATIONS}?limit=5", f"{GENERATIONS}?q=lighthouse",
        f"/cdn/penstock-assets/{key}", f"/api/v1/assets?generation={generation_id}", "/api/v1/storage",
        f"/api/v1/usage?group_by=model&from={year - 1}-01-01&to={year + 1}-01-01",
        f"/api/v1/ledger?generation_id={generation_id}", "/api/v1/ledger/verify",
    )  # fmt: skip
    seen = {path: await api.get(path) for path in paths}
    events = await api.get(f"{GENERATIONS}/{generation_id}/events", headers={"Accept": "text/event-stream"})
    cancel = await api.post(f"{GENERATIONS}/{generation_id}/cancel")
    answers = seen | {"events": events, "cancel": cancel}
    return {name: (answer.status, _timeless(answer.content)) for name, answer in answers.items()}


def _timeless(content: bytes) -> bytes:
    """Without the time from which `verify` checks, which is that of the asking."""
    return b",".join(part for part in content.split(b",") if b'"since"' not in part)


@pytest.mark.parametrize("place", ["archived", "detached"])
async def test_work_goes_on_from_it(api: Api, painted: str, place: str) -> None:
    await _put(api, place)
    again = await api.post(f"{GENERATIONS}/{painted}/rerun", {"overrides": {"prompt": "at noon"}})
    assert (again.status, again.json["parent_id"]) == (202, painted)
    larger = await api.post(GENERATIONS, image(kind="upscale", input={"image": f"{painted}/0"}))
    assert larger.status == 202, larger.content
    children = await api.get(f"{GENERATIONS}?parent={painted}")
    assert [child["id"] for child in children.json["data"]] == [again.json["id"]]
    assert (await api.delete(f"{GENERATIONS}/{painted}")).status == 204
    assert (await api.get(f"{GENERATIONS}/{painted}")).status == 404
    assert (await api.delete(f"{GENERATIONS}/{painted}")).status == 404


async def _put(api: Api, place: str) -> None:
    db = api.gateway.worker
    assert await archive.move(db, NEXT_MONTH) >= 1
    assert (
        await db.fetchval(f"SELECT count(*) FROM {HOT.generations} WHERE account_id = $1", api.account_id)
        == 0
    )
    if place == "detached":
        async with db.transaction() as tx:
            await archive.detach(
                tx, await tx.fetchval("SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date")
            )
