"""The steps of a generation's life: submit, find out, store, cancel. Each is short, and ends with one change.

A step is told to look at a generation; what it does depends on the row alone, so any step may be repeated,
and the path after a crash is the ordinary path:

    queued      route it, commit the intent, make the paid call, commit what came of it
    submitting  the call's fate is unknown (its worker died, or no answer came): ask the provider
    storing     the provider is done and billed: fetch, check, store, complete
    (waiting    belongs to the poller)
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from shared.db import CONNECTION_ERRORS
from shared.domains.changes import Lease as Held
from shared.domains.changes import LeaseLost, SubmissionChange
from shared.domains.generations import Work
from shared.errors import JobError
from shared.log import get_logger
from workers.providers.base import Provider
from workers.steps.outcomes import Outcomes
from workers.steps.reconciling import Reconciling
from workers.steps.requests import Requests
from workers.steps.storing import Storing
from workers.steps.submitting import Running, Submitting
from workers.steps.tools import Tools

log = get_logger(__name__)

MAX_CRASHES = 3
STEP_TIMEOUT_S = 3600.0
"""Longer than any step that ends by its own limits. Its lease is renewed while it runs, so it may not run forever."""


class Steps:
    """Runs steps of claimed generations. One instance per process.

    `outcomes` is for the poller, whose jobs' final words lead to the same as the steps' own.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle
        requests, storing = Requests(tools), Storing(tools)
        self.outcomes = Outcomes(tools, storing)
        self._reconciling = Reconciling(tools, requests)
        self._storing = storing
        self._submitting = Submitting(tools, requests, self.outcomes, storing, self._reconciling)
        self._running: dict[Held, Running] = {}
        self._draining = False

    @property
    def running(self) -> list[UUID]:
        """The generations whose steps run now."""
        return [lease.id for lease in self._running]

    def interrupt(self, generation_id: UUID) -> None:
        """Somebody wants this one canceled: a step that can stop, stops."""
        for lease, running in self._running.items():
            if lease.id == generation_id:
                running.canceled.set()

    def abandon(self) -> None:
        """This worker was declared dead: whatever it still does is void, but paid calls are not cut off."""
        for running in self._running.values():
            if not running.paying:
                running.task.cancel()

    async def drain(self, timeout_s: float) -> None:
        """Gives running steps back at once; those in the middle of a paid call may end it first."""
        self._draining = True
        self.abandon()
        tasks = [running.task for running in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    async def run(self, generation_id: UUID, dispatch_no: int) -> bool:
        """Claims and runs one step; False when the bell was stale, or Postgres is away."""
        try:
            work = await self._lifecycle.claim(self._tools.lease.worker_id, generation_id, dispatch_no)
        except CONNECTION_ERRORS as error:
            log.warning("not_claimed", generation=str(generation_id), error=type(error).__name__)
            return False
        if work is None:
            return False
        if self._draining:
            await self._give_back(work)
            return False
        await self.run_claimed(work)
        return True

    async def run_claimed(self, work: Work) -> None:
        """One step of work that this process holds."""
        await self.follow(work, lambda: self._step(work))

    async def follow(self, work: Work, step: Callable[[], Awaitable[None]]) -> None:
        """Runs a step of held work. It raises nothing: what cannot be written now, the clock finds again.

        A step that is cancelled, because the process drains or its time is over, gives the generation back.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # steps run in tasks
        self._running[work.lease] = Running(task)
        limit = asyncio.timeout(STEP_TIMEOUT_S)
        try:
            async with limit:
                await step()
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(work))
        except LeaseLost:
            log.info("lease_lost", generation=str(work.id))
        except CONNECTION_ERRORS as error:
            log.warning("step_put_off", generation=str(work.id), error=type(error).__name__)
            if limit.expired():
                await self._give_back(work)
        except Exception as error:
            log.exception("step_failed", generation=str(work.id), state=work.row["state"])
            await self._give_up(work, error)
        finally:
            del self._running[work.lease]

    async def _give_back(self, work: Work) -> None:
        try:
            await self._lifecycle.release(work.lease)
        except CONNECTION_ERRORS as error:
            log.warning("not_given_back", generation=str(work.id), error=type(error).__name__)

    async def _step(self, work: Work) -> None:
        row = work.row
        if row["crashes"] >= MAX_CRASHES:
            await self._end_poisoned(work)
        elif row["cancel_requested_at"] is not None and row["state"] == "queued":
            await self._lifecycle.canceled(work)
        elif row["state"] == "queued":
            await self._submitting.submit(work, self._running[work.lease])
        elif row["state"] == "submitting":
            await self._reconciling.reconcile(work)
        elif row["state"] == "storing":
            await self._storing.again(work)
        else:
            await self._lifecycle.release(work.lease)

    # Ends.

    async def _end_poisoned(self, work: Work) -> None:
        error = JobError(
            "POISON", f"It ended its worker {work.row['crashes']} times and is not tried again.",
            details={"fingerprint": f"{work.row['kind']}:{work.row['state']}"},
        )  # fmt: skip
        await self._fail_open(work, error)

    async def _give_up(self, work: Work, error: Exception) -> None:
        """A bug of ours ends the generation instead of looping; a submission that is open stays watched."""
        cause = JobError("INTERNAL", "Something went wrong on our side.", retryable=True,
                         details={"error": type(error).__name__})  # fmt: skip
        try:
            await self._fail_open(work, cause)
        except LeaseLost:
            log.info("lease_lost", generation=str(work.id))
        except Exception as failure:
            # Its claim runs out, and another worker meets it again.
            log.warning("not_given_up", generation=str(work.id), error=repr(failure))

    async def _fail_open(self, work: Work, error: JobError) -> None:
        """Fails it. If a submission may still run at its provider, the money waits for the final word."""
        # Read anew: the step that went wrong may have written its intent since the claim.
        submission = await self._lifecycle.open_submission(work.id)
        if submission is None:
            await self._lifecycle.failed(work, error)
            return
        provider = await self._tools.credentials.to_ask(submission["provider"], submission["credential"])
        state = submission["state"]
        change = SubmissionChange(
            submission["id"], "unknown" if state == "intent" else state, check_in_s=0.0,
            resolve_in_s=self._tools.window_s(provider) if provider is not None else Provider.find_window_s,
        )  # fmt: skip
        await self._lifecycle.failed(work, error, submission=change, money="reconciling")
