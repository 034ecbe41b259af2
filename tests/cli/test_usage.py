from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


async def test_usage_is_exact_and_summed(terminal: Terminal, gateway: FakeGateway) -> None:
    row = {"group": "image", "generations": 3, "completed": 2, "failed": 1, "nanos": 80_000_125}
    gateway.usage = {
        "from": "2026-05-01T00:00:00Z",
        "to": "2026-06-01T00:00:00Z",
        "rows": [row, row | {"group": None, "nanos": 0}],
        "total": row | {"group": None},
    }
    result = await terminal.run("usage", "--by", "model", "--from", "2026-05-01")
    assert result.out.splitlines() == [
        "model\tgenerations\tcompleted\tfailed\tcost",
        "image\t3\t2\t1\t$0.080000125",
        "none\t3\t2\t1\t$0.00",
        "total\t3\t2\t1\t$0.080000125",
    ]
    assert gateway.queries == [{"group_by": "model", "from": "2026-05-01"}]


async def test_a_day_that_is_none_ends_with_2(terminal: Terminal) -> None:
    assert (await terminal.run("usage", "--to", "tomorrow")).code == 2
