from uuid import uuid4

from tests.cli.fake_gateway import FakeGateway, now
from tests.cli.terminal import Terminal


async def test_entries_are_signed_dollars(terminal: Terminal, gateway: FakeGateway) -> None:
    generation = str(uuid4())
    gateway.lists["ledger"] = [
        {"kind": "release", "nanos": -40_000_000, "payer": "account", "created_at": now()},
        {"kind": "reserve", "nanos": 40_000_000, "payer": "account", "created_at": now()},
    ]
    result = await terminal.run("ledger", "--generation", generation, "--kind", "reserve")
    _, release, reserve = [line.split("\t")[1:4] for line in result.out.splitlines()]
    assert (release, reserve) == (["release", "-$0.04", "account"], ["reserve", "$0.04", "account"])
    assert gateway.queries == [{"limit": "50", "generation_id": generation, "kind": "reserve"}]


async def test_nothing_spent_is_a_remark(terminal: Terminal) -> None:
    result = await terminal.run("ledger")
    assert (result.out, result.err) == ("", "Nothing was spent yet.\n")
