"""A queue that was emptied, and had back."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest

from shared.domains.admission import Admission, Admitter
from shared.domains.ops import purges
from shared.domains.ops.audit import Actor
from shared.domains.ops.purges import Undone
from shared.errors import Conflict
from tests.gateway.api import Api, Response
from tests.gateway.people import Person

OPS = "/api/v1/ops"


async def _purge(api: Api, count: int) -> str:
    answer = await api.post(f"{OPS}/queues/image/purge", {"confirm_count": count})
    assert answer.json["canceled"] == count, answer.content
    return str(answer.json["purge"])


async def _undo(api: Api, purge: str) -> Response:
    return await api.post(f"{OPS}/purges/{purge}/undo")


async def _of(api: Api, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"/api/v1/generations/{id_}")).json
    return found


@pytest.fixture(autouse=True)
async def empty(api: Api) -> None:
    await api.gateway.worker.execute("DELETE FROM generations")  # all of the installation's are counted


async def test_exactly_what_was_purged_comes_back_once_at_its_accounts_cost(api: Api, other: Api) -> None:
    before = (await api.submit())["id"]
    await api.post(f"/api/v1/generations/{before}/cancel")
    mine, tried, deleted, theirs = [(await one.submit())["id"] for one in (api, api, api, other)]
    purge = await _purge(api, 4)
    assert (await _of(other, theirs))["cost"]["status"] == "released"
    await api.post(f"/api/v1/generations/{tried}/retry")
    await api.delete(f"/api/v1/generations/{deleted}")
    undone = (await _undo(api, purge)).json
    assert (undone["done"], undone["passed_over"], undone["more"], undone["refused"]) == (2, 2, False, [])
    made = {one["parent_id"]: one["id"] for one in undone["made"]}
    assert set(made) == {mine, theirs}
    again = await _of(other, made[theirs])
    assert (again["status"], again["cost"]["status"]) == ("queued", "reserved")
    assert (await _undo(api, purge)).problem[:2] == (409, "CONFLICT"), "once"
    entry = (await api.get(f"{OPS}/audit?target=purge:{purge}")).json["data"][0]
    assert (entry["action"], set(entry["details"]["ids"])) == ("queue.undo_purge", {mine, theirs})


async def test_whoever_undoes_it_at_once_and_in_parts_gets_nothing_twice(api: Api) -> None:
    ids = {(await api.submit())["id"] for _ in range(5)}
    purge = await _purge(api, 5)
    made: list[str] = []
    for _ in range(3):
        found = await asyncio.gather(
            *(_part(api, purge, api.gateway.deps.admitter) for _ in range(4)), return_exceptions=True
        )
        made += [str(id_) for part in found if isinstance(part, Undone) for id_ in part.retried.made]
    assert sorted(made) == sorted(ids)
    with pytest.raises(Conflict):
        await _part(api, purge, api.gateway.deps.admitter)


@pytest.mark.parametrize("beside", [0, 3])
async def test_an_undo_that_died_goes_on_when_it_is_asked_for_again(api: Api, beside: int) -> None:
    """`beside` others undo it at the same time, and must not forget what it had in hand."""
    ids = {(await api.submit())["id"] for _ in range(5)}
    purge, admitter = await _purge(api, 5), api.gateway.deps.admitter
    dying = _part(api, purge, cast(Admitter, Dying(admitter)), most=5)
    died, *_ = await asyncio.gather(
        dying, *(_part(api, purge, admitter) for _ in range(beside)), return_exceptions=True
    )
    assert beside or isinstance(died, asyncio.CancelledError)
    await _undo(api, purge)
    rows = await api.gateway.worker.fetch("SELECT parent_id FROM generations WHERE parent_id IS NOT NULL")
    assert sorted(str(row["parent_id"]) for row in rows) == sorted(ids), "each is back once"
    assert (await _undo(api, purge)).problem[:2] == (409, "CONFLICT")


class Dying:
    """Admits two, and then its process is gone."""

    def __init__(self, admitter: Admitter) -> None:
        self._admitter = admitter
        self._left = 2

    async def admit(self, *asked: Any) -> Admission:
        self._left -= 1
        if self._left < 0:
            raise asyncio.CancelledError
        return await self._admitter.admit(*asked)


async def _part(api: Api, purge: str, admitter: Admitter, most: int = 2) -> Undone:
    actor = Actor(api.account_id, "test", None)
    return await purges.undo(api.gateway.deps.db, actor, UUID(purge), admitter, most=most)


async def test_an_account_that_cannot_pay_is_told_of(api: Api, other: Api) -> None:
    broke, rich = [(await one.submit())["id"] for one in (other, api)]
    purge = await _purge(api, 2)
    await api.gateway.worker.execute(
        "UPDATE accounts SET status = 'suspended' WHERE id = $1", other.account_id
    )
    undone = (await _undo(api, purge)).json
    assert [one["id"] for one in undone["refused"]] == [broke]
    assert [one["parent_id"] for one in undone["made"]] == [rich]


async def test_what_is_late_unknown_or_nobodys_business_is_refused(api: Api) -> None:
    await api.submit()
    purge = await _purge(api, 1)
    viewer = await (await Person.sign_up(api.gateway)).become("viewer")
    assert (await _undo(viewer.api, purge)).problem[0] == 403
    await api.gateway.worker.execute("UPDATE purges SET at = at - interval '61 minutes'")
    assert (await _undo(api, purge)).problem[:2] == (409, "CONFLICT")
    assert (await _undo(api, str(api.account_id))).problem[:2] == (404, "NOT_FOUND")
    nothing = (await api.post(f"{OPS}/queues/image/purge", {"confirm_count": 0})).json
    assert (nothing["purge"], nothing["undo_until"]) == (None, None)
