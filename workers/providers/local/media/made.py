"""What a maker hands back: plain data, free of heavy imports, so that it crosses to the parent cheaply."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ReportProgress = Callable[[float], None]


def unreported(_: float) -> None:
    """The progress of a maker that nobody watches."""


@dataclass(frozen=True, slots=True)
class Made:
    """`metadata` is JSON-able and says what was really done (size, seed, voice, scene…)."""

    data: bytes
    mime: str
    ext: str
    metadata: dict[str, Any] = field(default_factory=dict)
