"""queued → submitting → …: a route, the intent, the paid call, and what came of it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.domains.changes import NewSubmission, Settlement, SubmissionChange
from shared.domains.generations import Work
from shared.domains.provider_keys import payer_of
from shared.errors import JobError
from shared.log import get_logger
from shared.settings import ModerationMode
from workers.artifacts import ArtifactError, Place
from workers.moderation import ModerationUnavailable
from workers.providers.base import (
    Accepted,
    Ended,
    Finished,
    NotSent,
    Outcome,
    Provider,
    Refused,
    Request,
    Usage,
)
from workers.router import Chosen, Later, NoRoute
from workers.run_times import first_look_s
from workers.sink import SubmissionSink
from workers.steps.outcomes import Outcomes, done, money_of, settlement_of
from workers.steps.reconciling import Reconciling
from workers.steps.requests import Requests, hash_of
from workers.steps.storing import Storing
from workers.steps.tools import Tools

log = get_logger(__name__)

MODERATION_PAUSE_S = 5.0
_SUBMIT_GRACE_S = 5.0


@dataclass(slots=True, eq=False)
class Running:
    """A step under way. While `paying`, from the intent until the answer is written, it is not cut off."""

    task: asyncio.Task[Any]
    canceled: asyncio.Event = field(default_factory=asyncio.Event)
    paying: bool = False


class Submitting:
    """Submits claimed generations."""

    def __init__(
        self, tools: Tools, requests: Requests, outcomes: Outcomes, storing: Storing, reconciling: Reconciling
    ) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle
        self._requests = requests
        self._outcomes = outcomes
        self._storing = storing
        self._reconciling = reconciling

    async def submit(self, work: Work, running: Running) -> None:
        """To the first route that can take it now; with none, it waits or ends."""
        row = work.row
        if (
            row["start_deadline_in_s"] is not None
            and row["start_deadline_in_s"] <= 0
            and row["started_at"] is None
        ):
            await self._lifecycle.expired(work)
            return
        if row["deadline_in_s"] <= 0:
            await self._lifecycle.failed(work, JobError("DEADLINE", "It was not done before its deadline."))
            return
        tried = row["decision"].get("tried", [])
        choice = await self._tools.router.choose(row["routes"], tried, row["account_id"])
        if isinstance(choice, Later):
            await self._lifecycle.release(
                work.lease, min(choice.delay_s, _time_left_s(row)), waiting_for=choice.reason
            )
            return
        if isinstance(choice, NoRoute):
            await self._lifecycle.failed(work, _last_error(work, choice))
            return
        try:
            await self._submit_to(work, choice, running)
        finally:
            self._tools.router.unused(choice)

    async def _submit_to(self, work: Work, choice: Chosen, running: Running) -> None:
        provider = choice.provider
        try:
            found = await self._tools.moderation.of_request(work)
        except ModerationUnavailable:
            await self._lifecycle.release(work.lease, MODERATION_PAUSE_S, waiting_for="retry")
            return
        if found is not None and found.blocks:
            await self._lifecycle.failed(work, found.as_error(), found=found.as_patch())
            return
        if not self._tools.lease.trusted_for(provider.submit_timeout_s):
            await self._lifecycle.release(work.lease)
            return
        await self._tools.credentials.note_use(provider)
        request = await self._requests.of(work, choice.route, choice.submission_id)
        intent = NewSubmission(
            request.submission_id, provider.name, provider.credential, choice.route["model"], choice.route,
            hash_of(request),
        )  # fmt: skip
        running.paying = not provider.interruptible
        try:
            await self._lifecycle.submitting(
                work, intent, choice.decision, {} if found is None else found.as_patch()
            )
            await self._call(work, running, provider, request, choice.route, choice.decision)
        finally:
            running.paying = False

    async def _call(
        self,
        work: Work,
        running: Running,
        provider: Provider,
        request: Request,
        route: Mapping[str, Any],
        decision: Mapping[str, Any],
    ) -> None:
        """The paid call, from which every way out is written down."""
        sink = SubmissionSink(
            self._tools.artifacts, self._tools.publisher,
            Place(request.account_id, request.generation_id, request.kind, request.submission_id),
            work.row["seq"] + 1, shows_text=self._tools.settings.moderation_output is not ModerationMode.BLOCK,
        )  # fmt: skip
        submission_id = request.submission_id
        try:
            reach("before_submit_call")
            request.confirm()
            called_at = time.monotonic()
            call = self._tools.metrics.asked(provider.name, "submit", provider.submit(request, sink))
            watched = self._tools.router.monitor.watched(provider, "submit", call, submission_id)
            outcome = await _interruptible(running, provider, watched)
            reach("after_submit_call")
            self._time(route, outcome, time.monotonic() - called_at)
        except _Interrupted:
            change = SubmissionChange(submission_id, "rejected")
            await self._lifecycle.canceled(work, submission=change, text=sink.shown)
        except NotSent as error:
            await self._outcomes.try_again(work, decision, SubmissionChange(submission_id, "rejected"),
                                  JobError("PROVIDER_FAILED", str(error), retryable=True))  # fmt: skip
        except Refused as error:
            await self._outcomes.refused(work, provider, route, decision, submission_id, error)
        except ArtifactError as error:
            # A synchronous provider delivered something that cannot be kept: it is done, and what it bills
            # is not known unless it is free, or said so beforehand.
            known = Usage(cost_nanos=0) if provider.interruptible else error.usage
            settle = (
                Settlement(submission_id, None, provider.name, route["model"], route["price_id"],
                           payer=payer_of(provider.credential))
                if known is None else settlement_of(submission_id, route, known, provider)
            )  # fmt: skip
            change = SubmissionChange(
                submission_id, "done", error={"message": str(error)}, cost_nanos=settle.nanos
            )
            await self._lifecycle.failed(work, JobError("UPLOAD_FAILED", str(error), retryable=True),
                                         submission=change, settle=settle, money=money_of(settle))  # fmt: skip
        except Exception as error:
            log.warning("submission_unknown", generation=str(work.id), submission=str(submission_id),
                        provider=provider.name, error=repr(error))  # fmt: skip
            await self._reconciling.unknown(work, provider, submission_id, error)
        else:
            await self._answered(work, running, provider, route, submission_id, outcome, decision)

    async def _answered(
        self, work: Work, running: Running, provider: Provider, route: Mapping[str, Any], submission_id: UUID,
        outcome: Outcome, decision: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if isinstance(outcome, Accepted):
            await self._lifecycle.waiting(
                work.lease,
                submission_id,
                outcome.remote_id,
                first_look_s(self._tools.run_times.expect(route, work.row["kind"])),
            )
            return
        if isinstance(outcome, Ended):
            await self._outcomes.without_result(work, provider, route, decision, submission_id, outcome)
            return
        settle = settlement_of(submission_id, route, outcome.usage, provider)
        change = done(submission_id, outcome, settle)
        if not outcome.outputs:
            await self._lifecycle.completed(work.lease, (), submission=change, settle=settle,
                                            unpriced=settle.nanos is None)  # fmt: skip
            return
        await self._lifecycle.storing(work.lease, change, settle)
        running.paying = False
        await self._storing.store(work, outcome.outputs, provider, unpriced=settle.nanos is None)

    def _time(self, route: Mapping[str, Any], outcome: Outcome, seconds: float) -> None:
        """A synchronous call that brought the result was the whole run."""
        self._tools.run_times.submitted(route, seconds)
        if isinstance(outcome, Finished):
            self._tools.run_times.ran(route, seconds)


class _Interrupted(Exception):
    """A call that costs nothing was stopped because a cancel arrived."""


async def _interruptible(running: Running, provider: Provider, call: Any) -> Outcome:
    """The call; one that costs nothing stops when a cancel arrives, a paid one is let finish."""
    task: asyncio.Task[Outcome] = asyncio.ensure_future(call)
    if not provider.interruptible:
        # A paid request is never cut off: the answer would be lost, not the bill.
        async with asyncio.timeout(provider.submit_timeout_s + _SUBMIT_GRACE_S):
            return await asyncio.shield(task)
    canceled = asyncio.create_task(running.canceled.wait())
    try:
        await asyncio.wait({task, canceled}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise _Interrupted
    finally:
        canceled.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _time_left_s(row: Mapping[str, Any]) -> float:
    """Seconds until the next deadline, which is not slept through."""
    starts_in_s = row["start_deadline_in_s"] if row["started_at"] is None else None
    deadline_in_s: float = row["deadline_in_s"]
    return max(0.0, deadline_in_s if starts_in_s is None else min(deadline_in_s, starts_in_s))


def _last_error(work: Work, choice: NoRoute) -> JobError:
    """What the last try failed with says more than that nothing is left."""
    submission = work.submission
    if submission is not None and submission["submission_error"]:
        kept = submission["submission_error"]
        if {"code", "message"} <= kept.keys():
            return JobError(kept["code"], kept["message"], kept.get("retryable", False))
    return JobError("NO_PROVIDER", f"No provider could take it ({choice.reason}).", retryable=True)
