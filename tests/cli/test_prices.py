"""`penstock prices` against a real gateway, from a file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from cli.errors import BadUsage
from cli.pricefile import as_toml, read_price_file
from shared.catalog import Price, publish
from shared.settings import Settings
from tests.cli.terminal import Result, Terminal
from tests.gateway.api import Api, open_gateway
from tests.pipeline import card

OWN = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "the card")
EXAMPLE = Path(__file__).parents[2] / "docs" / "prices.example.toml"
GOOD = """
# A comment, and a day in the past: it holds at once.
[[price]]
card = "{card}"
effective_from = 2026-02-01
source = "a page"
usd.image = 0.05
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A terminal beside a price file, and one model."""

    terminal: Terminal
    api: Api
    card: str
    file: Path

    def write(self, text: str) -> None:
        self.file.write_text(text.replace("{card}", self.card))

    async def run(self, *words: str) -> Result:
        return await self.terminal.run(
            "prices", *words, PENSTOCK_URL=self.api.gateway.url, PENSTOCK_API_KEY=self.api.key or ""
        )


@pytest.fixture
async def desk(settings: Settings, terminal: Terminal, tmp_path: Path) -> AsyncIterator[Desk]:
    name = f"desk-{uuid4().hex[:8]}"
    async with open_gateway(settings) as gateway:
        await publish(gateway.worker, [card(name, price=OWN)])
        yield Desk(terminal, await gateway.account(), f"{name}/{name}-image", tmp_path / "prices.toml")
        await gateway.worker.execute("DELETE FROM model_cards WHERE provider = $1", name)


async def test_a_file_is_compared_imported_and_shown(desk: Desk) -> None:
    desk.write(GOOD)
    told = await desk.run("diff", str(desk.file))
    assert f"{desk.card}\t2026-02-01\tchanges\t$0.04 per image\t$0.05 per image\t+25%" in told.out
    assert "1 of 1 prices would change." in told.err
    shown = await desk.run("show", desk.card)
    assert f"{desk.card}\t$0.04 per image\t2026-01-01\tthe model's card\tthe card" in shown.out
    done = await desk.run("import", str(desk.file))
    assert (done.code, "1 of 1 prices changed." in done.err) == (0, True)
    shown = await desk.run("show", desk.card)
    assert f"{desk.card}\t$0.05 per image\t2026-02-01\tan import\ta page" in shown.out


async def test_what_is_shown_as_a_file_can_be_imported(desk: Desk) -> None:
    shown = await desk.run("show", "--toml", desk.card)
    desk.write(shown.out)
    told = await desk.run("import", str(desk.file))
    assert (told.code, "0 of 1 prices changed." in told.err) == (0, True)


async def test_what_the_gateway_refuses_is_told_with_its_line(desk: Desk) -> None:
    desk.write(GOOD + GOOD.replace("02-01", "03-01").replace("usd.image", "usd.hectare"))
    refused = await desk.run("import", str(desk.file))
    assert refused.code == 4
    assert "prices.toml, entry in line 10, usd.hectare: " in refused.err
    assert "is not billed by 'hectare'" in refused.err
    assert "Nothing was imported." in refused.err
    shown = await desk.run("show", desk.card)
    assert "$0.04 per image" in shown.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no [[price]] entry"),
        ("[[price]\n", "not valid TOML"),
        ("[[prices]]\n", "unknown 'prices'"),
        (GOOD + "colour = 1\n", "entry in line 3, colour: unknown field"),
        (GOOD.replace("0.05", '"0.05"'), "entry in line 3, usd.image: must be a number"),
        (GOOD.replace("0.05", "-1"), "entry in line 3, usd.image: must not be negative"),
        (GOOD.replace("0.05", "nan"), "entry in line 3, usd.image: must not be negative or endless"),
        (GOOD.replace("2026-02-01", '"2026-02-01"'), "entry in line 3, effective_from: must be a date"),
        (GOOD.replace("usd.image = 0.05", ""), "entry in line 3, usd: give either"),
        (GOOD + "reset = true\n", "entry in line 3, usd: give either"),
        (GOOD.replace('"{card}"', "7"), "entry in line 3, card: must be a text"),
        (GOOD + GOOD.replace("source", "sauce"), "entry in line 10, sauce: unknown field"),
    ],
)
def test_a_bad_file_is_told_with_line_and_field(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(BadUsage) as refused:
        read_price_file(path)
    assert words in refused.value.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="Cannot read"):
        read_price_file(tmp_path / "none.toml")


def test_the_example_can_be_read() -> None:
    entries = read_price_file(EXAMPLE).entries
    assert entries[0]["usd"] == {"image": "0.04"}
    assert entries[-1]["reset"] is True


def test_decimals_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(GOOD.replace("0.05", "0.0000000000125"))
    assert read_price_file(path).entries[0]["usd"] == {"image": "0.0000000000125"}
    assert "a/b: no price is known" in as_toml([{"card": "a/b", "price": None}])
