"""What one generation delivered is what the next one starts from."""

from typing import Any

import pytest

from tests.gateway.api import Api, Painter, image

GENERATIONS = "/api/v1/generations"
VALIDATE = "/api/v1/generations:validate"


@pytest.fixture
async def painted(api: Api, painter: Painter) -> str:
    """The id of a completed picture."""
    ended = await api.until_ended((await api.submit())["id"])
    assert ended["status"] == "completed"
    painted_id: str = ended["id"]
    return painted_id


def chained(kind: str, reference: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"image": reference} | ({} if kind == "upscale" else {"prompt": "it moves"})
    return image(kind=kind, input=given)


@pytest.mark.parametrize("kind", ["upscale", "image", "video"])
async def test_an_output_is_an_input(api: Api, painted: str, kind: str) -> None:
    of_first = await api.get(f"{GENERATIONS}/{painted}")
    for reference in (painted, f"{painted}/0", {"generation": painted, "output": 0}, {"generation": painted}):
        answer = await api.post(GENERATIONS, chained(kind, reference))
        assert answer.status == 202, answer.content
        files = await api.gateway.worker.fetchval(
            "SELECT files FROM generations WHERE id = $1", answer.json["id"]
        )
        assert files["image"]["bytes"] == of_first.json["outputs"][0]["bytes"]
        assert f"/generations/{painted}/0" in files["image"]["key"]


async def test_a_reference_is_shown_in_its_short_form(api: Api, painted: str) -> None:
    answer = await api.post(GENERATIONS, chained("upscale", {"generation": painted, "output": 0}))
    assert answer.json["input"]["image"] == f"{painted}/0"


async def test_someone_elses_output_does_not_exist(api: Api, other: Api, painted: str) -> None:
    missing = "0196f7a0-0000-7000-8000-000000000000"
    answers = [
        await other.post(GENERATIONS, chained("upscale", {"generation": each, "output": 0}))
        for each in (painted, missing)
    ]
    assert [answer.problem for answer in answers] == [(422, "INVALID_INPUT", "input.image")] * 2
    assert (
        answers[0].json["message"]
        == answers[1].json["message"]
        == "There is no such upload, asset or generation."
    )


async def test_what_is_not_finished_says_so(api: Api, painter: Painter) -> None:
    painter.gate.clear()
    running = (await api.submit())["id"]
    answer = await api.post(VALIDATE, chained("upscale", running))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")
    assert "wait until it is completed" in answer.json["message"]
    assert answer.json["details"]["generation_status"] in {"queued", "running"}
    painter.gate.set()
    await api.until_ended(running)
    assert (await api.post(VALIDATE, chained("upscale", running))).status == 200


async def test_what_ended_without_an_output_says_so(api: Api) -> None:
    canceled = (await api.submit())["id"]
    await api.post(f"{GENERATIONS}/{canceled}/cancel")
    await api.until_ended(canceled)
    answer = await api.post(VALIDATE, chained("upscale", canceled))
    assert "no output 0: it is canceled" in answer.json["message"]


async def test_an_output_that_it_does_not_have(api: Api, painted: str) -> None:
    answer = await api.post(VALIDATE, chained("upscale", {"generation": painted, "output": 3}))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")
    assert "no output 3: it has 1, numbered from 0" in answer.json["message"]


async def test_a_deleted_generation_lends_nothing(api: Api, painted: str) -> None:
    assert (await api.delete(f"{GENERATIONS}/{painted}")).status in (200, 204)
    answer = await api.post(VALIDATE, chained("upscale", painted))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")


@pytest.mark.parametrize(
    "reference",
    [
        {"generation": "seven"},
        {"generation": "0196f7a0-0000-7000-8000-000000000000", "output": -1},
        {"generation": "0196f7a0-0000-7000-8000-000000000000", "output": "0"},
        {"output": 0},
        {"upload": "0196f7a0-0000-7000-8000-000000000000"},
        "0196f7a0-0000-7000-8000-000000000000/last",
        "0196f7a0-0000-7000-8000-000000000000/0/0",
        7,
    ],
)
async def test_a_reference_has_a_form(api: Api, reference: Any) -> None:
    answer = await api.post(VALIDATE, chained("upscale", reference))
    assert answer.problem == (422, "INVALID_INPUT", "input.image")


async def test_both_forms_are_in_the_schema(api: Api) -> None:
    card = (await api.get("/api/v1/models/scripted-upscale")).json
    forms = card["parameters"]["properties"]["image"]["anyOf"]
    assert [form.get("type", form.get("$ref")) for form in forms] == ["string", "#/$defs/OutputRef"]
    assert card["parameters"]["$defs"]["OutputRef"]["required"] == ["generation"]
