"""Which providers may serve, as the caller wishes."""

from typing import Any

import pytest

from shared.catalog import Catalog, ModelCard, publish
from shared.domains.routing import Plan, plan_routes
from shared.errors import NoProvider
from shared.kinds import KINDS
from tests.pipeline import Pipeline, card

CARDS: list[ModelCard] = [
    card("first", aliases=("m",), rank=1),
    card("second", aliases=("m",), rank=2),
]


async def _plan(pipeline: Pipeline, prefer: dict[str, Any]) -> Plan:
    await publish(pipeline.worker, CARDS)
    parameters = KINDS["image"].parameters.model_validate({"prompt": "a fox"})
    return await plan_routes(Catalog(pipeline.app), "image", "m", parameters, prefer)


@pytest.mark.parametrize(
    ("prefer", "providers"),
    [
        ({}, ["first", "second"]),
        ({"order": ["second"]}, ["second", "first"]),
        ({"order": ["nobody"]}, ["first", "second"]),
        ({"fallbacks": False}, ["first"]),
        ({"order": ["nobody", "second"], "fallbacks": False}, ["second"]),
    ],
)
async def test_the_callers_providers_come_first(
    pipeline: Pipeline, prefer: dict[str, Any], providers: list[str]
) -> None:
    plan = await _plan(pipeline, prefer)
    assert [route.card.provider for route in plan.routes] == providers


async def test_without_fallbacks_nobody_else_serves(pipeline: Pipeline) -> None:
    with pytest.raises(NoProvider):
        await _plan(pipeline, {"order": ["nobody"], "fallbacks": False})
