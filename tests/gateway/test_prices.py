"""Prices: what models are billed by, imported, compared, frozen into what was admitted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from gateway.routes.prices import PriceChanges, PricedModels
from shared.catalog import Price, own_cards, publish
from shared.domains import prices
from shared.domains.accounts import Scope
from tests.gateway.api import Api, Response, image
from tests.pipeline import card

PRICES = "/api/v1/prices"
DIFF = "/api/v1/prices:diff"
OWN = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "the card")
TODAY = datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Shop:
    """A provider of its own for each test: `image` has a price, `video` has none."""

    api: Api
    name: str

    def id(self, kind: str = "image") -> str:
        return f"{self.name}/{self.name}-{kind}"

    def entry(self, usd: Any = "0.05", kind: str = "image", **changes: Any) -> dict[str, Any]:
        units = None if usd is None else {"image" if kind == "image" else "run": usd}
        given = {
            "card": self.id(kind),
            "effective_from": str(TODAY),
            "source": "a page",
            "usd": units,
        } | changes
        return {name: value for name, value in given.items() if value is not None}

    async def send(self, *entries: dict[str, Any], path: str = PRICES) -> Response:
        answer = await self.api.post(path, {"prices": list(entries)})
        if answer.status == 200:
            PriceChanges.model_validate_json(answer.content)
        return answer

    async def priced(self, kind: str = "image") -> dict[str, Any]:
        answer = await self.api.get(PRICES)
        PricedModels.model_validate_json(answer.content)
        found: dict[str, Any] = next(one for one in answer.json["data"] if one["card"] == self.id(kind))
        return found

    async def estimate(self) -> dict[str, Any]:
        body = image(model=self.name)
        found: dict[str, Any] = (await self.api.post("/api/v1/generations:estimate", body)).json[
            "candidates"
        ][0]
        return found


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Shop]:
    name = f"shop-{uuid4().hex[:8]}"
    await publish(api.gateway.worker, [card(name, price=OWN), card(name, "video", price=None)])
    api.gateway.deps.catalog.forget()
    yield Shop(api, name)
    await api.gateway.worker.execute("DELETE FROM model_cards WHERE provider = $1", name)


async def test_a_price_holds_from_its_day_on(shop: Shop) -> None:
    tomorrow = str(TODAY + timedelta(days=1))
    answer = await shop.send(shop.entry(0.05), shop.entry(0.06, effective_from=tomorrow))
    assert answer.json["changed"] == 2
    assert [one["change"] for one in answer.json["data"]] == ["changed", "changed"]
    found = await shop.priced()
    assert (found["origin"], found["price"]["usd"], found["price"]["source"]) == (
        "import",
        {"image": "0.05"},
        "a page",
    )
    assert found["own"]["units"] == {"image": "40000000"}
    assert [one["is_to_come"] for one in found["imported"]] == [False, True]
    candidate = await shop.estimate()
    assert candidate["estimated"]["nanos"] == 50_000_000
    assert candidate["price_id"] == f"{shop.id()}@{TODAY}"
    model = (await shop.api.get(f"/api/v1/models/{shop.id()}")).json
    assert model["price"] == {
        "units": {"image": "50000000"},
        "effective_from": str(TODAY),
        "source": "a page",
    }


async def test_what_is_to_come_changes_nothing_yet(shop: Shop) -> None:
    await shop.send(shop.entry("9", effective_from=str(TODAY + timedelta(days=2))))
    assert (await shop.estimate())["estimated"]["nanos"] == 40_000_000
    assert (await shop.priced())["origin"] == "card"


async def test_a_model_without_a_price_gets_one(shop: Shop) -> None:
    assert (await shop.priced("video"))["price"] is None
    answer = await shop.send(shop.entry("0.5", "video"))
    assert answer.json["data"][0]["change"] == "new"
    assert answer.json["data"][0]["before"] is None
    assert (await shop.priced("video"))["price"]["usd"] == {"run": "0.5"}


async def test_a_correction_of_the_same_day_has_an_id_of_its_own(shop: Shop) -> None:
    """A frozen price id names one price for ever."""
    await shop.send(shop.entry("0.05"))
    before = await shop.api.submit(model=shop.name)
    await shop.send(shop.entry("0.07"))
    assert (await shop.estimate())["price_id"] == f"{shop.id()}@{TODAY}.2"
    kept = (await shop.api.get(f"/api/v1/generations/{before['id']}")).json["cost"]
    assert (kept["price_id"], kept["estimated"]["nanos"]) == (before["cost"]["price_id"], 50_000_000)
    own_day = await shop.send(shop.entry("0.01", effective_from=str(OWN.effective_from)))
    assert own_day.json["data"][0]["after"]["price_id"] == f"{shop.id()}@2026-01-01.2"


async def test_the_same_again_changes_nothing(shop: Shop) -> None:
    entries = [shop.entry("0.05"), shop.entry("0.5", "video")]
    assert (await shop.send(*entries)).json["changed"] == 2
    again = (await shop.send(*entries)).json
    assert (again["changed"], {one["change"] for one in again["data"]}) == (0, {"same"})
    assert len((await shop.priced())["imported"]) == 1


async def test_a_reset_gives_the_cards_own_price_back(shop: Shop) -> None:
    await shop.send(shop.entry("0.05"))
    answer = await shop.send(shop.entry(None, reset=True))
    assert (answer.json["data"][0]["change"], answer.json["data"][0]["after"]["source"]) == (
        "reset",
        "the card",
    )
    assert (await shop.priced())["origin"] == "card"
    assert (await shop.estimate())["estimated"]["nanos"] == 40_000_000
    assert (await shop.send(shop.entry(None, reset=True))).json["changed"] == 0


async def test_a_diff_tells_what_an_import_would_do_and_writes_nothing(shop: Shop) -> None:
    entries = [
        shop.entry("0.05"),
        shop.entry("0.5", "video"),
        shop.entry("0.04", effective_from="2026-01-01", source="the card"),
    ]
    told = (await shop.send(*entries, path=DIFF)).json
    assert [one["change"] for one in told["data"]] == ["changed", "new", "same"]
    assert (await shop.priced())["imported"] == []
    assert (await shop.send(*entries)).json == told


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"card": "nobody/nothing"}, "prices.1.card"),
        ({"usd": {"hectare": "1"}}, "prices.1.usd.hectare"),
        ({"usd": {"image": "-1"}}, "prices.1.usd.image"),
        ({"usd": {"image": "NaN"}}, "prices.1.usd.image"),
        ({"usd": {}}, "prices.1.usd"),
        ({"effective_from": "soon"}, "prices.1.effective_from"),
        ({"effective_from": str(TODAY)}, "prices.1.effective_from"),
        ({"source": ""}, "prices.1.source"),
        ({"reset": True}, "prices.1"),
        ({"colour": "red"}, "prices.1.colour"),
    ],
)
@pytest.mark.parametrize("path", [PRICES, DIFF])
async def test_one_wrong_entry_and_nothing_is_written(
    shop: Shop, changes: dict[str, Any], field: str, path: str
) -> None:
    wrong = shop.entry("0.06", effective_from=str(TODAY + timedelta(days=9))) | changes
    answer = await shop.send(shop.entry("0.05"), wrong, path=path)
    assert answer.problem == (422, "INVALID_INPUT", field)
    assert (await shop.priced())["imported"] == []


async def test_only_an_admin_imports(shop: Shop) -> None:
    writer = await shop.api.with_key(Scope.WRITE)
    for path in (PRICES, DIFF):
        assert (await writer.post(path, {"prices": [shop.entry()]})).problem[:2] == (403, "FORBIDDEN")
    assert (await writer.get(PRICES)).status == 200


async def test_imports_at_once_do_not_share_a_revision(shop: Shop) -> None:
    """Each price is another, of the same day: every one of them has an id."""
    db = shop.api.gateway.deps.db
    owned = await own_cards(db)

    async def send(n: int) -> None:
        new = prices.NewPrice(shop.id(), TODAY, {"image": Decimal(n)}, "a page")
        async with db.transaction(shop.api.account_id) as tx:
            await prices.import_prices(tx, [new], owned, shop.api.account_id)

    await asyncio.gather(*(send(n) for n in range(1, 9)))
    assert [one.revision for one in (await prices.history(db))[shop.id()]] == list(range(1, 9))


async def test_imported_prices_are_not_changed_by_anybody(shop: Shop) -> None:
    await shop.send(shop.entry())
    for db in (shop.api.gateway.deps.db, shop.api.gateway.worker):
        for sql in ("UPDATE prices SET source = 'x'", "DELETE FROM prices"):
            with pytest.raises(Exception, match="permission denied"):
                await db.execute(sql)
