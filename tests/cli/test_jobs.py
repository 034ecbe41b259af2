import asyncio
import json
from uuid import uuid4

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


async def test_ls_shows_the_latest_in_lines_that_tools_can_cut(
    terminal: Terminal, gateway: FakeGateway
) -> None:
    first, second = gateway.make(), gateway.make("music")
    gateway.complete(first, nanos=125_000)
    result = await terminal.run("jobs", "ls")
    header, *rows = [line.split("\t") for line in result.out.splitlines()]
    assert header[:6] == ["id", "kind", "model", "status", "done", "cost"]
    assert [row[:6] for row in rows] == [
        [second, "music", "local", "queued", "", "about $0.04"],
        [first, "image", "local", "completed", "100%", "$0.000125"],
    ]


async def test_ls_goes_over_as_many_pages_as_it_takes(terminal: Terminal, gateway: FakeGateway) -> None:
    made = [gateway.make() for _ in range(130)]
    result = await terminal.run("jobs", "ls", "--limit", "120", "--status", "queued", "--json")
    assert [item["id"] for item in json.loads(result.out)] == made[:9:-1]


async def test_what_others_wrote_cannot_steer_the_terminal(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.make(input={"prompt": "\x1b[2J[bold]x[/bold]"})
    tty = await terminal.on_tty("jobs", "ls")
    assert await tty.ends() == 0
    assert "\N{REPLACEMENT CHARACTER}[2J[bold]x[/bold]" in tty.screen


async def test_show_tells_state_cost_and_submissions(terminal: Terminal, gateway: FakeGateway) -> None:
    id_ = gateway.make()
    gateway.complete(id_)
    result = await terminal.run("jobs", "show", id_)
    lines = {tuple(line.split("  ", 1)) for line in result.out.splitlines()}
    assert {name for name, *_ in lines} >= {"id", "status", "cost", "input.prompt"}
    assert "\t$0.000125\t" in result.out
    assert json.loads((await terminal.run("jobs", "show", id_, "--json")).out)["submissions"][0]["n"] == 1


async def test_a_missing_generation_is_refused(terminal: Terminal) -> None:
    id_ = uuid4()
    result = await terminal.run("jobs", "show", str(id_))
    assert (result.code, result.err) == (4, f"Error: There is no generation {id_}.\n")


async def test_watch_saves_what_an_interrupted_wait_left(terminal: Terminal, gateway: FakeGateway) -> None:
    id_ = gateway.make()
    process = await terminal.start("jobs", "watch", id_, "-o", "late.png")
    await gateway.until(gateway.followers)
    gateway.complete(id_)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"late.png\n")


async def test_watch_without_an_id_prints_every_change(terminal: Terminal, gateway: FakeGateway) -> None:
    process = await terminal.start("jobs", "watch", "--json")
    await gateway.until(gateway.followers)
    id_ = gateway.make()
    gateway.run(id_)
    gateway.complete(id_)
    assert process.stdout is not None
    frames = [json.loads(await process.stdout.readline()) for _ in range(2)]
    assert [(frame["id"], frame["seq"], frame["type"]) for frame in frames] == [
        (id_, 2, "generation.waiting"),
        (id_, 3, "generation.completed"),
    ]
    process.send_signal(2)
    assert await process.wait() == 130


async def test_watch_is_a_live_table_on_a_terminal(terminal: Terminal, gateway: FakeGateway) -> None:
    tty = await terminal.on_tty("jobs", "watch")
    await gateway.until(gateway.followers)
    id_ = gateway.make(input={"prompt": "a quiet bay"})
    gateway.run(id_)
    gateway.progress(id_, 0.5)
    for text in (id_, "a quiet bay", "50%", "1 unfinished"):
        await tty.sees(text)
    tty.interrupt()
    assert await tty.ends() == 0


async def test_cancel_says_what_becomes_of_the_money(terminal: Terminal, gateway: FakeGateway) -> None:
    id_ = gateway.make()
    result = await terminal.run("jobs", "cancel", id_)
    assert (result.code, result.out) == (0, f"{id_}: canceled; nothing is charged\n")


async def test_cancel_by_filter_wants_a_yes(terminal: Terminal, gateway: FakeGateway) -> None:
    id_ = gateway.make()
    refused = await terminal.run("jobs", "cancel", "--kind", "image")
    assert (refused.code, gateway.bodies) == (2, [])
    done = await terminal.run("jobs", "cancel", "--kind", "image", "--yes")
    assert (done.code, gateway.generations[id_]["status"]) == (0, "canceled")
    expected = {"status": ["queued", "running"], "kind": ["image"]}
    assert gateway.bodies == [{"action": "cancel", "filter": expected}]


async def test_on_a_terminal_the_count_is_asked_about(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.make()
    gateway.make()
    tty = await terminal.on_tty("jobs", "cancel", "--all")
    await tty.sees("Cancel 2 generations? [y/N]:")
    tty.type("n\n")
    assert await tty.ends() == 1
    assert not gateway.bodies


async def test_nothing_named_is_nothing_done(terminal: Terminal, gateway: FakeGateway) -> None:
    for arguments in (("jobs", "delete"), ("jobs", "delete", str(uuid4()), "--all")):
        assert (await terminal.run(*arguments)).code == 2
    assert not gateway.bodies


async def test_several_that_are_partly_refused_are_each_told(
    terminal: Terminal, gateway: FakeGateway
) -> None:
    id_, missing = gateway.make(), str(uuid4())
    result = await terminal.run("jobs", "delete", id_, missing)
    assert (result.code, result.out.splitlines()) == (
        4,
        [f"{id_}: deleted", f"{missing}: not done. There is no generation {missing}."],
    )
    assert "1 of 2 could not be done." in result.err


async def test_retry_and_rerun_make_new_ones(terminal: Terminal, gateway: FakeGateway) -> None:
    id_ = gateway.make()
    gateway.fail(id_)
    retried = await terminal.run("jobs", "retry", id_, "--provider", "local")
    assert (retried.out.strip(), gateway.bodies[-1]) == (gateway.last["id"], {"provider": "local"})
    rerun = await terminal.run("jobs", "rerun", id_, "--same-seed", "-p", "prompt=again", "-o", "again.png")
    assert (rerun.out, gateway.last["parent_id"]) == ("again.png\n", id_)
    assert gateway.bodies[-1] == {"seed": "same", "overrides": {"prompt": "again"}}


async def test_an_interrupted_watch_leaves_nothing_running(terminal: Terminal, gateway: FakeGateway) -> None:
    process = await terminal.start("jobs", "watch", gateway.make())
    await gateway.until(gateway.followers)
    process.send_signal(2)
    async with asyncio.timeout(90):
        assert await process.wait() == 130
