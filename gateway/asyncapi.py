"""The AsyncAPI 3.0 document: the websocket and the server-sent events."""

from typing import Any

from yarl import URL

from gateway.openapi import release
from shared.domains.ops.marks import PARTS
from shared.events import AccountEvent, EventType

FRAME: dict[str, Any] = {
    "type": "object",
    "required": ["v", "id", "seq", "ts", "type", "data"],
    "properties": {
        "v": {"const": 1},
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "The generation; for the account's news the alert of `budget.alert`, an asset of"
            " `assets.changed`.",
        },
        "seq": {
            "type": "integer",
            "description": "The generation's position; every change adds one, without gaps. 0 for the account's news.",
        },
        "ts": {"type": "string", "format": "date-time"},
        "type": {"enum": [event.value for event in (*EventType, *AccountEvent)]},
        "data": {
            "type": "object",
            "description": "Status, stage, progress and what else changed; the whole resource in a snapshot.",
        },
        "reset": {
            "const": True,
            "description": "In a snapshot: the events before it are no longer there, start over from here.",
        },
    },
}

OPS_CHANGED: dict[str, Any] = {
    "type": "object",
    "required": ["v", "ts", "type", "data"],
    "properties": {
        "v": {"const": 1},
        "ts": {"type": "string", "format": "date-time"},
        "type": {"const": "ops.changed"},
        "data": {
            "type": "object",
            "required": ["parts"],
            "properties": {
                "parts": {
                    "type": "array",
                    "items": {"enum": list(PARTS)},
                    "description": "Ask for these again.",
                }
            },
        },
    },
}

QUEUE: dict[str, Any] = {
    "type": "object",
    "required": ["v", "ts", "type", "data"],
    "properties": {
        "v": {"const": 1},
        "ts": {"type": "string", "format": "date-time"},
        "type": {"enum": ["queue.paused", "queue.resumed"]},
        "data": {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string"},
                "until": {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": "Of a pause: its end.",
                },
            },
        },
    },
}

TOPIC = {
    "type": "string",
    "pattern": "^(generations|generation:[0-9a-f-]{36}|project:[0-9a-f-]{36}|ops)$",
    "examples": ["generations"],
}

SUBSCRIBE: dict[str, Any] = {
    "type": "object",
    "required": ["op", "topics"],
    "additionalProperties": False,
    "properties": {
        "op": {"const": "subscribe"},
        "topics": {"type": "array", "items": TOPIC, "minItems": 1},
        "since": {
            "type": "object",
            "description": "The last seq that was seen, by generation: what came after it is sent first.",
            "additionalProperties": {"type": "integer"},
        },
        "changed_after": {
            "type": "string",
            "format": "date-time",
            "description": "With `generations`: also show what has ended since then.",
        },
    },
}

UNSUBSCRIBE: dict[str, Any] = {
    "type": "object",
    "required": ["op"],
    "additionalProperties": False,
    "properties": {
        "op": {"const": "unsubscribe"},
        "topics": {"type": "array", "items": TOPIC, "description": "Everything when left out."},
    },
}

PING: dict[str, Any] = {
    "type": "object",
    "required": ["op"],
    "additionalProperties": False,
    "properties": {"op": {"const": "ping"}},
}

DESCRIPTION = """\
Authenticate with `Authorization: Bearer …`, with the subprotocols `bearer, <API key>`, or with a one-time
`?ticket=` from `POST /api/v1/tickets`. A client that reads too slowly is closed with 4008, a gateway that restarts
closes with 1012: connect again and subscribe with `since`. Frames come at least once and in order per generation;
drop those whose `seq` is not beyond the last one. Progress and text deltas carry the current `seq` and are in no
history; who joins in the middle of a text is sent what was written before, as far as this gateway has heard it.
What a generation waits for is no part of its history: progress frames tell it (`waiting_for`), and the end of a wait is
told by whatever comes next. A paused queue is told once, and not for each generation in it.
The topic `ops` is for operators and viewers, others are answered with an `error` whose code is FORBIDDEN. It tells at
most once a second which parts of `/api/v1/ops` have changed, and not how; after connecting again ask for all of them.
"""


def document(base_url: str) -> dict[str, Any]:
    """The whole document."""
    url = URL(base_url)
    secure = url.scheme == "https"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Penstock live events", "version": release(), "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "websocket": {"host": url.authority, "protocol": "wss" if secure else "ws"},
            "http": {"host": url.authority, "protocol": url.scheme},
        },
        "channels": {
            "websocket": _channel(
                "websocket",
                "/api/v1/ws",
                ["frame", "queue", "opsChanged", "subscribe", "unsubscribe", "ping"],
            ),
            "accountEvents": _channel("http", "/api/v1/events", ["frame", "queue"]),
            "generationEvents": _channel("http", "/api/v1/generations/{id}/events", ["frame"])
            | {"parameters": {"id": {"description": "The generation."}}},
        },
        "operations": {
            "follow": _operation(
                "send", "websocket", ["frame", "queue", "opsChanged"], "Frames of what was subscribed to"
            ),
            "command": _operation(
                "receive", "websocket", ["subscribe", "unsubscribe", "ping"], "What a client may say"
            ),
            "followAccount": _operation(
                "send", "accountEvents", ["frame", "queue"], "Everything of the account, as SSE"
            ),
            "followGeneration": _operation("send", "generationEvents", ["frame"], "One generation, as SSE"),
        },
        "components": {
            "messages": {
                "frame": {"summary": "Something changed", "payload": FRAME},
                "queue": {"summary": "All that queues of a kind waits, or goes on", "payload": QUEUE},
                "opsChanged": {"summary": "What operators look at has changed", "payload": OPS_CHANGED},
                "subscribe": {"summary": "Follow topics", "payload": SUBSCRIBE},
                "unsubscribe": {"summary": "Follow topics no longer", "payload": UNSUBSCRIBE},
                "ping": {"summary": "Are you there?", "payload": PING},
            },
        },
    }


def _channel(server: str, address: str, messages: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(action: str, channel: str, messages: list[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }
