import asyncio
import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


async def test_saves_the_image_and_says_what_it_cost(terminal: Terminal, tmp_path: Path) -> None:
    result = await terminal.run("generate", "image", "a lighthouse in fog", "-o", "out.png", "--seed", "7")
    assert (result.code, result.out) == (0, "out.png\n")
    assert (tmp_path / "out.png").read_bytes() == b"\x89PNG fake"
    assert "Cost: $0.04." in result.err
    assert terminal.gateway.bodies == [
        {"kind": "image", "input": {"prompt": "a lighthouse in fog", "seed": 7}}
    ]


async def test_a_pipe_gets_no_control_characters(terminal: Terminal) -> None:
    result = await terminal.run("generate", "image", "x", FORCE_COLOR="1", TTY_COMPATIBLE="1")
    assert result.code == 0
    assert (result.out + result.err).replace("\n", "").isprintable()


async def test_several_outputs_are_numbered(terminal: Terminal, gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.ends = lambda id_: gateway.complete(id_, b"one", b"two")
    result = await terminal.run("generate", "image", "x", "--count", "2", "-o", "made/")
    names = [Path(line).name for line in result.out.splitlines()]
    assert [(tmp_path / "made" / name).read_bytes() for name in names] == [b"one", b"two"]
    assert [name[-6:] for name in names] == ["-1.png", "-2.png"]


async def test_stdout_gets_the_bytes_alone(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = lambda id_: gateway.complete(id_, b"sound", mime="audio/mpeg")
    result = await terminal.run("generate", "audio", "hello", "-o", "-")
    assert (result.code, result.out) == (0, "sound")


async def test_progress_is_lines_off_a_terminal(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = None
    process = await terminal.start("generate", "image", "x", "-o", "out.png")
    await gateway.until(gateway.followers)
    id_ = gateway.last["id"]
    gateway.run(id_)
    gateway.progress(id_, 0.5)
    gateway.complete(id_)
    _, err = await process.communicate()
    assert "image (local): running 50%\n" in err.decode()


async def test_survives_a_restart_of_the_gateway(
    terminal: Terminal, gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.ends = None
    process = await terminal.start("generate", "image", "x", "-o", "out.png")
    await gateway.until(gateway.followers)
    await gateway.stop()
    gateway.run(gateway.last["id"])
    await gateway.start()
    await gateway.until(lambda: gateway.followers() >= 2)
    gateway.complete(gateway.last["id"])
    _, err = await process.communicate()
    assert (process.returncode, (tmp_path / "out.png").exists()) == (0, True)
    assert "connection lost" in err.decode()


async def test_polls_where_nothing_streams(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends, gateway.streams = None, False
    process = await terminal.start("generate", "image", "x", "-o", "out.png")
    await gateway.until(
        lambda: any(
            path == f"GET /generations/{known}" for known in gateway.generations for path in gateway.requests
        )
    )
    gateway.complete(gateway.last["id"])
    await process.communicate()
    assert process.returncode == 0


async def test_a_lost_answer_is_asked_for_again_and_makes_one_generation(
    terminal: Terminal, gateway: FakeGateway
) -> None:
    gateway.lose_answers = 2
    result = await terminal.run("generate", "image", "x", "-o", "out.png")
    assert (result.code, len(gateway.bodies), len(gateway.generations)) == (0, 3, 1)


async def test_a_local_file_is_uploaded_first(
    terminal: Terminal, gateway: FakeGateway, tmp_path: Path
) -> None:
    (tmp_path / "small.png").write_bytes(b"small")
    result = await terminal.run("generate", "upscale", "small.png", "--scale", "2", "-o", "big.png")
    assert result.code == 0
    [(id_, upload)] = gateway.uploads.items()
    assert upload == ("small.png", b"small")
    assert gateway.bodies[0]["input"] == {"image": id_, "scale": 2}


async def test_ids_and_addresses_are_passed_on(terminal: Terminal, gateway: FakeGateway) -> None:
    for source in (str(uuid4()), "https://example.org/a.png"):
        result = await terminal.run("generate", "upscale", source, "--no-wait")
        assert (result.code, gateway.bodies[-1]["input"]["image"]) == (0, source)
    assert not gateway.uploads


async def test_parameters_may_be_json(terminal: Terminal, gateway: FakeGateway) -> None:
    result = await terminal.run(
        *("generate", "video", "waves", "--no-wait", "--model", "local", "--priority", "high"),
        *("--provider", "local", "-p", "fps=24", "-p", 'simulate={"seconds":1}', "-p", "aspect_ratio=16:9"),
    )
    assert result.out.strip() == gateway.last["id"]
    assert gateway.bodies == [
        {
            "kind": "video",
            "model": "local",
            "priority": "high",
            "provider": {"order": ["local"]},
            "input": {"prompt": "waves", "fps": 24, "simulate": {"seconds": 1}, "aspect_ratio": "16:9"},
        }
    ]


async def test_text_is_printed(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = lambda id_: gateway.complete(id_, b"Es regnet.\n")
    result = await terminal.run("generate", "text", "-", stdin="weather?\n")
    assert (result.code, result.out) == (0, "Es regnet.\n")
    assert gateway.bodies[0]["input"] == {"prompt": "weather?"}


async def test_text_appears_while_it_is_written(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = None
    tty = await terminal.on_tty("generate", "text", "say it")
    await gateway.until(gateway.followers)
    id_ = gateway.last["id"]
    gateway.run(id_)
    gateway.delta(id_, 0, "one two ")
    await tty.sees("one two ")
    gateway.complete(id_, b"one two three \x1b[31mfour")
    assert await tty.ends() == 0
    assert "one two three \N{REPLACEMENT CHARACTER}[31mfour" in tty.screen


async def test_json_is_the_resource(terminal: Terminal) -> None:
    result = await terminal.run("generate", "image", "x", "--json", "-o", "out.png")
    body = json.loads(result.out)
    assert (body["status"], body["saved"], result.err) == ("completed", ["out.png"], "")


async def test_a_failed_job_says_why_and_ends_with_1(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = gateway.fail
    result = await terminal.run("generate", "image", "x")
    assert (result.code, result.out) == (1, "")
    assert "Error: The generation failed: out of paint. Cost: $0.00 (nothing charged).\n" in result.err
    assert f"penstock jobs retry {gateway.last['id']}" in result.err


async def test_a_failed_job_is_json_twice(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = gateway.fail
    result = await terminal.run("generate", "image", "x", "--json")
    assert json.loads(result.out)["status"] == "failed"
    assert json.loads(result.err)["error"]["code"] == "PROVIDER_FAILED"


@pytest.mark.parametrize(
    "arguments",
    [
        ("image", "x", "-o", "no/such/folder/out.png"),
        ("image", "x", "-p", "steps"),
        ("image", "x", "--seed", "1", "-p", "seed=2"),
        ("upscale", "missing.png"),
        ("image", "x", "-o", "-", "--json"),
        ("image", "x", "-o", "out.png", "--no-wait"),
    ],
)
async def test_wrong_usage_ends_with_2_before_anything_is_asked(
    terminal: Terminal, gateway: FakeGateway, arguments: tuple[str, ...]
) -> None:
    result = await terminal.run("generate", *arguments)
    assert (result.code, gateway.bodies) == (2, [])
    assert "Traceback" not in result.err


async def test_nobody_there_ends_with_3(terminal: Terminal, gateway: FakeGateway) -> None:
    await gateway.stop()
    result = await terminal.run("generate", "image", "x")
    assert result.code == 3
    assert f"Error: Cannot reach the gateway at {gateway.url}: nothing listens there.\n" in result.err


async def test_a_refusal_names_the_field_and_ends_with_4(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.refuse("POST /generations", 422, "INVALID_INPUT", "Unknown field", field="input.sise")
    result = await terminal.run("generate", "image", "x", "-p", "sise=1")
    assert (result.code, result.out) == (4, "")
    assert "Error: input.sise: Unknown field.\n" in result.err


async def test_with_json_a_refusal_is_json(terminal: Terminal) -> None:
    result = await terminal.run("generate", "image", "x", "--json", "--key", "ps_live_wrong")
    error = json.loads(result.err)["error"]
    assert (result.code, error["code"], error["status"]) == (4, "UNAUTHENTICATED", 401)


async def test_the_first_interrupt_explains_and_the_second_leaves(
    terminal: Terminal, gateway: FakeGateway
) -> None:
    gateway.ends = None
    tty = await terminal.on_tty("generate", "image", "x")
    await gateway.until(gateway.followers)
    await tty.sees("image (local)")
    tty.interrupt()
    await tty.sees(f"penstock jobs cancel {gateway.last['id']}")
    assert tty.process.returncode is None
    tty.interrupt()
    assert await tty.ends() == 130
    assert gateway.last["status"] == "queued"


async def test_off_a_terminal_one_interrupt_leaves(terminal: Terminal, gateway: FakeGateway) -> None:
    gateway.ends = None
    process = await terminal.start("generate", "image", "x")
    await gateway.until(gateway.followers)
    process.send_signal(2)
    async with asyncio.timeout(90):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert f"penstock jobs watch {gateway.last['id']}" in err.decode()


async def test_a_damaged_download_is_not_kept(
    terminal: Terminal, gateway: FakeGateway, tmp_path: Path
) -> None:
    def damage(id_: str) -> None:
        gateway.complete(id_, b"whole")
        gateway.files[id_] = [b"broken"]

    gateway.ends = damage
    result = await terminal.run("generate", "image", "x", "-o", "out.png")
    assert result.code == 1
    assert os.listdir(tmp_path) == []
