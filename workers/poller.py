"""The poller: looks after generations that wait at their provider, many at a time.

Waiting holds no slot, no arq job and no lease. Rows whose look is due are claimed in one statement, their
providers are asked, and those that are still running are given back in one statement with their next look.
Looks are sparse early on, close around the expected end, and back off after it.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from itertools import batched
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.db import CONNECTION_ERRORS
from shared.domains.changes import LeaseLost, SubmissionChange
from shared.domains.generations import Lifecycle, PollAgain, Work
from shared.domains.run_times import Expectation
from shared.errors import JobError
from shared.events import Publisher, progress_frame
from shared.log import get_logger
from workers.credentials import Credentials
from workers.lease import Lease
from workers.metrics import WorkerMetrics
from workers.monitor import Monitor
from workers.providers.base import Answer, Ended, Finished, Gone, Job, Pending, Provider, Refused
from workers.run_times import RunTimes
from workers.steps.runner import Steps

log = get_logger(__name__)

CLAIM_LIMIT = 500
GATHER_S = 0.25
GATHER_FROM = 40
"""From so many looks a second on, what comes due is gathered for a while: one list answers for many."""
POLL_TIMEOUT_S = 15.0
LEAVE_AT_ONCE = 20
"""Jobs that are canceled at a provider together: one that hangs is not waited for once for each."""
LOOK_LIMITS_S = (0.05, 15.0)
_CLOSE_LOOKS = 12
_LATE_SHARE = 0.25


def next_look_s(age_s: float, expected: Expectation) -> float:
    """Seconds until the next poll of a job of this age.

    Not before the earliest fifth of the runs ends; then a dozen looks until nine in ten have ended, but no
    closer than a fiftieth of the run time; after that a quarter of the delay. Between 50 ms and 15 s, with
    10 % jitter.
    """
    near = max(expected.median_s / 50, (expected.late_s - expected.early_s) / _CLOSE_LOOKS)
    later = max((age_s - expected.late_s) * _LATE_SHARE, near)
    pause = expected.early_s - age_s if age_s < expected.early_s else later
    low, high = LOOK_LIMITS_S
    return min(max(pause, low), high) * random.uniform(0.9, 1.1)  # noqa: S311  # jitter


class Poller:
    """Polls for one process' kinds. `spawn` runs the step that follows a final word under a slot."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        steps: Steps,
        lease: Lease,
        credentials: Credentials,
        publisher: Publisher,
        kinds: Sequence[str],
        metrics: WorkerMetrics,
        run_times: RunTimes,
        monitor: Monitor,
    ) -> None:
        self._lifecycle = lifecycle
        self._steps = steps
        self._lease = lease
        self._credentials = credentials
        self._publisher = publisher
        self._kinds = kinds
        self._metrics = metrics
        self._run_times = run_times
        self._monitor = monitor
        self._second = float("-inf")
        self._looks = 0
        self._busy = False
        self._rest_until = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[Any] = set()

    @property
    def running(self) -> list[Any]:
        """The generations that are being asked about now."""
        return list(self._held)

    @property
    def rest_s(self) -> float:
        """How long the next tick is better put off, so that more comes due until then."""
        return max(0.0, self._rest_until - time.monotonic())

    async def drain(self) -> None:
        """Gives back what is being asked about: a question is free, so nobody waits for its answer."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def tick(self) -> int:
        """One look at everything that is due; returns how many that were."""
        works = await self._lifecycle.claim_polls(self._lease.worker_id, self._kinds, CLAIM_LIMIT)
        by_credential: dict[tuple[str, str], list[Work]] = defaultdict(list)
        for work in works:
            submission = _submission(work)
            by_credential[submission["submission_provider"], submission["submission_credential"]].append(work)
        for (name, credential), group in by_credential.items():
            self._spawn(self._look(name, credential, group))
        self._pace(len(works))
        return len(works)

    def _pace(self, looks: int) -> None:
        """Rests while there is much to look at, unless more is due already than was taken."""
        now = time.monotonic()
        if now - self._second >= 1.0:
            self._second, self._busy, self._looks = now, self._looks >= GATHER_FROM, 0
        self._looks += looks
        if (self._busy or self._looks >= GATHER_FROM) and looks < CLAIM_LIMIT:
            self._rest_until = now + GATHER_S

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, name: str, credential: str, works: list[Work]) -> None:
        ids = {work.id for work in works}
        self._held |= ids
        try:
            provider = await self._credentials.to_ask(name, credential)
            if provider is None:
                await self._lifecycle.poll_again([PollAgain(work.lease, 5.0) for work in works])
                return
            leaving = [work for work in works if _must_leave(work)]
            for together in batched(leaving, LEAVE_AT_ONCE):
                await asyncio.gather(*(self._guarded(self._leave(work, provider), work) for work in together))
            await self._ask(provider, [work for work in works if not _must_leave(work)])
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(works))
        except CONNECTION_ERRORS as error:
            log.warning("poll_put_off", provider=name, error=type(error).__name__)
        except Exception:
            log.exception("poll_failed", provider=name)
        finally:
            self._held -= ids

    async def _give_back(self, works: Sequence[Work]) -> None:
        """Due again at once, but for those whose final word is being written down."""
        running = set(self._steps.running)
        try:
            await self._lifecycle.poll_again([
                PollAgain(work.lease, 0.0, work.row["progress"], work.row["provider_queue_position"])
                for work in works if work.id not in running
            ])  # fmt: skip
        except CONNECTION_ERRORS as error:
            log.warning("not_given_back", generations=len(works), error=type(error).__name__)

    async def _ask(self, provider: Provider, works: Sequence[Work]) -> None:
        if not works:
            return
        jobs = [_job(work) for work in works]
        try:
            answers = await self._monitor.watched(provider, "poll", self._answers(provider, jobs))
        except Exception as error:
            answers = {job.submission_id: error for job in jobs}
        reach("after_poll_answer")
        again: list[PollAgain] = []
        for work, job in zip(works, jobs, strict=True):
            answer = answers.get(job.submission_id, TimeoutError("no answer for this job"))
            if isinstance(answer, Exception):
                self._doubt(provider, answer)
                log.warning(
                    "poll_unanswered", provider=provider.name, generation=str(work.id), error=repr(answer)
                )
                again.append(PollAgain(work.lease, backoff_after_failure_s(work), work.row["progress"]))
            elif isinstance(answer, Pending):
                item = await self._pending(work, answer)
                if item is not None:
                    again.append(item)
            else:
                self._spawn(self._final(work, provider, answer))
        await self._lifecycle.poll_again(again)

    def _doubt(self, provider: Provider, answer: Exception) -> None:
        if isinstance(answer, Refused) and answer.error.code == "PROVIDER_AUTH":
            self._credentials.doubt(provider)

    async def _answers(self, provider: Provider, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        async with asyncio.timeout(POLL_TIMEOUT_S):
            return await self._metrics.asked(provider.name, "poll", provider.poll(jobs))

    async def _pending(self, work: Work, answer: Pending) -> PollAgain | None:
        look_in_s = self._next_look_s(work)
        progress = answer.progress if answer.progress is not None else work.row["progress"]
        if answer.running and work.row["stage"] != "provider_running":
            await self._guarded(self._lifecycle.provider_running(work.lease, look_in_s, progress), work)
            return None
        if progress != work.row["progress"] or answer.queue_position != work.row["provider_queue_position"]:
            frame = progress_frame(
                work.id, work.row["seq"], progress=progress, stage=work.row["stage"],
                provider_queue_position=answer.queue_position,
            )  # fmt: skip
            self._publisher.publish_soon(work.row["account_id"], [frame])
        return PollAgain(work.lease, look_in_s, progress, answer.queue_position)

    def _next_look_s(self, work: Work) -> float:
        route = _submission(work)["submission_route"]
        expected = self._run_times.expect(route, work.row["kind"])
        return next_look_s(work.row["accepted_ago_s"] or 0.0, expected)

    async def _final(self, work: Work, provider: Provider, answer: Answer) -> None:
        self._held.add(work.id)
        try:
            if isinstance(answer, Finished):
                self._run_times.ran(_submission(work)["submission_route"], work.row["accepted_ago_s"] or 0.0)
                await self._steps.follow(work, lambda: self._steps.outcomes.finished(work, provider, answer))
            elif isinstance(answer, Ended):
                await self._steps.follow(work, lambda: self._steps.outcomes.ended(work, provider, answer))
            elif isinstance(answer, Gone):
                await self._steps.follow(work, lambda: self._gone(work))
        finally:
            self._held.discard(work.id)

    async def _gone(self, work: Work) -> None:
        """The provider forgot it: nobody can say what it cost, so the caller is not charged."""
        error = JobError("PROVIDER_FAILED", "The provider does not know this job any more.", retryable=True,
                         details={"possibly_billed": True})  # fmt: skip
        change = SubmissionChange(
            _submission(work)["submission_id"], "possibly_billed", error=error.as_json()
        )
        await self._lifecycle.failed(work, error, submission=change)

    async def _leave(self, work: Work, provider: Provider) -> None:
        """Canceled, or past its deadline: it ends now, and its bill is awaited without it."""
        try:
            reach("before_provider_cancel")
            async with asyncio.timeout(POLL_TIMEOUT_S):
                await self._metrics.asked(provider.name, "cancel", provider.cancel(_job(work)))
            reach("after_provider_cancel")
        except Exception as error:
            # The aftercare of open submissions asks again.
            log.warning(
                "cancel_not_taken", provider=provider.name, generation=str(work.id), error=repr(error)
            )
        change = SubmissionChange(_submission(work)["submission_id"], "accepted", check_in_s=0.2)
        if work.row["cancel_requested_at"] is not None:
            await self._lifecycle.canceled(work, submission=change, money="reconciling")
        else:
            error_ = JobError("DEADLINE", "It was not done before its deadline.", retryable=True)
            await self._lifecycle.failed(work, error_, submission=change, money="reconciling")

    async def _guarded(self, change: Awaitable[None], work: Work) -> None:
        try:
            await change
        except LeaseLost:
            log.info("lease_lost", generation=str(work.id))


def backoff_after_failure_s(work: Work) -> float:
    """1, 2, 4 … 15 seconds by the number of looks so far, with jitter."""
    longest: float = min(LOOK_LIMITS_S[1], 2.0 ** min(work.row["polls"], 4))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter


def _must_leave(work: Work) -> bool:
    return work.row["cancel_requested_at"] is not None or work.row["deadline_in_s"] <= 0


def _submission(work: Work) -> Mapping[str, Any]:
    assert work.submission is not None  # noqa: S101  # a waiting generation has one
    return work.submission


def _job(work: Work) -> Job:
    submission = _submission(work)
    return Job(
        submission["submission_id"], submission["remote_id"], work.row["kind"], submission["submission_model"],
        work.row["input"], submission["accepted_at"],
    )  # fmt: skip
