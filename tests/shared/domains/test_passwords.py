"""Passwords: what is stored, that checking never blocks the loop, and how many may wait."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, extract_parameters

from shared.domains import passwords
from shared.domains.attempts import network_of
from shared.domains.passwords import AT_ONCE, Passwords, Verdict
from shared.errors import Unavailable


@pytest.fixture
async def cheap() -> AsyncIterator[Passwords]:
    made = Passwords(cheap=True)
    yield made
    made.close()


async def test_a_password_is_right_and_others_are_not(cheap: Passwords) -> None:
    stored = await cheap.hash("correct horse battery")
    assert stored != await cheap.hash("correct horse battery"), "salted"
    assert await cheap.check(stored, "correct horse battery") == Verdict(True)
    assert await cheap.check(stored, "correct horse batterie") == Verdict(False)
    assert await cheap.check(None, "correct horse battery") == Verdict(False)
    assert await cheap.check("no hash", "correct horse battery") == Verdict(False)


async def test_the_same_characters_typed_otherwise_are_the_same(cheap: Passwords) -> None:
    stored = await cheap.hash("caf\u00e9 cr\u00e8me")
    assert (await cheap.check(stored, "cafe\u0301 cre\u0300me")).right


async def test_todays_parameters_are_strong_and_the_unknown_costs_the_same() -> None:
    strong = Passwords()
    try:
        of = extract_parameters(strong._nobodys)
        assert of == extract_parameters(PasswordHasher().hash("x"))
        assert (of.memory_cost, of.time_cost, of.type.name) == (65536, 3, "ID")
        assert await strong.check(None, "x") == Verdict(False)
    finally:
        strong.close()


async def test_a_hash_of_other_parameters_is_made_anew(cheap: Passwords) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=32, parallelism=1).hash("correct horse battery")
    verdict = await cheap.check(old, "correct horse battery")
    assert verdict.right
    assert verdict.fresh is not None
    assert await cheap.check(verdict.fresh, "correct horse battery") == Verdict(True)
    assert (await cheap.check(old, "wrong")).fresh is None


async def test_few_run_at_once_and_the_loop_goes_on(cheap: Passwords) -> None:
    running, most, free = 0, 0, threading.Event()
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        free.wait(10)
        with lock:
            running -= 1

    tasks = [asyncio.create_task(cheap._run(work)) for _ in range(6)]
    while most < AT_ONCE:
        await asyncio.sleep(0.01)
    free.set()
    await asyncio.gather(*tasks)
    assert most == AT_ONCE


async def test_a_crowd_is_sent_away(cheap: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MAX_WAITING", 3)
    results = await asyncio.gather(*(cheap.hash("x" * 8) for _ in range(5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Unavailable)]
    assert [error.retry_after_s for error in refused] == [passwords.RETRY_AFTER_S] * 2
    assert (await cheap.hash("x" * 8)).startswith("$argon2id$")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_customer_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network
