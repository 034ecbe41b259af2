import json

from aiohttp import web

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


async def test_all_is_well(terminal: Terminal) -> None:
    result = await terminal.run("doctor", "--json")
    assert [check["name"] for check in json.loads(result.out) if not check["ok"]] == []
    assert result.code == 0


async def test_what_fails_is_named_with_advice(terminal: Terminal, gateway: FakeGateway) -> None:
    down = {"status": "down", "reason": "cannot be reached"}
    report = {"ready": False, "checks": {"postgres": down, "redis": {"status": "up"}}}
    gateway.refusals["GET /readyz"] = lambda: web.json_response(report, status=503)
    result = await terminal.run("doctor", PENSTOCK_API_KEY="ps_live_wrong")
    assert result.code == 1
    assert "FAIL\tgateway /readyz\t503 Service Unavailable; postgres: down, cannot be reached\n" in result.out
    assert "FAIL\tAPI key\tThis key is not known.\n" in result.out
    assert "Error: Not in order: gateway /readyz, API key.\n" in result.err


async def test_nobody_there_is_one_finding(terminal: Terminal, gateway: FakeGateway) -> None:
    await gateway.stop()
    result = await terminal.run("doctor")
    assert [line for line in result.out.splitlines() if line.startswith("FAIL\tgateway")] == [
        f"FAIL\tgateway\tCannot reach the gateway at {gateway.url}: nothing listens there."
    ]


async def test_settings_that_cannot_be_read_are_told(terminal: Terminal) -> None:
    result = await terminal.run("doctor", PORT="many")
    assert "FAIL\tsettings\tport: " in result.out
