"""Which providers there are. A new provider is one new file or package, and one entry here.

An adapter is imported when it is made, so that a process carries only the SDKs that it uses; the cards of one
that cannot be used here are listed all the same, with the reason.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, ClassVar, get_args

from pydantic import SecretStr

from shared.catalog import ModelCard
from shared.executor import Executor
from shared.log import get_logger
from shared.settings import Settings
from workers.providers.base import NotSent, Outcome, Provider, Request, Sink

log = get_logger(__name__)

Create = Callable[[Settings, Executor], Provider]


@dataclass(frozen=True, slots=True)
class Entry:
    """`adapter` is a module with `create(settings, executor)`, `cards` a module with `CARDS` that needs no
    SDK, `requires` the setting without which the provider cannot be used, `sdk` the package that an extra
    installs. `own_key` names the settings that an account's own key stands for, its parts divided by colons."""

    adapter: str
    cards: str | None = None
    requires: str | None = None
    sdk: str | None = None
    own_key: tuple[str, ...] = ()


ENTRIES = {
    "replicate": Entry(
        "workers.providers.replicate.adapter", "workers.providers.replicate.models", "replicate_api_token",
        own_key=("replicate_api_token",),
    ),
    "openai": Entry(
        "workers.providers.openai.adapter", "workers.providers.openai.models", "openai_api_key",
        own_key=("openai_api_key",),
    ),
    "anthropic": Entry(
        "workers.providers.anthropic.adapter", "workers.providers.anthropic.models", "anthropic_api_key",
        sdk="anthropic", own_key=("anthropic_api_key",),
    ),
    "groq": Entry(
        "workers.providers.groq.adapter", "workers.providers.groq.models", "groq_api_key",
        own_key=("groq_api_key",),
    ),
    "compatible": Entry("workers.providers.compatible", requires="compatible_base_url"),
    "elevenlabs": Entry(
        "workers.providers.elevenlabs.adapter", "workers.providers.elevenlabs.models", "elevenlabs_api_key",
        own_key=("elevenlabs_api_key",),
    ),
    "fal": Entry(
        "workers.providers.fal.adapter", "workers.providers.fal.models", "fal_key", sdk="fal_client",
        own_key=("fal_key",),
    ),
    "mubert": Entry(
        "workers.providers.mubert", "workers.providers.mubert", "mubert_access_token",
        own_key=("mubert_customer_id", "mubert_access_token"),
    ),
    "runware": Entry(
        "workers.providers.runware.adapter", "workers.providers.runware.models", "runware_api_key",
        sdk="runware", own_key=("runware_api_key",),
    ),
    "local": Entry("workers.providers.local.adapter"),
}  # fmt: skip


class Absentee(Provider):
    """Stands for a provider that cannot be used here; it only shows its cards."""

    name: ClassVar[str] = "absent"

    def __init__(self, cards: Sequence[ModelCard], reason: str) -> None:
        self._cards = cards
        self._reason = reason

    @property
    def cards(self) -> Sequence[ModelCard]:
        return self._cards

    @property
    def unavailable_reason(self) -> str | None:
        return self._reason

    async def submit(self, request: Request, sink: Sink) -> Outcome:
        raise NotSent(self._reason)


def load(settings: Settings, executor: Executor) -> dict[str, Provider]:
    """Every provider by name; those that cannot be used say why."""
    return {name: _make(entry, settings, executor) for name, entry in ENTRIES.items()}


def _make(entry: Entry, settings: Settings, executor: Executor) -> Provider:
    if entry.requires is not None and not getattr(settings, entry.requires):
        return _absent(entry, f"{entry.requires.upper()} is not set")
    try:
        create: Create = importlib.import_module(entry.adapter).create
    except ImportError as error:
        log.warning("provider_not_installed", adapter=entry.adapter, missing=error.name)
        return _absent(entry, f"its SDK is not installed ({error.name})")
    return create(settings, executor)


def _absent(entry: Entry, reason: str) -> Absentee:
    cards: Any = importlib.import_module(entry.cards).CARDS if entry.cards is not None else ()
    return Absentee(cards, reason)


def described(provider: Provider) -> list[ModelCard]:
    """The provider's cards with its availability."""
    reason = provider.unavailable_reason
    if reason is None:
        return list(provider.cards)
    return [replace(card, available=False, unavailable_reason=reason) for card in provider.cards]


def published(providers: Mapping[str, Provider]) -> list[ModelCard]:
    """What everybody is told of these providers: their cards, whether they are available, and whether an account's
    own key makes them so."""
    return [
        replace(card, own_key=takes_own_key(name))
        for name, provider in providers.items()
        for card in described(provider)
    ]


def takes_own_key(name: str) -> bool:
    """Whether an account's own key can be used with this provider here."""
    entry = ENTRIES.get(name)
    return (
        entry is not None and bool(entry.own_key) and (entry.sdk is None or find_spec(entry.sdk) is not None)
    )


def on_own_key(name: str, key: str, settings: Settings, executor: Executor) -> Provider | None:
    """The provider as an account's own key makes it, or None where that cannot be. Nothing else of the platform's
    account there goes along."""
    if not takes_own_key(name):
        return None
    entry = ENTRIES[name]
    parts = key.split(":", len(entry.own_key) - 1)
    if len(parts) < len(entry.own_key):
        return None
    values = {setting: _as_setting(setting, part) for setting, part in zip(entry.own_key, parts, strict=True)}
    provider = _make(entry, settings.model_copy(update=values), executor)
    return None if isinstance(provider, Absentee) else provider


def _as_setting(name: str, value: str) -> str | SecretStr:
    is_secret = SecretStr in get_args(Settings.model_fields[name].annotation)
    return SecretStr(value) if is_secret else value


def key_of(name: str, settings: Settings) -> str | None:
    """The platform's key at the provider, as an account would give its own; None where there is none."""
    entry = ENTRIES.get(name)
    parts = [getattr(settings, setting) for setting in (entry.own_key if entry is not None else ())]
    if not parts or not all(parts):
        return None
    return ":".join(part.get_secret_value() if isinstance(part, SecretStr) else str(part) for part in parts)
