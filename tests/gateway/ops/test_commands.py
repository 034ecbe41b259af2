"""The commands of operators against a real gateway: what the page can do, they can."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.nursery import Nursery
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Result, Terminal
from tests.gateway.api import Api


@pytest.fixture
async def terminal(api: Api, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Terminal]:
    await api.gateway.worker.execute("DELETE FROM generations")  # all of the installation's are counted
    used = Terminal(FakeGateway(), nursery, tmp_path)
    yield used
    await used.close()
    await api.gateway.worker.execute("DELETE FROM queues")


async def _run(api: Api, terminal: Terminal, *arguments: str) -> Result:
    return await terminal.run(*arguments, PENSTOCK_URL=api.gateway.url, PENSTOCK_API_KEY=api.key or "")


async def _done(api: Api, terminal: Terminal, *arguments: str) -> str:
    result = await _run(api, terminal, *arguments)
    assert result.code == 0, result.err
    return result.out


async def _state_and_depth(api: Api, terminal: Terminal) -> list[str]:
    lines = (await _done(api, terminal, "queues", "ls")).splitlines()
    (row,) = [line for line in lines if line.startswith("image")]
    return row.split("\t")[1:3]


async def test_a_queue_is_paused_and_emptied(api: Api, terminal: Terminal) -> None:
    assert "image: paused (until " in await _done(api, terminal, "queues", "pause", "image", "--until", "2h")
    generation_id = (await api.submit())["id"]
    async with asyncio.timeout(60):  # what the table says may be a second old
        while await _state_and_depth(api, terminal) != ["paused", "1"]:
            await asyncio.sleep(0.2)
    assert (await _run(api, terminal, "queues", "purge", "image")).code == 2, "nobody said yes"
    purged = await _run(api, terminal, "queues", "purge", "image", "--yes")
    assert purged.out == "image: 1 canceled\n"
    hint = purged.err.strip().partition("penstock ")[2].split()
    assert await _done(api, terminal, *hint) == "1 asked for again\n"
    assert (await _run(api, terminal, *hint)).code != 0, "once"
    await _done(api, terminal, "queues", "purge", "image", "--yes")
    assert (
        await _done(api, terminal, "jobs", "bulk", "retry", "--status", "canceled", "--yes")
        == "retry: 1 of 1\n"
    )
    mine = ("jobs", "ls", "--all", "--account", str(api.account_id))
    assert generation_id in await _done(api, terminal, *mine)
    assert generation_id not in await _done(api, terminal, *mine, "--tag", "fog")
    assert "nobody%" in (await _run(api, terminal, "jobs", "ls", "--all", "--account", "nobody%")).err
    assert await _done(api, terminal, "queues", "resume", "image") == "image: running\n"
    actions = [line.split("\t")[3] for line in (await _done(api, terminal, "audit")).splitlines()[1:7]]
    assert actions == [
        "queue.resume", "jobs.retry", "queue.purge", "queue.undo_purge", "queue.purge", "queue.pause",
    ]  # fmt: skip


async def test_the_doctor_looks_behind_the_gateway(api: Api, terminal: Terminal) -> None:
    redis = api.gateway.deps.redis
    well = (await _run(api, terminal, "doctor")).out
    assert "ok\tRedis eviction\tnoeviction, no limit of memory\n" in well
    assert "FAIL\tbucket CORS\tpages at https://app.example may not send files to it\n" in well
    await redis.config_set("maxmemory", "1gb")
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        ill = await _run(api, terminal, "doctor")
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", "0")
    assert "FAIL\tRedis eviction\tRedis may evict keys (maxmemory-policy allkeys-lru)" in ill.out
    assert (ill.code, "Set Redis' maxmemory-policy to noeviction." in ill.err) == (1, True)


async def test_sums_are_put_right_from_the_command_line(api: Api, terminal: Terminal) -> None:
    project = (await api.post("/api/v1/projects", {"name": "Foxes"})).json["id"]
    await api.gateway.worker.execute("UPDATE projects SET spent_nanos = 7000000 WHERE id = $1", project)
    row = f"{project}\t{api.account_id}\t$0.007\t$0.00\n"
    assert row in await _done(api, terminal, "ledger", "reconcile")
    assert project not in await _done(api, terminal, "ledger", "reconcile")
