"""Frames: how a change looks on the wire, and on which channel it travels."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

FRAME_VERSION = 1
CHANNEL_PREFIX = "penstock:events:"


class EventType(StrEnum):
    QUEUED = "generation.queued"
    SUBMITTING = "generation.submitting"
    WAITING = "generation.waiting"
    STORING = "generation.storing"
    COMPLETED = "generation.completed"
    FAILED = "generation.failed"
    CANCELED = "generation.canceled"
    EXPIRED = "generation.expired"
    RETRYING = "generation.retrying"
    SETTLED = "generation.settled"
    UPDATED = "generation.updated"
    PROGRESS = "generation.progress"
    DELTA = "generation.delta"
    SNAPSHOT = "snapshot"


class AccountEvent(StrEnum):
    """What is about the account and not about one of its generations."""

    BUDGET_ALERT = "budget.alert"
    ASSETS_CHANGED = "assets.changed"


TERMINAL_TYPES = frozenset({EventType.COMPLETED, EventType.FAILED, EventType.CANCELED, EventType.EXPIRED})
EPHEMERAL_TYPES = frozenset({EventType.PROGRESS, EventType.DELTA})
ACCOUNT_TYPES = frozenset(AccountEvent)


def event_frame(row: Mapping[str, Any]) -> bytes:
    """The frame of a `generation_events` row: generation_id, seq, type, data, created_at."""
    return _encode(row["generation_id"], row["seq"], row["created_at"], row["type"], row["data"])


def progress_frame(
    generation_id: UUID,
    seq: int,
    *,
    progress: float | None = None,
    stage: str | None = None,
    provider_queue_position: int | None = None,
    eta_seconds: float | None = None,
    waiting_for: Mapping[str, Any] | None = None,
) -> bytes:
    """How far a generation is: `progress` from 0 to 1, or what it waits for; `seq` is the generation's current one."""
    data: dict[str, Any] = {"progress": progress, "stage": stage}
    if provider_queue_position is not None:
        data["provider_queue_position"] = provider_queue_position
    if eta_seconds is not None:
        data["eta_seconds"] = eta_seconds
    if waiting_for is not None:
        data["waiting_for"] = waiting_for
    return _encode(generation_id, seq, datetime.now(UTC), EventType.PROGRESS, data)


def delta_frame(generation_id: UUID, seq: int, *, offset: int, text: str) -> bytes:
    """More text of a text generation; `offset` is how many code points came before it."""
    data = {"offset": offset, "text": text}
    return _encode(generation_id, seq, datetime.now(UTC), EventType.DELTA, data)


def account_frame(id_: UUID, at: datetime, type_: AccountEvent, data: Mapping[str, Any]) -> bytes:
    """News of the account: `id` is what it is about, `seq` is 0 because there is no history."""
    return _encode(id_, 0, at, type_, data)


def _encode(generation_id: UUID, seq: int, at: datetime, type_: str, data: Any) -> bytes:
    return orjson.dumps(
        {"v": FRAME_VERSION, "id": str(generation_id), "seq": seq, "ts": at, "type": type_, "data": data},
        option=orjson.OPT_UTC_Z,
    )


def channel(account_id: UUID) -> str:
    """The pub/sub channel that carries an account's frames."""
    return f"{CHANNEL_PREFIX}{account_id}"
