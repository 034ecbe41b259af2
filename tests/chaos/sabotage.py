"""The guards, each with a way to do without it: negative controls, which show that a check can fail.

A guard is taken away in this process by patching; tests give pytest's `monkeypatch.setattr`, which puts it back,
and the nursery's children, which are done with it when they end, plain `setattr`.
"""

from collections.abc import Callable
from typing import Any

Patch = Callable[[Any, str, Any], None]
Removal = Callable[[Patch], None]

GUARDS: dict[str, Removal] = {}


def guard(name: str) -> Callable[[Removal], Removal]:
    def register(removal: Removal) -> Removal:
        GUARDS[name] = removal
        return removal

    return register


def take_away(name: str, patch: Patch = setattr) -> None:
    """Raises KeyError when no guard is called so."""
    GUARDS[name](patch)
