"""Times as callers write them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def in_utc(moment: datetime) -> datetime:
    """The same instant in UTC; a time without a zone is UTC already. Raises ValueError outside of the calendar."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This time is out of range") from None


Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A time with its zone, read as UTC: near the ends of the calendar not every such time is one in UTC."""
