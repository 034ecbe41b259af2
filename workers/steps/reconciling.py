"""submitting: what became of a call whose answer nobody has? Nothing is sent again before that is known."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.domains.changes import SubmissionChange
from shared.domains.generations import Work
from shared.errors import JobError
from shared.log import get_logger
from workers.providers.base import Absent, Found, Lost, Provider, Unaskable
from workers.steps import backoff
from workers.steps.requests import Requests
from workers.steps.tools import Tools

log = get_logger(__name__)

FIND_TIMEOUT_S = 120.0


class Reconciling:
    """Asks providers about submissions without an id."""

    def __init__(self, tools: Tools, requests: Requests) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle
        self._requests = requests

    async def unknown(self, work: Work, provider: Provider, submission_id: UUID, error: Exception) -> None:
        """Nobody has the answer: to be asked about soon."""
        cause = JobError("PROVIDER_TIMEOUT", f"No clear answer: {type(error).__name__}", retryable=True)
        await self._lifecycle.unknown(work, submission_id, cause, look_in_s=0.5,
                                      window_s=self._tools.window_s(provider))  # fmt: skip

    async def reconcile(self, work: Work) -> None:
        """Asks the provider about a submission without an id; never submits again before it is known."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a submitting generation has one
        provider = await self._tools.submitted_to(work)
        if provider is None:
            await self._lifecycle.release(work.lease, 5.0, waiting_for="doubt")
            return
        submission_id = submission["submission_id"]
        route = submission["submission_route"]
        request = await self._requests.of(work, route, submission_id)
        around = await self._lifecycle.neighbours(submission_id)
        try:
            reach("before_find")
            lost = Lost(request, submission["intent_at"], *around)
            async with asyncio.timeout(FIND_TIMEOUT_S):
                answer = await self._tools.metrics.asked(provider.name, "find", provider.find(lost))
            reach("after_find")
        except Exception as error:
            log.warning("find_failed", generation=str(work.id), provider=provider.name, error=repr(error))
            await self.unknown(work, provider, submission_id, error)
            return
        if isinstance(answer, Found):
            await self._lifecycle.waiting(work.lease, submission_id, answer.remote_id, 0.0)
        elif isinstance(answer, Absent):
            await self._absent(work, provider, submission_id)
        elif isinstance(answer, Unaskable):
            await self._unaskable(work, provider, submission_id, route)

    async def _absent(self, work: Work, provider: Provider, submission_id: UUID) -> None:
        """Not there (yet). Once the window has passed it is proven lost, and the request may be sent again."""
        resolve_in_s = work.row["resolve_in_s"]
        if resolve_in_s is None or resolve_in_s > 0:
            error = JobError("PROVIDER_TIMEOUT", "The provider does not have it yet.", retryable=True)
            look_in_s = 1.0 if resolve_in_s is None else min(2.0, resolve_in_s + 0.1)
            await self._lifecycle.unknown(work, submission_id, error, look_in_s=look_in_s,
                                          window_s=self._tools.window_s(provider))  # fmt: skip
            return
        error = JobError("PROVIDER_TIMEOUT", "The request never reached the provider.", retryable=True)
        if work.row["cancel_requested_at"] is not None:
            await self._lifecycle.canceled(work, submission=SubmissionChange(submission_id, "lost"))
            return
        # What the network lost is no failure of the route: no attempt is spent.
        await self._lifecycle.retrying(
            work, error, delay_s=backoff.delay_s(1), submission=SubmissionChange(submission_id, "lost"),
            refund_attempt=True,
        )  # fmt: skip

    async def _unaskable(
        self, work: Work, provider: Provider, submission_id: UUID, route: Mapping[str, Any]
    ) -> None:
        """Nobody can say what became of it. A cheap one is sent again; a dear one fails, uncharged."""
        if route["on_unknown"] == "retry":
            error = JobError("PROVIDER_TIMEOUT", "The work was cut off.", retryable=True)
            change = SubmissionChange(submission_id, "lost" if provider.interruptible else "possibly_billed")
            if work.row["cancel_requested_at"] is not None:
                await self._lifecycle.canceled(work, submission=change)
            else:
                await self._lifecycle.retrying(work, error, delay_s=0.0, submission=change,
                                               refund_attempt=provider.interruptible)  # fmt: skip
            return
        error = JobError(
            "PROVIDER_TIMEOUT", "The provider gave no clear answer. It may have billed us; you are not charged.",
            retryable=True, details={"possibly_billed": True},
        )  # fmt: skip
        await self._lifecycle.failed(
            work, error, submission=SubmissionChange(submission_id, "possibly_billed")
        )
