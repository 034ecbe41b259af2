from typing import Any

import pytest

from cli.models import parameter_rows, price_words
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal

MODEL: dict[str, Any] = {
    "id": "local/image",
    "provider": "local",
    "model": "local",
    "kind": "image",
    "aliases": ["local"],
    "parameters": {
        "properties": {
            "prompt": {"type": "string", "description": "What the picture shows."},
            "seed": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]},
            "style": {"anyOf": [{"enum": ["plain", "vivid"], "type": "string"}, {"type": "null"}]},
            "count": {"type": "integer", "default": 1},
        },
        "required": ["prompt"],
    },
    "price": {"units": {"image": "40000000"}},
    "expected_s": 2.0,
    "available": True,
}


async def test_models_are_listed_with_price_and_state(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["models"] = [MODEL, MODEL | {"id": "far/image", "available": False, "reason": "no key"}]
    result = await terminal.run("models", "--kind", "image")
    assert "local/image\timage\tlocal\tlocal\t$0.04 per image\t2.0 s\tready" in result.out
    assert result.out.splitlines()[-1].endswith("\tno key")
    assert gateway.queries == [{"kind": "image"}]


async def test_a_model_is_shown_with_its_parameters(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.lists["models"] = [MODEL]
    result = await terminal.run("models", "show", "local/image")
    assert "prompt\tstring, required\tWhat the picture shows" in result.out


def test_parameters_say_their_limits() -> None:
    assert list(parameter_rows(MODEL["parameters"])) == [
        ("prompt", "string, required", "What the picture shows"),
        ("seed", "integer", "0 to 9"),
        ("style", "string", "one of plain, vivid"),
        ("count", "integer", "default 1"),
    ]


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ({"run": "15000000", "megapixel": "15000000"}, "$0.015 per run + $0.015 per megapixel"),
        ({"output_token": "0.25"}, "$0.00000000025 per output token"),
        ({"run": "0"}, "free"),
    ],
)
def test_prices_are_exact(units: dict[str, str], words: str) -> None:
    assert price_words({"units": units}) == words
    assert price_words(None) == "unknown"
