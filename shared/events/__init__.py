"""Live frames: what changed, told at once to whoever watches.

Postgres keeps the history (`generation_events`); these frames are the fast path through Redis pub/sub, which
may lose any of them. A frame is encoded once, where the change was made, and travels as it is to every
websocket and SSE client:

    {"v":1,"id":"<generation>","seq":12,"ts":"2026-05-01T12:00:00Z","type":"generation.completed","data":{…}}

`seq` counts the changes of one generation. Progress and text deltas are not changes: they carry the current
`seq` and are in no history.
"""

from shared.events.frames import (
    ACCOUNT_TYPES,
    EPHEMERAL_TYPES,
    TERMINAL_TYPES,
    AccountEvent,
    EventType,
    account_frame,
    channel,
    delta_frame,
    event_frame,
    progress_frame,
)
from shared.events.progress import ProgressThrottle
from shared.events.publisher import Publisher
from shared.events.subscriber import Subscriber

__all__ = [
    "ACCOUNT_TYPES",
    "EPHEMERAL_TYPES",
    "TERMINAL_TYPES",
    "AccountEvent",
    "EventType",
    "ProgressThrottle",
    "Publisher",
    "Subscriber",
    "account_frame",
    "channel",
    "delta_frame",
    "event_frame",
    "progress_frame",
]
