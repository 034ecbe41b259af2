"""The catalogue over HTTP."""

from datetime import date

import jsonschema
import pytest

from gateway.resources import ModelResource
from gateway.routes.models import ModelWithRoutes
from shared.catalog import publish
from shared.kinds import KINDS
from tests.gateway.api import Api
from tests.pipeline import card

MODELS = "/api/v1/models"


async def test_models_have_schema_price_and_limits(api: Api) -> None:
    models = (await api.get(f"{MODELS}?kind=image")).json["data"]
    found = ModelResource.model_validate(
        next(one for one in models if one["provider"] == "scripted"), strict=False
    )
    assert (found.id, found.kinds, found.aliases) == ("scripted/scripted-image", ["image"], ["scripted"])
    jsonschema.validate({"prompt": "a fox", "seed": 7}, found.parameters)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"prompt": "a fox", "colour": "red"}, found.parameters)
    assert found.price is not None
    assert (found.available, found.reason) == (True, None)


async def test_a_name_stands_for_a_model(api: Api) -> None:
    by_alias = ModelWithRoutes.model_validate_json((await api.get(f"{MODELS}/scripted?kind=video")).content)
    assert (by_alias.id, by_alias.routes) == ("scripted/scripted-video", ["scripted/scripted-video"])
    by_id = await api.get(f"{MODELS}/scripted/scripted-audio")
    assert by_id.json["kind"] == "audio"
    assert len((await api.get(f"{MODELS}/scripted")).json["routes"]) == len(KINDS)
    assert (await api.get(f"{MODELS}/none/at/all")).problem == (404, "NOT_FOUND", "id")
    assert (await api.get(f"{MODELS}?kind=poem")).problem == (422, "INVALID_INPUT", "kind")


async def test_a_retired_model_names_its_successor(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    old = card("old", shutdown_on=date(2026, 1, 1), successor="scripted")
    off = card("off", available=False, unavailable_reason="OFF_API_KEY is not set")
    await publish(api.gateway.worker, [old, off])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))
    retired = (await api.get(f"{MODELS}/old")).json
    assert (retired["shutdown_date"], retired["successor"], retired["available"]) == (
        "2026-01-01",
        "scripted",
        False,
    )
    unavailable = [one["id"] for one in (await api.get(f"{MODELS}?available=false&kind=image")).json["data"]]
    assert {"old/old-image", "off/off-image"} <= set(unavailable)
    refused = await api.post(
        "/api/v1/generations", {"kind": "image", "model": "old", "input": {"prompt": "a fox"}}
    )
    assert refused.problem == (410, "MODEL_RETIRED", "model")
    assert refused.json["details"]["successor"] == "scripted"
