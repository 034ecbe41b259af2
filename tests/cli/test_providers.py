from typing import Any

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal

PROVIDER: dict[str, Any] = {
    "id": "replicate",
    "kinds": ["image", "music"],
    "available": True,
    "reason": None,
    "enabled": True,
    "credentials": [
        {
            "credential": "platform",
            "status": "down",
            "error_rate": 0.67,
            "response_ms": 812.4,
            "cooldown_until": "2030-01-01T00:00:00Z",
            "reason": "connection\nrefused",
            "limits": {"rpm": 600, "concurrent": 50},
        }
    ],
}
ABSENT: dict[str, Any] = {
    "id": "mubert", "kinds": ["music"], "available": False, "reason": "MUBERT_ACCESS_TOKEN is not set",
    "enabled": False, "credentials": [],
}  # fmt: skip


async def test_providers_are_listed_with_health_and_limits(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["providers"] = [PROVIDER, ABSENT]
    result = await terminal.run("providers", "list")
    _, down, absent = result.out.splitlines()
    assert down.startswith("replicate\tplatform\timage, music\tdown\t67%\t812 ms\t")
    assert down.endswith("\t600 per minute, 50 at once\tconnection refused")
    assert "not available, disabled by you" in absent
    assert absent.endswith("MUBERT_ACCESS_TOKEN is not set")


async def test_a_provider_is_tried_again(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["providers"] = [PROVIDER]
    result = await terminal.run("providers", "reset", "replicate")
    assert (result.code, result.out) == (0, "replicate: reset\n")
    assert gateway.requests[-1].endswith("/providers/replicate/reset")
    assert (await terminal.run("providers", "reset", "nobody")).code == 4
