"""What holds for every request: ids, errors, methods, headers."""

import pytest
from redis.exceptions import RedisError

from shared.storage import StorageError
from tests.gateway.api import Api, image


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v1/generations/x/y/z", "/api/v1"])
async def test_nothing_there_is_404(api: Api, path: str) -> None:
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/generations", "GET, HEAD, POST"),
        ("PATCH", "/api/v1/generations/", "GET, HEAD, POST"),
        ("GET", "/api/v1/generations:batch", "POST"),
        ("POST", "/livez", "GET, HEAD"),
        ("PROPFIND", "/livez", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405_with_allow(api: Api, method: str, path: str, allowed: str) -> None:
    answer = await api.call(method, path)
    assert answer.problem[:2] == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == allowed


async def test_a_trailing_slash_is_tolerated(api: Api) -> None:
    assert (await api.post("/api/v1/generations/", image())).status == 202
    assert (await api.get("/api/v1/models/")).status == 200
    assert (await api.get("/api/v1/models/scripted/?kind=image")).status == 200


async def test_head_is_get_without_a_body(api: Api) -> None:
    get, head = await api.get("/api/v1/models"), await api.call("HEAD", "/api/v1/models")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


async def test_a_sane_request_id_is_kept_and_another_replaced(api: Api) -> None:
    kept = await api.get("/livez", headers={"X-Request-Id": "abc-123"})
    assert kept.headers["X-Request-Id"] == "abc-123"
    for bad in ("x" * 65, "a b", "<script>"):
        assert (
            (await api.get("/livez", headers={"X-Request-Id": bad}))
            .headers["X-Request-Id"]
            .startswith("req_")
        )


async def test_every_answer_says_how_it_may_be_used(api: Api) -> None:
    for path in ("/livez", "/api/v1/models", "/nothing"):
        headers = (await api.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "penstock"
        assert "Access-Control-Allow-Origin" not in headers


async def test_only_allowed_origins_may_read_answers(api: Api) -> None:
    ours = await api.get("/api/v1/models", headers={"Origin": "https://app.example"})
    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "X-Request-Id" in ours.headers["Access-Control-Expose-Headers"]
    theirs = await api.get("/api/v1/models", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert ours.headers["Vary"] == theirs.headers["Vary"] == "Accept-Encoding, Origin"


async def test_a_preflight_needs_no_key(nobody: Api) -> None:
    sent = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    answer = await nobody.call("OPTIONS", "/api/v1/generations", headers=sent)
    assert answer.status == 204
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]


async def test_an_unexpected_failure_tells_its_id_and_nothing_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the password is sesame")

    monkeypatch.setattr(api.gateway.deps.catalog, "cards", fail)
    answer = await api.get("/api/v1/models")
    assert answer.problem[:2] == (500, "INTERNAL")
    assert answer.json["request_id"] in answer.json["detail"]
    assert b"sesame" not in answer.content


@pytest.mark.parametrize("error", [ConnectionRefusedError, StorageError, RedisError, TimeoutError])
async def test_a_store_that_is_away_is_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: object) -> None:
        raise error("10.0.0.7:5432")

    monkeypatch.setattr(api.gateway.deps.catalog, "cards", fail)
    answer = await api.get("/api/v1/models")
    assert answer.problem[:2] == (503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert b"10.0.0.7" not in answer.content


async def test_requests_are_counted_by_template(api: Api) -> None:
    await api.submit()
    await api.get("/api/v1/generations/seven")
    await api.call("PROPFIND", "/no/such/path")
    text = (await api.get("/metrics")).content.decode()
    assert 'penstock_http_requests_total{code="202",method="POST",route="/api/v1/generations"}' in text
    assert 'code="404",method="GET",route="/api/v1/generations/{id}"' in text
    assert 'code="404",method="OTHER",route="unmatched"' in text
    assert 'penstock_http_request_seconds_bucket{le="0.001",route="/livez"}' in text
    assert "seven" not in text
