from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal

ENDPOINT: dict[str, Any] = {
    "id": str(uuid4()), "url": "https://example.org/hook", "events": ["generation.failed"], "description": "orders",
    "enabled": False, "disabled_reason": "It answered 410 Gone.", "created_at": "2030-01-01T00:00:00Z",
}  # fmt: skip
DELIVERY: dict[str, Any] = {
    "id": str(uuid4()), "type": "generation.failed", "state": "pending", "attempts": 2, "last_status": 500,
    "last_error": None, "last_response": "out of\norder", "created_at": "2030-01-01T00:00:00Z",
    "next_attempt_at": None,
}  # fmt: skip


async def test_endpoints_are_listed_with_why_they_are_off(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["webhooks"] = [ENDPOINT]
    result = await terminal.run("webhooks", "ls")
    assert result.out.splitlines()[1] == "\t".join((
        ENDPOINT["id"], "https://example.org/hook", "generation.failed", "disabled: It answered 410 Gone.", "orders"
    ))  # fmt: skip


async def test_a_new_secret_is_all_that_stdout_gets(terminal: Terminal, gateway: FakeGateway) -> None:
    result = await terminal.run(
        "webhooks", "create", "https://example.org/hook", "--event", "generation.failed"
    )
    assert (result.code, result.out) == (0, "whsec_new\n")
    assert "not shown again" in result.err
    assert gateway.bodies == [
        {"url": "https://example.org/hook", "description": "", "events": ["generation.failed"]}
    ]


async def test_a_test_message_and_a_redelivery(terminal: Terminal, gateway: FakeGateway) -> None:
    for arguments, path in (
        (("test", ENDPOINT["id"]), f"/webhooks/{ENDPOINT['id']}/test"),
        (("redeliver", DELIVERY["id"]), f"/deliveries/{DELIVERY['id']}/redeliver"),
    ):
        gateway.refusals[f"POST {path}"] = lambda: web.json_response(DELIVERY, status=202)
        result = await terminal.run("webhooks", *arguments)
        assert (result.code, result.out) == (0, f"{DELIVERY['id']}: pending\n")
        assert gateway.requests[-1] == f"POST {path}"


async def test_the_log_says_what_became_of_each(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["deliveries"] = [DELIVERY]
    result = await terminal.run("webhooks", "deliveries", "--state", "pending")
    assert gateway.queries[-1]["state"] == "pending"
    line = result.out.splitlines()[1]
    assert line.startswith(f"{DELIVERY['id']}\tgeneration.failed\tpending\t2\t500\t")
    assert line.endswith("\tout of order")
    assert (await terminal.run("webhooks", "deliveries", "seven")).code == 2
