"""One request to several models."""

from tests.gateway.api import Api

COMPARE = "/api/v1/compare"
BODY = {"kind": "image", "input": {"prompt": "fog", "count": 2}, "models": ["scripted", "nobody"]}


async def test_each_model_answers_for_itself_in_one_group(api: Api) -> None:
    models = ["scripted", {"model": "scripted", "input": {"count": None, "prompt": "rain"}}, "nobody"]
    found = (await api.post(COMPARE, BODY | {"models": models})).json
    assert [one["status"] for one in found["data"]] == [202, 202, 422]
    assert (found["accepted"], found["refused"]) == (2, 1)
    listed = (await api.get(f"/api/v1/generations?group={found['group_id']}")).json["data"]
    assert [one["input"]["prompt"] for one in listed] == ["rain", "fog"]
    assert [one["input"]["count"] for one in listed] == [1, 2]


async def test_a_repeated_key_compares_once(api: Api) -> None:
    first, second = [
        (await api.post(COMPARE, BODY, headers={"Idempotency-Key": "again"})).json for _ in range(2)
    ]
    assert first["group_id"] == second["group_id"]
    assert len((await api.get("/api/v1/generations")).json["data"]) == 1


async def test_two_models_are_the_least(api: Api) -> None:
    assert (await api.post(COMPARE, BODY | {"models": ["scripted"]})).problem == (
        422,
        "INVALID_INPUT",
        "models",
    )
