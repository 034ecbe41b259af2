import json
from uuid import uuid4

from aiohttp import web

from shared.settings import Settings
from tests.cli.fake_gateway import FakeGateway, now
from tests.cli.terminal import Terminal
from tests.gateway.api import open_gateway


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


async def test_a_clean_ledger_is_verified_and_a_difference_ends_with_one(
    terminal: Terminal, settings: Settings
) -> None:
    async with open_gateway(settings) as served:
        api = await served.account()
        entry = "INSERT INTO users (id, email, role) VALUES ($1, $1::uuid || '@example.com', 'user')"
        await served.worker.execute(entry, api.account_id)
        own = {"PENSTOCK_URL": served.url, "PENSTOCK_API_KEY": api.key or ""}
        clean = await terminal.run("ledger", "verify", **own)
        assert (clean.code, clean.out) == (0, "")
        assert clean.err.startswith("0 generations and 0 entries of this account since ")
        await served.worker.execute(
            "UPDATE accounts SET budget_nanos = 5, held_nanos = 3000000 WHERE id = $1", api.account_id
        )
        wrong = await terminal.run("ledger", "verify", "--since", "90d", **own)
        assert wrong.code == 1
        assert wrong.out.splitlines()[1].split("\t") == [
            str(api.account_id), "", "$0.00", "$0.003", "the account's held sum is not that of its ledger"
        ]  # fmt: skip
        assert "Error: The ledger differs from the record: 1 found." in wrong.err
        told = await terminal.run("ledger", "verify", "--json", **own)
        assert (told.code, json.loads(told.out)["total"]) == (1, 1)
        assert json.loads(told.err)["error"]["code"] == "LEDGER_DIFFERS"
        await served.worker.execute("DELETE FROM accounts WHERE id = $1", api.account_id)


async def test_audits_and_what_waits_are_told(terminal: Terminal, gateway: FakeGateway) -> None:
    waiting = {
        "generations": 2,
        "reserved": {"nanos": 40_000_000},
        "age_s": 120,
        "since": now(),
        "oldest": "g1",
    }
    audit = {
        "provider": "replicate",
        "finished_at": now(),
        "listed": 9,
        "orphans": 1,
        "missing": 0,
        "error": None,
    }
    report = {
        "ok": False, "extent": "installation", "since": now(), "generations": 3, "entries": 7, "budgets": 1, "total": 0,
        "differences": [], "reconciling": waiting, "unpriced": None,
        "audits": [
            audit | {"findings": [{"what": "second_job", "remote_id": "p1", "model": None}]},
            audit | {"provider": "fal", "finished_at": None, "error": "TimeoutError", "findings": []},
        ],
    }  # fmt: skip
    gateway.refusals["GET /ledger/verify"] = lambda: web.json_response(report)
    result = await terminal.run("ledger", "verify")
    assert result.code == 1
    assert "2 wait for the provider's bill ($0.04 reserved), the oldest for 2 min 00 s: g1" in result.err
    assert ": 9 jobs listed, 1 without a record, 0 missing.\n  what second_job, remote_id p1\n" in result.err
    assert "The last audit of fal was cut off: TimeoutError" in result.err
    assert "Error: An audit found jobs at a provider that the record does not account for." in result.err
