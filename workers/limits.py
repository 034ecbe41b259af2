"""What a credential may do at its provider: calls per minute, and calls at once, counted for the whole fleet.

The count is taken in Postgres, right before a submission is written, in one statement for all that ask together.
Calls at once are counted by the submissions that are open, at a polled provider until its final word, so a worker
that dies gives its own back. A credential without limits costs nothing.
"""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.batch import Batcher
from shared.db import Database
from shared.settings import Limits
from workers.providers.base import Provider

MOST_DELAY_S = 60.0

_TAKE = "SELECT granted, wait_s FROM take_provider_calls($1, $2, $3, $4, $5)"

_PUBLISH = """
INSERT INTO provider_limits (provider, credential, rpm, concurrent)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]) AS l (provider, credential, rpm, concurrent)
ORDER BY provider, credential
ON CONFLICT (provider, credential) DO UPDATE SET rpm = excluded.rpm, concurrent = excluded.concurrent
    WHERE (provider_limits.rpm, provider_limits.concurrent) IS DISTINCT FROM (excluded.rpm, excluded.concurrent)
"""

Asked = tuple[str, str, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Full:
    """No call is free. The next may be in `ready_s`, and then one each `spacing_s`, None where nobody knows."""

    ready_s: float
    spacing_s: float | None
    limit: int
    why: str


class Limiter:
    """Takes calls for one process. `settings` override what the adapters say of themselves."""

    def __init__(self, db: Database, settings: Mapping[str, Limits]) -> None:
        self._db = db
        self._settings = settings
        self._takes: Batcher[Asked, UUID, Full | None] = Batcher(self._take_all)

    def of(self, provider: Provider) -> Limits:
        given = self._settings.get(provider.name)
        if given is None:
            return provider.limits
        return provider.limits.model_copy(update=given.model_dump(exclude_unset=True))

    async def take(self, provider: Provider, submission_id: UUID) -> Full | None:
        """Takes one call for the submission; None if it may go. Raises CONNECTION_ERRORS."""
        limits = self.of(provider)
        if limits.rpm is None and limits.concurrent is None:
            return None
        return await self._takes(
            (provider.name, provider.credential, limits.rpm, limits.concurrent), submission_id
        )

    async def publish(self, providers: Iterable[Provider]) -> None:
        """Tells everyone what is kept to."""
        limited = [(one, self.of(one)) for one in providers if one.unavailable_reason is None]
        await self._db.execute(
            _PUBLISH, [one.name for one, _ in limited], [one.credential for one, _ in limited],
            [limits.rpm for _, limits in limited], [limits.concurrent for _, limits in limited],
        )  # fmt: skip

    async def _take_all(self, asked: Asked, submissions: list[UUID]) -> Sequence[Full | None]:
        provider, credential, rpm, concurrent = asked
        row = await self._db.fetchrow(_TAKE, provider, credential, submissions, rpm, concurrent)
        assert row is not None  # noqa: S101  # the function returns one row
        if row["wait_s"] is not None:
            full = Full(row["wait_s"], 60.0 / (rpm or 1), rpm or 1, f"{rpm} calls per minute are used up")
        else:
            full = Full(0.0, None, concurrent or 1, f"{concurrent} calls run at once")
        return [None if place < row["granted"] else full for place in range(len(submissions))]


class Line:
    """Where those stand who wait for a credential: each gets a time of its own, so that they come back one by
    one as calls come free, and not all at once or over and over."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, str], float] = {}

    def stand(self, key: tuple[str, str], ready_s: float, spacing_s: float) -> float:
        """Seconds until the next place in the line, which begins in `ready_s`; a minute at most."""
        now = time.monotonic()
        end = max(self._ends.get(key, now), now + ready_s) + spacing_s
        if end - now > MOST_DELAY_S:
            return random.uniform(0.5, 1.0) * MOST_DELAY_S  # noqa: S311  # jitter
        self._ends[key] = end
        return end - now
