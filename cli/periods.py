"""Days and times on a command line."""

from datetime import UTC, datetime, timedelta

from cli.errors import BadUsage

DAY_LENGTH = len("2026-05-01")
UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)} | {
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def moment(option: str, text: str | None) -> str | None:
    """A day as it is (days are those of UTC); a time in this machine's zone unless it names its own.

    Raises BadUsage.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if len(text) <= DAY_LENGTH:
            return found.date().isoformat()
    except ValueError:
        raise BadUsage(f"{option} {text}: say a date or a time, such as 2026-05-01.") from None
    return (found if found.tzinfo is not None else found.astimezone()).isoformat()


def span(option: str, text: str) -> timedelta:
    """`90s`, `5m`, `12h`, `30d`, `8w`. Raises BadUsage."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in UNITS):
        raise BadUsage(f"{option} {text}: say such as 90s, 5m, 12h, 30d or 8w.")
    return int(number) * UNITS[unit]


def expiry(option: str, text: str, now: datetime) -> datetime:
    """A span from now, or a date or time. Raises BadUsage when it is none, or past."""
    if text[-1:] in UNITS:
        return now + span(option, text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"{option} {text}: say a date, a time, or such as 12h, 30d, 8w.") from None
    found = (found if found.tzinfo is not None else found.astimezone()).astimezone(UTC)
    if found <= now:
        raise BadUsage(f"{option} {text} is in the past.")
    return found
