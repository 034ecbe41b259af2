"""Generations over HTTP."""

from tests.gateway.api import Api, image


async def test_submit_answers_202_with_the_resource(api: Api) -> None:
    answer = await api.post("/api/v1/generations", image(metadata={"order": 7}))
    resource = answer.json
    assert answer.status == 202
    assert answer.headers["Location"] == f"/api/v1/generations/{resource['id']}"
    assert int(answer.headers["Retry-After"]) >= 1
    assert (resource["status"], resource["stage"], resource["seq"]) == ("queued", "routing", 1)
    assert resource["metadata"] == {"order": 7}
    assert resource["cost"]["status"] == "reserved"
