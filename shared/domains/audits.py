"""Audits: what a provider's own list of jobs says about the record, once a day.

`submissions` says what we asked of a provider; its list says what it did, and will bill. A job that bears our
mark and that no submission accounts for was paid for and delivered to nobody; a submission that the list lacks
has an id that means nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.ids import new_id

FINDINGS_KEPT = 100
_CLOCKS_MARGIN = timedelta(minutes=5)
"""How far a provider's clock may be from ours."""

# One audit begins where the last one that came to an end left off; younger jobs may still be looked for. One
# that failed, or whose process died, is made up for an hour later.
_BEGIN = """
INSERT INTO provider_audits (id, provider, since, until)
SELECT $1, $2, greatest(
        coalesce((SELECT max(until) FROM provider_audits WHERE provider = $2 AND finished_at IS NOT NULL),
            now() - interval '1 day'),
        now() - interval '7 days'),
    now() - $3::float8 * interval '1 second'
WHERE NOT EXISTS (SELECT FROM provider_audits WHERE provider = $2
    AND (finished_at > now() - interval '1 day' OR started_at > now() - interval '1 hour'))
RETURNING id, since, until
"""

_COMPARE = """
SELECT j.remote_id, j.tag, s.id AS submission_id, t.state AS tagged_state, t.remote_id AS tagged_remote_id
FROM unnest($3::text[], $4::uuid[]) AS j(remote_id, tag)
LEFT JOIN submissions s ON s.provider = $1 AND s.credential = $2 AND s.remote_id = j.remote_id
LEFT JOIN submissions t ON t.id = j.tag
"""

_RECORDED = """
SELECT remote_id, id FROM submissions
WHERE provider = $1 AND credential = $2 AND remote_id IS NOT NULL AND intent_at >= $3 AND intent_at < $4
"""

_FINISH = """
UPDATE provider_audits SET finished_at = now(), listed = $2, known = $3, foreign_jobs = $4, orphans = $5,
    missing = $6, findings = $7
WHERE id = $1
"""


class Standing(StrEnum):
    """How a job at the provider stands to the record; the last four are orphans."""

    KNOWN = "known"
    FOREIGN = "foreign"
    PENDING = "pending"
    """Its submission is still being looked for."""
    UNKNOWN_SUBMISSION = "unknown_submission"
    """It bears the mark of a submission that is not in the record (any more)."""
    SECOND_JOB = "second_job"
    """Its submission has another job at the provider: this was paid for twice."""
    WRITTEN_OFF = "written_off"
    """Its submission was given up as lost, refused or perhaps billed."""
    CLAIMED_BY_OTHER = "claimed_by_other"
    """It bears one submission's mark, and another one counts it as its own."""


_NO_ORPHANS = frozenset({Standing.KNOWN, Standing.FOREIGN, Standing.PENDING})


@dataclass(frozen=True, slots=True)
class Listed:
    """A job as the provider lists it. `tag` is the submission whose mark it bears, None for a foreign one."""

    remote_id: str
    created_at: datetime
    tag: UUID | None
    model: str | None = None
    status: str | None = None


@dataclass(slots=True)
class Audit:
    """One audit under way. `findings` holds the details of up to a hundred differences."""

    id: UUID
    provider: str
    credential: str
    since: datetime
    until: datetime
    counts: Counter[Standing] = field(default_factory=Counter)
    missing: int = 0
    findings: list[Mapping[str, Any]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set, repr=False)

    @property
    def listed_since(self) -> datetime:
        """The list is read a little further than the audit goes, because clocks differ."""
        return self.since - _CLOCKS_MARGIN

    @property
    def listed_until(self) -> datetime:
        return self.until + _CLOCKS_MARGIN

    @property
    def orphans(self) -> int:
        return sum(count for standing, count in self.counts.items() if standing not in _NO_ORPHANS)

    async def compare(self, db: Database, jobs: Sequence[Listed]) -> None:
        """Takes in one page of the provider's list."""
        self._seen.update(job.remote_id for job in jobs)
        by_id = {job.remote_id: job for job in jobs if self.since <= job.created_at < self.until}
        rows = await db.fetch(
            _COMPARE, self.provider, self.credential, list(by_id), [job.tag for job in by_id.values()]
        )
        for row in rows:
            standing = _standing(row)
            self.counts[standing] += 1
            if standing not in _NO_ORPHANS:
                job = by_id[row["remote_id"]]
                self._found(
                    standing, remote_id=job.remote_id, submission_id=job.tag, created_at=job.created_at,
                    model=job.model, status=job.status,
                )  # fmt: skip

    async def finish(self, db: Database) -> None:
        """Looks for submissions that the whole list lacks, and writes the result."""
        rows = await db.fetch(_RECORDED, self.provider, self.credential, self.since, self.until)
        for row in rows:
            if row["remote_id"] not in self._seen:
                self.missing += 1
                self._found("missing", remote_id=row["remote_id"], submission_id=row["id"])
        await db.execute(
            _FINISH, self.id, self.counts.total(), self.counts[Standing.KNOWN], self.counts[Standing.FOREIGN],
            self.orphans, self.missing, self.findings,
        )  # fmt: skip

    def _found(self, what: str, **details: Any) -> None:
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append({"what": what, **{name: _plain(value) for name, value in details.items()}})


async def begin(db: Database, provider: str, credential: str, settled_after_s: float) -> Audit | None:
    """The provider's next audit, of jobs older than `settled_after_s`; None while it is not due, or another
    process has it."""
    async with db.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtext('provider_audits'))")
        row = await tx.fetchrow(_BEGIN, new_id(), provider, settled_after_s)
    return None if row is None else Audit(row["id"], provider, credential, row["since"], row["until"])


async def fail(db: Database, audit: Audit, error: str) -> None:
    await db.execute("UPDATE provider_audits SET error = $2 WHERE id = $1", audit.id, error)


def _standing(row: Mapping[str, Any]) -> Standing:
    if row["submission_id"] is not None:
        mine = row["tag"] in (None, row["submission_id"])
        return Standing.KNOWN if mine else Standing.CLAIMED_BY_OTHER
    if row["tag"] is None:
        return Standing.FOREIGN
    if row["tagged_state"] is None:
        return Standing.UNKNOWN_SUBMISSION
    if row["tagged_remote_id"] is not None:
        return Standing.SECOND_JOB
    return Standing.PENDING if row["tagged_state"] in ("intent", "unknown") else Standing.WRITTEN_OFF


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)
