"""Which providers may serve, as the caller wishes."""

from typing import Any

import pytest

from shared.catalog import Catalog, ModelCard, publish
from shared.domains.routing import Plan, plan_routes
from shared.errors import InvalidInput, NoProvider
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


@pytest.mark.parametrize(
    ("given", "refused"),
    [({}, None), ({"duration_s": 8.0}, None), ({"duration_s": 5.0}, "input.duration_s"), ({"fps": 24}, None)],
    ids=["silent", "fits", "a default of the kind that does not fit", "a default that the model ignores"],
)
async def test_a_default_that_was_asked_for_is_not_quietly_changed(
    pipeline: Pipeline, given: dict[str, Any], refused: str | None
) -> None:
    limits = {"duration_s": {"enum": [4, 8], "default": 8}}
    await publish(
        pipeline.worker,
        [card("film", "video", aliases=("m",), accepts=frozenset({"prompt", "duration_s"}), limits=limits)],
    )
    parameters = KINDS["video"].parameters.model_validate({"prompt": "a fox", **given})
    try:
        await plan_routes(Catalog(pipeline.app), "video", "m", parameters, {})
        field = None
    except InvalidInput as error:
        field = error.field
    assert field == refused


async def test_without_fallbacks_nobody_else_serves(pipeline: Pipeline) -> None:
    with pytest.raises(NoProvider):
        await _plan(pipeline, {"order": ["nobody"], "fallbacks": False})
