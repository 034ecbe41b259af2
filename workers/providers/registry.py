"""Which providers there are. A new provider is one new file and one line here.

Adapters are imported when they are made, so that a process carries only the SDKs that it uses.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.catalog import ModelCard
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.base import Provider

MODULES = {
    "replicate": "workers.providers.replicate",
    "local": "workers.providers.local",
}

Create = Callable[[Settings, Executor], Provider]


def load(settings: Settings, executor: Executor, names: Sequence[str] | None = None) -> dict[str, Provider]:
    """The providers that this process can use, by name; those without their key too, saying why not."""
    providers = {}
    for name in names or MODULES:
        module = importlib.import_module(MODULES[name])
        create: Create = module.create
        providers[name] = create(settings, executor)
    return providers


def described(provider: Provider) -> list[ModelCard]:
    """The provider's cards with its availability."""
    reason = provider.unavailable_reason
    return [
        replace(card, available=reason is None, unavailable_reason=reason) if reason is not None else card
        for card in provider.cards
    ]
