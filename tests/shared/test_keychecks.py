"""Whether a provider takes a key, asked of each provider's emulator."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.keychecks import CHECKS, KeyStatus, check_key
from shared.settings import Settings
from tests.emulators.anthropic import AnthropicEmulator
from tests.emulators.base import Effect, Emulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.fal import FalEmulator
from tests.emulators.mubert import MubertEmulator
from tests.emulators.openai import OpenAIEmulator, groq
from tests.emulators.replicate import ReplicateEmulator
from tests.emulators.runware import RunwareEmulator
from workers.providers.registry import ENTRIES

GOOD = "good-key:of-somebody"


def _emulator(provider: str) -> tuple[Emulator, str]:
    """The emulator that takes the good key only, and the setting that leads to it."""
    customer, _, token = GOOD.partition(":")
    made: dict[str, tuple[Emulator, str]] = {
        "openai": (OpenAIEmulator(key=GOOD), "openai_base_url"),
        "anthropic": (AnthropicEmulator(key=GOOD), "anthropic_base_url"),
        "groq": (groq(key=GOOD), "groq_base_url"),
        "replicate": (ReplicateEmulator(token=GOOD), "replicate_base_url"),
        "elevenlabs": (ElevenLabsEmulator(api_key=GOOD), "elevenlabs_base_url"),
        "fal": (FalEmulator(key=GOOD), "fal_queue_url"),
        "mubert": (MubertEmulator(customer_id=customer, access_token=token), "mubert_base_url"),
        "runware": (RunwareEmulator(api_key=GOOD), "runware_url"),
    }
    return made[provider]


@pytest.fixture(params=sorted(CHECKS))
async def asked(
    request: pytest.FixtureRequest, settings: Settings
) -> AsyncIterator[tuple[str, Settings, Any]]:
    emulator, setting = _emulator(request.param)
    async with emulator:
        url = emulator.url
        if isinstance(emulator, RunwareEmulator):
            url = emulator.socket_url
        elif request.param == "openai":
            url = f"{url}/v1"
        yield request.param, settings.model_copy(update={setting: url}), emulator


async def test_a_provider_tells_a_good_key_from_a_bad_one(asked: tuple[str, Settings, Any]) -> None:
    provider, settings, emulator = asked
    assert await check_key(settings, provider, GOOD) is KeyStatus.VALID
    assert await check_key(settings, provider, "bad-key:of-nobody") is KeyStatus.REFUSED
    assert emulator.billed_nanos() == 0


def test_every_provider_that_takes_keys_can_be_asked() -> None:
    assert set(CHECKS) == {name for name, entry in ENTRIES.items() if entry.own_key}


@pytest.mark.parametrize(
    ("status", "found"), [(403, KeyStatus.VALID), (429, KeyStatus.UNREACHABLE), (503, KeyStatus.UNREACHABLE)]
)
async def test_what_is_not_about_the_key_is_not_held_against_it(
    settings: Settings, status: int, found: KeyStatus
) -> None:
    async with OpenAIEmulator() as emulator:
        emulator.faults.add("models", Effect.REFUSE, status=status)
        settings = settings.model_copy(update={"openai_base_url": emulator.base_url})
        assert await check_key(settings, "openai", GOOD) is found


async def test_who_does_not_answer_is_unreachable(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = settings.model_copy(update={"openai_base_url": "http://127.0.0.1:1/v1"})
    assert await check_key(nowhere, "openai", GOOD) is KeyStatus.UNREACHABLE
    assert await check_key(nowhere, "nobody", GOOD) is KeyStatus.UNREACHABLE
    assert GOOD not in "".join(capsys.readouterr())
