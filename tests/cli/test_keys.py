from datetime import datetime

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


async def test_a_new_key_is_all_that_stdout_gets(terminal: Terminal, gateway: FakeGateway) -> None:
    result = await terminal.run(
        "keys", "create", "laptop", "--scope", "read", "--expires", "2100-01-01T00:00:00Z"
    )
    assert (result.code, result.out) == (0, "ps_live_new\n")
    assert "not shown again" in result.err
    [body] = gateway.bodies
    assert (body["name"], body["scopes"]) == ("laptop", ["read"])
    assert datetime.fromisoformat(body["expires_at"]).year == 2100


async def test_ls_shows_what_a_key_begins_with(terminal: Terminal) -> None:
    await terminal.run("keys", "create", "laptop")
    result = await terminal.run("keys", "ls")
    assert "\tlaptop\tps_live_abc123…\twrite\t" in result.out


async def test_rotate_shows_the_new_key(terminal: Terminal, gateway: FakeGateway) -> None:
    await terminal.run("keys", "create", "laptop")
    result = await terminal.run("keys", "rotate", next(iter(gateway.keys)), "--overlap", "5m")
    assert (result.out, gateway.bodies[-1]) == ("ps_live_new\n", {"overlap_s": 300})


async def test_revoke_ends_a_key(terminal: Terminal, gateway: FakeGateway) -> None:
    await terminal.run("keys", "create", "laptop")
    [id_] = gateway.keys
    result = await terminal.run("keys", "revoke", id_)
    assert (result.out, gateway.keys) == (f"{id_}: revoked\n", {})


async def test_an_expiry_that_is_none_ends_with_2(terminal: Terminal, gateway: FakeGateway) -> None:
    for when in ("soon", "2020-01-01", "3x"):
        assert (await terminal.run("keys", "create", "laptop", "--expires", when)).code == 2
    assert not gateway.bodies


async def test_a_key_with_limits(terminal: Terminal, gateway: FakeGateway) -> None:
    project = "0192f0c1-2b3c-7d4e-8f50-617283940a1b"
    limits = (
        "--kind",
        "image",
        "--kind",
        "video",
        "--project",
        project,
        "--budget",
        "$0.50",
        "--per",
        "week",
    )
    assert (await terminal.run("keys", "create", "laptop", *limits)).code == 0
    [body] = gateway.bodies
    assert body == {"name": "laptop", "kinds": ["image", "video"], "project_id": project,
                    "budget_nanos": 500_000_000, "budget_period": "week"}  # fmt: skip


async def test_limits_that_are_none_end_with_2(terminal: Terminal, gateway: FakeGateway) -> None:
    for options in (("--budget", "x"), ("--budget", "-1"), ("--budget", "nan"), ("--budget", "0.0000000001"),
                    ("--per", "day"), ("--budget", "1", "--per", "year"), ("--project", "mine")):  # fmt: skip
        assert (await terminal.run("keys", "create", "laptop", *options)).code == 2, options
    assert not gateway.bodies


async def test_master_keys_are_rotated_with_the_settings_at_hand(terminal: Terminal) -> None:
    for key, said in (("", "ENCRYPTION_MASTER_KEY is not set"), ("short", "32 random bytes")):
        result = await terminal.run("keys", "rotate-master", ENCRYPTION_MASTER_KEY=key)
        assert (result.code, said in result.err) == (2, True), result.err
    key = "dGhlIG1hc3RlciBrZXkgb2YgdGhlc2UgdGVzdHMgaGE="
    away = {"ENCRYPTION_MASTER_KEY": key, "DATABASE_WORKER_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert (await terminal.run("keys", "rotate-master", **away)).code == 3
