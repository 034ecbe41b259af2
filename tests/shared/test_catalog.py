"""What a model card promises: what it refuses, needs, does by itself, and costs."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.catalog import Catalog, Price, own_cards, publish
from shared.domains import prices
from shared.domains.routing import plan_routes
from shared.errors import InvalidInput
from shared.kinds import KINDS
from tests.pipeline import Pipeline, card

PER_SECOND = Price({"output_second": Decimal(10)}, date(2026, 1, 1), "for tests")
BY_HEIGHT = Price(
    {"output_second_480p": Decimal(1), "output_second_720p": Decimal(100)}, date(2026, 1, 1), "for tests"
)
EIGHT = {"duration_s": {"enum": [4, 8], "default": 8}}


def film(**given: Any) -> Any:
    return KINDS["video"].parameters(**{"prompt": "fog", **given})


@pytest.mark.parametrize(
    ("price", "given", "nanos"),
    [
        (PER_SECOND, {}, 80),
        (PER_SECOND, {"duration_s": 4.0}, 40),
        (BY_HEIGHT, {"duration_s": 4.0}, 4),
        (BY_HEIGHT, {"resolution": "720p"}, 800),
    ],
)
def test_an_estimate_is_for_the_models_own_default(price: Price, given: dict[str, Any], nanos: int) -> None:
    assert card(kind="video", price=price, limits=EIGHT).estimate(film(**given)) == nanos


def test_only_what_it_cannot_honour_gives_way() -> None:
    model = card(kind="video", limits=EIGHT)
    assert model.fitted({"duration_s": 5.0, "fps": 24}) == {"duration_s": 8, "fps": 24}
    assert model.fitted({"duration_s": 4.0}) == {"duration_s": 4.0}
    assert model.refusal({"duration_s": 6.0}) is not None
    assert model.schema["properties"]["duration_s"]["default"] == 8


@pytest.mark.parametrize(
    ("given", "served_by"), [({}, ["words"]), ({"image": "https://files.example/a.png"}, ["pictures"])]
)
async def test_a_model_that_needs_a_picture_serves_whoever_has_one(
    pipeline: Pipeline, given: dict[str, Any], served_by: list[str]
) -> None:
    words = card("words", "video", aliases=("film",), rank=1, accepts=frozenset({"prompt"}))
    pictures = card("pictures", "video", aliases=("film",), rank=2, requires=frozenset({"image"}))
    await publish(pipeline.worker, [words, pictures])
    plan = await plan_routes(Catalog(pipeline.app), "video", "film", film(**given), {})
    assert [route.card.provider for route in plan.routes] == served_by


async def test_what_is_missing_is_named(pipeline: Pipeline) -> None:
    await publish(pipeline.worker, [card("pictures", "video", requires=frozenset({"image"}))])
    with pytest.raises(InvalidInput, match="needs image") as caught:
        await plan_routes(Catalog(pipeline.app), "video", "pictures", film(), {})
    assert caught.value.field == "input.image"
    stored = await Catalog(pipeline.app).card("pictures/pictures-video")
    assert stored is not None
    assert stored.schema["required"] == ["image", "prompt"]


def test_a_list_may_be_limited_too() -> None:
    model = card(limits={"images": {"maxItems": 2}})
    assert model.refusal({"images": ["a", "b"]}) is None
    assert model.refusal({"images": ["a", "b", "c"]}) == ("images", "scripted takes images up to 2 at a time")


async def test_cards_are_read_again_only_when_one_changed(pipeline: Pipeline) -> None:
    await publish(pipeline.worker, [card("words"), card("pictures")])
    catalog = Catalog(pipeline.app)
    before = await catalog.cards()
    catalog.forget()
    assert all(now is then for now, then in zip(await catalog.cards(), before, strict=True))

    await publish(pipeline.worker, [card("words", rank=7)])
    catalog.forget()
    assert {one.provider: one.rank for one in await catalog.cards()}["words"] == 7
    for source in ("a list", "another list"):
        new = prices.NewPrice(before[0].id, date(2026, 1, 1), {"run": Decimal(7)}, source)
        async with pipeline.worker.transaction() as tx:
            await prices.import_prices(tx, [new], await own_cards(pipeline.worker), pipeline.account_id)
        catalog.forget()
        priced = await catalog.card(before[0].id)
        assert priced is not None
        assert priced.price is not None
        assert priced.price.source == source
