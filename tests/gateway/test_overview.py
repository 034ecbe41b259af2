"""All at a glance, and what pages keep for their people."""

from tests.gateway.api import Api

ME = "/api/auth/me"


async def test_the_overview_counts_what_runs_and_says_what_is_left(api: Api) -> None:
    await api.submit()
    await api.submit()
    await api.post("/api/v1/budgets", {"period": "month", "limit_cents": 100})
    found = (await api.get("/api/v1/overview")).json
    assert found["active"] == {"queued": 2, "running": 0, "by_kind": {"image": 2}}
    assert found["budgets"][0]["limit_cents"] == 100
    assert (found["user"]["id"], found["auth_mode"]) == (str(api.account_id), "required")
    assert (found["plan"]["usage"], found["alerts"]) == ([], [])


async def test_preferences_are_set_one_by_one(api: Api, other: Api) -> None:
    await api.call("PATCH", ME, {"preferences": {"theme": "dark", "last": {"image": {"count": 2}}}})
    await api.call("PATCH", ME, {"preferences": {"theme": None}})
    assert (await api.get(ME)).json["data"]["preferences"] == {"last": {"image": {"count": 2}}}
    assert (await other.get(ME)).json["data"]["preferences"] == {}


async def test_preferences_have_a_limit_and_nothing_is_half_kept(api: Api) -> None:
    await api.call("PATCH", ME, {"preferences": {"a": "x" * 10_000}})
    answer = await api.call("PATCH", ME, {"name": "Eve", "preferences": {"b": "x" * 10_000}})
    assert answer.problem == (422, "INVALID_INPUT", "preferences")
    me = (await api.get(ME)).json["data"]
    assert (list(me["preferences"]), me["name"]) == (["a"], "test")
