"""Rate limits of requests: which bucket says no, what the headers say, and what happens without Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.domains.rate_limits import RateLimiter
from shared.settings import RateLimitMode, Settings
from tests.gateway.api import Api, open_gateway

OFF = {"rate_limit_per_address": 0, "rate_limit_per_account": 0, "rate_limit_per_key": 0}


@asynccontextmanager
async def _limited(settings: Settings, **limits: Any) -> AsyncIterator[Api]:
    changes = {"rate_limits": RateLimitMode.ON} | OFF | limits
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        yield await gateway.account()
        await gateway.deps.redis.flushdb()


async def test_nothing_is_limited_on_this_machine_by_default(api: Api) -> None:
    answer = await api.get("/api/v1/plan")
    assert answer.status == 200
    assert "RateLimit" not in answer.headers


@pytest.mark.parametrize("scope", ["address", "account", "key"])
async def test_each_bucket_refuses_and_says_so(settings: Settings, scope: str) -> None:
    async with _limited(settings, **{f"rate_limit_per_{scope}": 3}) as api:
        answers = [await api.get("/api/v1/plan") for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["RateLimit-Policy"] for answer in answers] == [f'"{scope}";q=3;w=60'] * 4
        left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
        assert left == ["r=2", "r=1", "r=0", "r=0"]
        refused = answers[-1]
        assert refused.problem[:2] == (429, "RATE_LIMITED")
        assert (refused.json["details"]["scope"], refused.json["details"]["limit"]) == (scope, 3)
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        assert "X-RateLimit-Limit" not in refused.headers


async def test_a_plan_limits_its_account_whatever_the_key(settings: Settings) -> None:
    async with _limited(settings) as api:
        await api.gateway.worker.execute("UPDATE accounts SET plan = 'free' WHERE id = $1", api.account_id)
        answers = [await (await api.with_key()).get("/api/v1/plan") for _ in range(3)]
        assert answers[-1].headers["RateLimit-Policy"] == '"plan";q=60;w=60'
        assert answers[-1].headers["RateLimit"].startswith('"plan";r=57;')


async def test_functions_have_a_month_of_their_own(settings: Settings) -> None:
    async with _limited(settings, functions_per_month=2) as api:
        answers = [await api.post("/api/creative-image", {"prompt": ""}) for _ in range(3)]
        assert [answer.status for answer in answers] == [422, 422, 429]
        assert answers[1].headers["RateLimit-Policy"] == '"month";q=2;w=2592000'
        assert answers[1].headers["RateLimit"].startswith('"month";r=0;')
        assert "More than 2 requests in 30 days; wait" in answers[2].json["error"]
        assert 1_000_000 < int(answers[2].headers["Retry-After"]) <= 1_296_000
        assert (await api.get("/api/v1/plan")).status == 200


async def test_a_refused_request_takes_nothing_from_the_other_buckets(settings: Settings) -> None:
    async with _limited(settings, rate_limit_per_key=1, rate_limit_per_account=10) as api:
        for _ in range(5):
            answer = await api.get("/api/v1/plan")
        assert answer.headers["RateLimit"].startswith('"account";r=9;')


async def test_who_cannot_sign_in_is_limited_too(settings: Settings) -> None:
    async with _limited(settings, rate_limit_per_address=3) as api:
        nobody = Api(api.gateway, api.account_id, None)
        login = {"email": "nobody@people.example", "password": "wrong horse"}
        answers = [
            await nobody.get("/api/v1/plan"),
            await nobody.get("/api/v1/plan"),
            await nobody.post("/api/auth/login", login),
            await nobody.post("/api/auth/login", login),
            await api.get("/api/v1/plan"),
        ]
        assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
        assert (await nobody.get("/livez")).status == 200


async def test_the_older_headers_on_request(settings: Settings) -> None:
    async with _limited(settings, rate_limit_per_key=5, rate_limit_legacy_headers=True) as api:
        headers = (await api.get("/api/v1/plan")).headers
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("5", "4")
        assert int(headers["X-RateLimit-Reset"]) > 1_700_000_000


async def test_without_redis_each_process_counts_by_itself_and_says_so_once(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = {"redis_url": "redis://127.0.0.1:1/0", "rate_limit_per_key": 3}
    changes = {"rate_limits": RateLimitMode.ON} | OFF | nowhere
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        api = await gateway.account()
        answers = [await api.get("/api/v1/plan") for _ in range(5)]
        limiter: RateLimiter = gateway.deps.rates.limiter
        assert limiter._outage
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["RateLimit"].startswith('"key";r=2;')
    assert capsys.readouterr().out.count("rate_limits_are_local") == 1
