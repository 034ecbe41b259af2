"""What a process loads: adapters that can be used, and of the others no more than their cards."""

import json
import subprocess
import sys
from pathlib import Path

from shared.executor import Executor
from shared.settings import Settings
from workers.providers.registry import ENTRIES, Absentee, described, load

ROOT = Path(__file__).parents[3]
SDKS = {"anthropic", "elevenlabs", "fal_client", "openai", "replicate", "runware"}
LOADING = """
import json, sys
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.registry import load
load(Settings(_env_file=None), Executor())
print(json.dumps(sorted(sys.modules)))
"""


def test_without_keys_no_sdk_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], cwd=ROOT, env={}, capture_output=True, check=True)
    assert not SDKS & set(json.loads(done.stdout))


def test_without_keys_cards_say_what_is_missing(settings: Settings) -> None:
    providers = load(settings, Executor())
    assert providers.keys() == ENTRIES.keys()
    assert isinstance(providers["elevenlabs"], Absentee)
    reasons = {card.unavailable_reason for card in described(providers["elevenlabs"])}
    assert reasons == {"ELEVENLABS_API_KEY is not set"}
    assert [card.unavailable_reason for card in described(providers["mubert"])] == [
        "MUBERT_ACCESS_TOKEN is not set"
    ]


def test_who_clones_a_voice_hears_of_its_consent(settings: Settings) -> None:
    cloning = [
        card
        for provider in load(settings, Executor()).values()
        for card in provider.cards
        if "voice_sample" in card.accepts
    ]
    assert {card.provider for card in cloning} >= {"elevenlabs", "replicate"}
    assert all("consent" in card.accepts for card in cloning)
    assert "local" not in {card.provider for card in cloning}
