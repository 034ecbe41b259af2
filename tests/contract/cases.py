"""Who takes part in the contract suite. A new provider is one `Outside` and a `Case` for each thing it sells.

An `Outside` is a provider as the suite sees it: its emulator, the settings that lead our adapter there, and how
it words what it refuses. A `Case` is one model of it, with what the pipeline may know about a lost answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from tests.emulators.anthropic import SPEND_LIMIT, AnthropicEmulator
from tests.emulators.base import Effect, Emulator
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.elevenlabs_state import Speech
from tests.emulators.fal import FalEmulator
from tests.emulators.mubert import MubertEmulator
from tests.emulators.openai import OpenAIEmulator, groq, own_server
from tests.emulators.replicate import ReplicateEmulator
from tests.emulators.runware import RunwareEmulator

KEY = "r8_contract"
"""Every emulator lets it in."""


class Unknown(StrEnum):
    """What becomes of a submission whose answer was lost."""

    FOUND = "found"
    """The provider can be asked: its work is taken over, or proven not to exist and sent again."""
    AGAIN = "again"
    """Nobody can be asked, and it is cheap: sent again, and the first call is on us."""
    UNCHARGED = "uncharged"
    """Nobody can be asked, and it is dear: failed, and what it cost is on us."""


@dataclass(frozen=True, slots=True)
class Outside:
    """`entry` is the provider's name in the registry; `timeouts` are the constants that bound its paid calls,
    by their full names; `hints` is where a 429 may say how long to wait; `quota` and `auth` are the status and
    the message of a refusal, where the plain one is not what this provider would say."""

    entry: str
    emulate: Callable[[], Emulator] | None
    settings: Callable[[Any], dict[str, Any]] = lambda emulator: {}
    timeouts: tuple[str, ...] = ()
    hints: tuple[str, ...] = ("header", "body")
    quota: tuple[int, str | None] = (402, None)
    auth: tuple[int, str | None] = (401, None)
    prepare: Callable[[Any], None] = lambda emulator: None


@dataclass(frozen=True, slots=True)
class Case:
    """`paid` is the emulator's name of the paid request, `polled` that of asking how it goes (None where the
    paid request answers with the result), `file` that of fetching what was made (None where it is part of an
    answer). `malformed` says whether half of an answer can be told from a whole one."""

    name: str
    outside: Outside
    kind: str
    model: str
    paid: str
    unknown: Unknown
    polled: str | None = None
    file: str | None = None
    free: bool = False
    cancels: bool = False
    """Whether the provider can be told to stop."""
    input: Mapping[str, Any] = field(default_factory=dict)
    malformed: bool = True
    shows_progress: bool = False
    spoils: frozenset[Effect] = frozenset()
    """How its emulator can spoil an output."""
    blocks: bool = True
    """Whether its emulator can refuse a prompt."""
    queues: bool = False
    """Whether its emulator can keep it waiting before it runs."""
    lags: bool = False
    """Whether its emulator can show it in its list late."""

    @property
    def asks(self) -> str:
        """The parameter that holds what is asked for."""
        return "text" if self.kind == "audio" else "prompt"


def _has_spoken(emulator: ElevenLabsEmulator) -> None:
    """An account that has a history: without one, an empty list of speech would prove nothing."""
    voice = next(iter(emulator.voices.values()))
    at = emulator.clock.now() - 600
    emulator.speeches.append(
        Speech("a" * 20, "b" * 20, voice, "eleven_v4", "Before.", at, (0, 7), "mp3_44100_128", None, at)
    )


REPLICATE = Outside(
    "replicate",
    ReplicateEmulator,
    lambda emulator: {"replicate_api_token": SecretStr(KEY), "replicate_base_url": emulator.url},
    timeouts=("workers.providers.replicate.wire.CREATE_TIMEOUT_S",),
    hints=("header", "milliseconds", "body"),
)
OPENAI = Outside(
    "openai",
    OpenAIEmulator,
    lambda emulator: {"openai_api_key": SecretStr(KEY), "openai_base_url": emulator.base_url},
    timeouts=("workers.providers.openai.adapter.CALL_TIMEOUT_S",),
    hints=("header", "milliseconds", "body"),
    quota=(429, "insufficient_quota"),
)
GROQ = Outside(
    "groq",
    groq,
    lambda emulator: {"groq_api_key": SecretStr(KEY), "groq_base_url": emulator.url},
    timeouts=("workers.providers.openai.adapter.CALL_TIMEOUT_S",),
    hints=("header", "milliseconds", "body"),
    quota=(429, "insufficient_quota"),
)
COMPATIBLE = Outside(
    "compatible",
    own_server,
    lambda emulator: {
        "compatible_base_url": emulator.base_url,
        "compatible_text_model": "qwen3:8b",
        "compatible_image_model": "sdxl-local",
        "compatible_audio_model": "kokoro",
        "compatible_is_free": True,
    },
    timeouts=("workers.providers.openai.adapter.CALL_TIMEOUT_S",),
    hints=("header", "milliseconds", "body"),
)
ELEVENLABS = Outside(
    "elevenlabs",
    ElevenLabsEmulator,
    lambda emulator: {"elevenlabs_api_key": SecretStr(KEY), "elevenlabs_base_url": emulator.url},
    timeouts=(
        "workers.providers.elevenlabs.adapter.SPEAK_TIMEOUT_S",
        "workers.providers.elevenlabs.adapter.COMPOSE_TIMEOUT_S",
    ),
    hints=("header",),
    quota=(401, "quota_exceeded: This request exceeds your quota."),
    prepare=_has_spoken,
)
MUBERT = Outside(
    "mubert",
    MubertEmulator,
    lambda emulator: {
        "mubert_customer_id": "customer",
        "mubert_access_token": SecretStr(KEY),
        "mubert_base_url": emulator.url,
    },
    timeouts=("workers.providers.mubert.CREATE_TIMEOUT_S",),
    hints=("header",),
    quota=(403, "LicenseLimitTracksCount: The limit of tracks has been exceeded"),
)
ANTHROPIC = Outside(
    "anthropic",
    AnthropicEmulator,
    lambda emulator: {"anthropic_api_key": SecretStr(KEY), "anthropic_base_url": emulator.url},
    timeouts=("workers.providers.anthropic.adapter.CALL_TIMEOUT_S",),
    hints=("header",),
    quota=(429, SPEND_LIMIT),
)
FAL = Outside(
    "fal",
    FalEmulator,
    lambda emulator: {"fal_key": SecretStr(KEY), "fal_queue_url": emulator.url},
    timeouts=("workers.providers.fal.wire.CREATE_TIMEOUT_S",),
)
RUNWARE = Outside(
    "runware",
    RunwareEmulator,
    lambda emulator: {"runware_api_key": SecretStr(KEY), "runware_url": emulator.socket_url},
    timeouts=("workers.providers.runware.wire.SUBMIT_TIMEOUT_S",),
    hints=(),
    quota=(402, "insufficientCredits: Add credits to your account"),
    auth=(401, "invalidApiKey: Invalid API key"),
)
LOCAL = Outside("local", None)

_FILES = frozenset({Effect.OUTPUT_404, Effect.OUTPUT_HUGE, Effect.OUTPUT_GARBAGE, Effect.OUTPUT_WRONG_TYPE})
_STREAMS = frozenset(
    {Effect.OUTPUT_HUGE, Effect.OUTPUT_GARBAGE, Effect.OUTPUT_WRONG_TYPE, Effect.OUTPUT_TRUNCATED}
)

CASES = (
    Case(
        "replicate-official", REPLICATE, "image", "replicate/flux-1.1-pro", "create", Unknown.FOUND, polled="get",
        file="file", cancels=True, queues=True, lags=True, spoils=_FILES | {Effect.OUTPUT_EXPIRED},
    ),
    Case(
        "replicate-community", REPLICATE, "image", "replicate/sdxl", "create", Unknown.FOUND, polled="get",
        file="file", cancels=True, queues=True, lags=True, shows_progress=True,
        spoils=_FILES | {Effect.OUTPUT_EXPIRED},
    ),
    Case("openai-image", OPENAI, "image", "openai/gpt-image-2.5-flare", "generate", Unknown.UNCHARGED),
    Case(
        "openai-speech", OPENAI, "audio", "openai/gpt-4o-mini-tts", "speech", Unknown.AGAIN, blocks=False,
    ),
    Case(
        "openai-text", OPENAI, "text", "openai/gpt-4o", "chat", Unknown.AGAIN, shows_progress=True,
    ),
    Case(
        "groq-text", GROQ, "text", "groq/gpt-oss-20b", "chat", Unknown.AGAIN, shows_progress=True,
    ),
    Case(
        "groq-speech", GROQ, "audio", "groq/orpheus-v1-english", "speech", Unknown.AGAIN, malformed=False,
        blocks=False,
    ),
    Case(
        "compatible-text", COMPATIBLE, "text", "compatible/qwen3:8b", "chat", Unknown.AGAIN, free=True,
        shows_progress=True,
    ),
    Case("compatible-image", COMPATIBLE, "image", "compatible/sdxl-local", "generate", Unknown.AGAIN, free=True),
    Case(
        "compatible-speech", COMPATIBLE, "audio", "compatible/kokoro", "speech", Unknown.AGAIN, free=True,
        malformed=False, blocks=False,
    ),
    Case(
        "elevenlabs-speech", ELEVENLABS, "audio", "elevenlabs/eleven_v4", "speak", Unknown.FOUND, malformed=False,
        spoils=_STREAMS,
    ),
    Case(
        "elevenlabs-music", ELEVENLABS, "music", "elevenlabs/music_v2", "compose", Unknown.UNCHARGED,
        malformed=False, spoils=_STREAMS,
    ),
    Case(
        "mubert", MUBERT, "music", "mubert/mubert-v3", "create", Unknown.FOUND, polled="get", file="file",
        blocks=False, lags=True, spoils=(_FILES - {Effect.OUTPUT_HUGE}) | {Effect.OUTPUT_EXPIRED},
    ),
    Case(
        "anthropic", ANTHROPIC, "text", "anthropic/claude-haiku-5-5", "create", Unknown.AGAIN, shows_progress=True,
    ),
    Case(
        "fal", FAL, "image", "fal/flux-dev", "create", Unknown.FOUND, polled="status", file="file", cancels=True,
        queues=True, lags=True, spoils=_FILES,
    ),
    Case(
        "runware", RUNWARE, "image", "runware/flux-dev", "imageInference", Unknown.FOUND, polled="getResponse",
        file="output", lags=True, spoils=_FILES - {Effect.OUTPUT_HUGE},
    ),
)  # fmt: skip
LOCAL_TEXT = Case(
    "local-text", LOCAL, "text", "local/text", "", Unknown.AGAIN, free=True, shows_progress=True, blocks=False,
)  # fmt: skip
