"""Watches what providers answer, and keeps each credential's health where the whole fleet sees it.

Each process adds up what its calls came to and writes that down once a second, so that no generation pays a
statement for it, and an idle process writes nothing. Only a probe is written down at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database, Tx
from shared.domains.providers import FORGET_S
from shared.log import get_logger
from workers.artifacts import ArtifactError
from workers.health import (
    Health,
    Tally,
    Verdict,
    observed,
    probed,
    verdict_of_answer,
    verdict_of_error,
    verdicts_of_runs,
)
from workers.providers.base import Provider

log = get_logger(__name__)

FLUSH_S = 1.0
PROBE_GRACE_S = 10.0

Key = tuple[str, str]
"""Provider and credential."""

# An account's own credential is shown to that account alone.
_ROW = """
INSERT INTO provider_health (provider, credential, user_id) VALUES ($1, $2, credential_owner($2))
ON CONFLICT DO NOTHING
"""

_READ = """
SELECT status, error_rates, avg_response_time_ms::float8 AS response_ms, cooldown_s, probe,
    extract(epoch FROM now() - last_failure_at)::float8 AS failed_ago_s
FROM provider_health WHERE provider = $1 AND credential = $2 FOR UPDATE
"""

_OBSERVED = """
UPDATE provider_health SET status = $3, error_rates = $4, avg_response_time_ms = $5::float8, cooldown_s = $6,
    cooldown_until = CASE
        WHEN $3 = 'down' AND status <> 'down'
            THEN greatest(cooldown_until, now() + $6::float8 * interval '1 second')
        WHEN $3 <> 'down' AND cooldown_until <= now() THEN NULL
        ELSE cooldown_until END,
    last_success_at = CASE WHEN $7::int > 0 THEN now() ELSE last_success_at END,
    last_failure_at = CASE WHEN $8::int > 0 THEN now() ELSE last_failure_at END,
    failure_count = CASE WHEN $8::int > 0 THEN failure_count + $8::int ELSE 0 END,
    error_message = coalesce($9, error_message), checked_at = now()
WHERE provider = $1 AND credential = $2
"""

_PROBED = """
UPDATE provider_health SET status = $3, error_rates = $4, cooldown_s = $5, probe = NULL, probe_until = NULL,
    cooldown_until = CASE WHEN $6::text IS NOT NULL
        THEN greatest(cooldown_until, now() + $5::float8 * interval '1 second') END,
    last_success_at = CASE WHEN $6 IS NULL THEN now() ELSE last_success_at END,
    last_failure_at = CASE WHEN $6 IS NULL THEN last_failure_at ELSE now() END,
    failure_count = CASE WHEN $6 IS NULL THEN 0 ELSE failure_count + 1 END,
    error_message = coalesce($6, error_message), checked_at = now()
WHERE provider = $1 AND credential = $2
"""

_PROBE_SAID_NOTHING = """
UPDATE provider_health SET probe = NULL, probe_until = NULL
WHERE provider = $1 AND credential = $2 AND probe = $3
"""

_COOL_DOWN = """
INSERT INTO provider_health (provider, credential, user_id, cooldown_until, error_message, checked_at)
VALUES ($1, $2, credential_owner($2), now() + $3::float8 * interval '1 second', $4, now())
ON CONFLICT ON CONSTRAINT provider_health_once DO UPDATE SET
    cooldown_until = greatest(provider_health.cooldown_until, excluded.cooldown_until),
    error_message = excluded.error_message, checked_at = now()
"""

_CLAIM_PROBE = """
UPDATE provider_health SET probe = $3, probe_until = now() + $4::float8 * interval '1 second'
WHERE provider = $1 AND credential = $2 AND status = 'down'
    AND (cooldown_until IS NULL OR cooldown_until <= now()) AND (probe_until IS NULL OR probe_until <= now())
RETURNING true
"""

_TROUBLES = """
SELECT provider, credential, extract(epoch FROM cooldown_until - now())::float8 AS cooling_s,
    CASE WHEN status = 'degraded' AND last_failure_at <= now() - $1::float8 * interval '1 second'
        THEN 'healthy' ELSE status END AS status,
    extract(epoch FROM probe_until - now())::float8 AS probing_s
FROM provider_health
WHERE cooldown_until > now() OR status = 'down'
    OR (status = 'degraded' AND last_failure_at > now() - $1::float8 * interval '1 second')
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a credential is not simply used. Times are those of the monotonic clock."""

    status: str
    cooling_until: float
    probing_until: float

    @property
    def cooling_s(self) -> float:
        return max(0.0, self.cooling_until - time.monotonic())

    @property
    def probing_s(self) -> float:
        return max(0.0, self.probing_until - time.monotonic())


class Monitor:
    """Watches one process' calls, and tells how every credential does, the platform's and accounts' own."""

    def __init__(self, db: Database, first_cooldown_s: float, flush_s: float = FLUSH_S) -> None:
        self._db = db
        self._first_cooldown_s = first_cooldown_s
        self._flush_s = flush_s
        self._tallies: dict[Key, dict[str, Tally]] = {}
        self._probes: dict[Key, UUID] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flushing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def watched[Answer](
        self, provider: Provider, op: str, call: Awaitable[Answer], submission_id: UUID | None = None
    ) -> Answer:
        """Awaits a call, notes what it says of its provider, and passes its answer or error on.

        The submission's id tells whether this is the probe that everybody waits for.
        """
        key = (provider.name, provider.credential)
        started = time.perf_counter()
        verdict: Verdict | None = None
        try:
            answer = await call
            verdict = verdict_of_answer(answer)
            for run in verdicts_of_runs(answer):
                self._tally(key, "run").add(run)
        except ArtifactError:
            # It answered, with what cannot be kept.
            raise
        except Exception as error:
            verdict = verdict_of_error(error)
            raise
        finally:
            if submission_id is not None and self._probes.get(key) == submission_id:
                self._end_probe_soon(key, submission_id, verdict)
            elif verdict is not None:
                self._tally(key, op).add(verdict, time.perf_counter() - started)
        return answer

    async def cool_down(self, key: Key, seconds: float, reason: str) -> None:
        """Sends nothing with this credential for `seconds`. A limit is not ill health."""
        await self._db.execute(_COOL_DOWN, *key, seconds, reason)

    async def claim_probe(self, key: Key, submission_id: UUID, lasts_s: float) -> bool:
        """Whether this submission may try a provider that is down: one in the whole fleet, after its cool-down.

        A probe that nobody hears of any more gives way after `lasts_s` and some grace.
        """
        if not await self._db.fetchval(_CLAIM_PROBE, *key, submission_id, lasts_s + PROBE_GRACE_S):
            return False
        self._probes[key] = submission_id
        return True

    def give_up_probe(self, key: Key, submission_id: UUID) -> None:
        """The probe is not made after all. A no-op for any other submission, and for a probe that was made."""
        if self._probes.get(key) == submission_id:
            self._end_probe_soon(key, submission_id, None)

    async def troubles(self) -> dict[Key, Trouble]:
        """The credentials that are not simply well. What failed long ago is forgotten."""
        rows = await self._db.fetch(_TROUBLES, FORGET_S)
        now = time.monotonic()
        return {
            (row["provider"], row["credential"]): Trouble(
                row["status"], now + (row["cooling_s"] or 0.0), now + (row["probing_s"] or 0.0)
            )
            for row in rows
        }

    async def flush(self) -> None:
        """Writes down what was seen since the last time. Raises CONNECTION_ERRORS, and what was seen is lost."""
        tallies, self._tallies = self._tallies, {}
        if not tallies:
            return
        async with self._db.transaction() as tx:
            for key, seen in sorted(tallies.items(), key=lambda item: item[0]):
                await self._observe(tx, key, seen)

    async def close(self) -> None:
        """Writes down what is left."""
        self._closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _observe(self, tx: Tx, key: Key, seen: Mapping[str, Tally]) -> None:
        row = await tx.fetchrow(_READ, *key)
        if row is None:
            await tx.execute(_ROW, *key)
            row = await tx.fetchrow(_READ, *key)
        before = _health(row)
        after = observed(before, seen, self._first_cooldown_s)
        failures = sum(tally.failures for tally in seen.values())
        await tx.execute(
            _OBSERVED, *key, after.status, dict(after.rates), after.response_ms, after.cooldown_s,
            sum(tally.calls for tally in seen.values()) - failures, failures,
            next((tally.error for tally in seen.values() if tally.error), None),
        )  # fmt: skip
        if after.status != before.status and {after.status, before.status} != {"unknown", "healthy"}:
            log.warning("provider_health", provider=key[0], credential=key[1], was=before.status,
                        status=after.status, error_rate=round(after.error_rate, 2))  # fmt: skip

    def _end_probe_soon(self, key: Key, submission_id: UUID, verdict: Verdict | None) -> None:
        del self._probes[key]
        self._spawn(self._guarded(lambda: self._end_probe(key, submission_id, verdict)))

    async def _end_probe(self, key: Key, submission_id: UUID, verdict: Verdict | None) -> None:
        if verdict is None:
            await self._db.execute(_PROBE_SAID_NOTHING, *key, submission_id)
            return
        async with self._db.transaction() as tx:
            row = await tx.fetchrow(_READ, *key)
            if row is None or row["probe"] != submission_id:
                return
            after = probed(_health(row), verdict, self._first_cooldown_s)
            await tx.execute(
                _PROBED, *key, after.status, dict(after.rates), after.cooldown_s, verdict.error
            )  # fmt: skip
        log.warning("provider_probed", provider=key[0], credential=key[1], status=after.status,
                    cooldown_s=after.cooldown_s)  # fmt: skip

    def _tally(self, key: Key, sort: str) -> Tally:
        if self._flushing is None or self._flushing.done():
            self._flushing = self._spawn(self._flush_soon())
        return self._tallies.setdefault(key, {}).setdefault(sort, Tally())

    async def _flush_soon(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._flush_s):
                await self._closing.wait()
        # What is seen while this is being written is for the next time.
        self._flushing = None
        await self._guarded(self.flush)

    async def _guarded(self, write: Callable[[], Awaitable[None]]) -> None:
        try:
            await write()
        except CONNECTION_ERRORS as error:
            log.warning("provider_health_not_written", error=type(error).__name__)
        except Exception:
            log.exception("provider_health_not_written")

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _health(row: Mapping[str, Any] | None) -> Health:
    """Failures that lie far back count no more."""
    assert row is not None  # noqa: S101  # the row was made before
    failed_ago_s = row["failed_ago_s"]
    old = row["status"] != "down" and failed_ago_s is not None and failed_ago_s > FORGET_S
    return Health(row["status"], {} if old else row["error_rates"], row["response_ms"], row["cooldown_s"])
