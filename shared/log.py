"""Structured logs: JSON for machines, colour for a terminal, and never a secret."""

import logging
import re
import sys
from typing import Any

import orjson

from shared.ballast import without
from shared.settings import Settings

# The one would draw tracebacks, which are text by the time that a renderer sees them; the other would keep contexts of
# threads, of which there are none.
with without("rich", "greenlet"):
    import structlog
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

REDACTED = "[redacted]"
_SECRET_NAMES = re.compile(
    r"(authorization|password|secret|token|api_?key|cookie|credential_value)", re.IGNORECASE
)
_SECRET_VALUES = re.compile(
    r"\b(ps_(?:live|test)_\w{6})\w+|\b(r8_\w{3})\w+|\b((?:sk-|gsk_)\w{3})[\w-]+|(Bearer\s+\w{3})\S+"
)


def get_logger(name: str) -> FilteringBoundLogger:
    return structlog.get_logger(name)  # type: ignore[no-any-return]  # structlog's lazy proxy is untyped


def redact(text: str) -> str:
    """The text with anything that looks like a key cut after its first characters."""
    return _SECRET_VALUES.sub(lambda match: next(part for part in match.groups() if part) + "…", text)


def configure(settings: Settings, service: str) -> None:
    """Sets up structlog and the standard library's logging for this process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    shared_processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service(service),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[*shared_processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared_processors, processor=renderer)
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _dumps(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _service(name: str) -> Any:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = name
        return event

    return add


def _redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = REDACTED
        elif isinstance(value, str):
            event[name] = redact(value)
    return event
