"""The steps of a generation's life: submit, find out, store, cancel. Each is short, and ends with one change.

A step is told to look at a generation; what it does depends on the row alone, so any step may be repeated,
and the path after a crash is the ordinary path:

    queued      route it, commit the intent, make the paid call, commit what came of it
    submitting  the call's fate is unknown (its worker died, or no answer came): ask the provider
    storing     the provider is done and billed: fetch, check, store, complete
    (waiting    belongs to the poller)
"""

import asyncio
import hashlib
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from shared.crashpoints import reach
from shared.db import CONNECTION_ERRORS
from shared.domains.callbacks import callback_url
from shared.domains.changes import Lease as Held
from shared.domains.changes import (
    LeaseLost,
    NewSubmission,
    OutputRow,
    Settlement,
    SubmissionChange,
    json_units,
)
from shared.domains.generations import Lifecycle, Work
from shared.domains.provider_keys import PLATFORM, key_id_of, payer_of
from shared.errors import JobError
from shared.events import Publisher
from shared.ids import new_id
from shared.log import get_logger
from shared.pricing import cost_of
from shared.settings import ModerationMode, Settings
from shared.storage import ObjectStore
from workers.artifacts import ArtifactError, Artifacts, Infected, Place, no_headers
from workers.credentials import Credentials
from workers.lease import Lease
from workers.metrics import WorkerMetrics
from workers.moderation import Moderation, ModerationUnavailable, Verdict
from workers.providers.base import (
    Absent,
    Accepted,
    Ended,
    Finished,
    Found,
    HeldBack,
    InputFile,
    Lost,
    NotSent,
    Outcome,
    Provider,
    Refused,
    RemoteFile,
    Request,
    StoredFile,
    Unaskable,
    Usage,
)
from workers.router import Chosen, Later, NoRoute, Router
from workers.run_times import RunTimes, first_look_s
from workers.sink import SubmissionSink

log = get_logger(__name__)

MAX_CRASHES = 3
MAX_ATTEMPTS = 5
MAX_STORE_TRIES = 5
INPUT_URL_S = 3600
MODERATION_PAUSE_S = 5.0
FIND_TIMEOUT_S = 120.0
STEP_TIMEOUT_S = 3600.0
"""Longer than any step that ends by its own limits. Its lease is renewed while it runs, so it may not run forever."""
_SUBMIT_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What steps work with."""

    lifecycle: Lifecycle
    router: Router
    credentials: Credentials
    artifacts: Artifacts
    store: ObjectStore
    publisher: Publisher
    settings: Settings
    lease: Lease
    metrics: WorkerMetrics
    moderation: Moderation
    run_times: RunTimes


class Steps:
    """Runs steps of claimed generations. One instance per process."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle
        self._running: dict[Held, _Running] = {}
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
        self._running[work.lease] = _Running(task)
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
            await self._submit(work)
        elif row["state"] == "submitting":
            await self._reconcile(work)
        elif row["state"] == "storing":
            await self._store(work, _kept_outputs(work), await self._submitted_to(work))
        else:
            await self._lifecycle.release(work.lease)

    # queued → submitting → …

    async def _submit(self, work: Work) -> None:
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
            await self._submit_to(work, choice)
        finally:
            self._tools.router.unused(choice)

    async def _submit_to(self, work: Work, choice: Chosen) -> None:
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
        request = await self._request(work, choice.route, choice.submission_id)
        intent = NewSubmission(
            request.submission_id, provider.name, provider.credential, choice.route["model"], choice.route,
            _request_hash(request),
        )  # fmt: skip
        running = self._running[work.lease]
        running.paying = not provider.interruptible
        try:
            await self._lifecycle.submitting(work, intent, choice.decision, _patch_of(found))
            await self._call(work, provider, request, choice.route, choice.decision)
        finally:
            running.paying = False

    async def _call(
        self,
        work: Work,
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
            outcome = await self._interruptible(work, provider, watched)
            reach("after_submit_call")
            self._time(route, outcome, time.monotonic() - called_at)
        except _Interrupted:
            change = SubmissionChange(submission_id, "rejected")
            await self._lifecycle.canceled(work, submission=change, text=sink.shown)
        except NotSent as error:
            await self._try_again(work, decision, SubmissionChange(submission_id, "rejected"),
                                  JobError("PROVIDER_FAILED", str(error), retryable=True))  # fmt: skip
        except Refused as error:
            await self._refused(work, provider, route, decision, submission_id, error)
        except ArtifactError as error:
            # A synchronous provider delivered something that cannot be kept: it is done, and what it bills
            # is not known unless it is free, or said so beforehand.
            known = Usage(cost_nanos=0) if provider.interruptible else error.usage
            settle = (
                Settlement(submission_id, None, provider.name, route["model"], route["price_id"],
                           payer=payer_of(provider.credential))
                if known is None else self._settlement(submission_id, route, known, provider)
            )  # fmt: skip
            change = SubmissionChange(
                submission_id, "done", error={"message": str(error)}, cost_nanos=settle.nanos
            )
            await self._lifecycle.failed(work, JobError("UPLOAD_FAILED", str(error), retryable=True),
                                         submission=change, settle=settle, money=_money(settle))  # fmt: skip
        except Exception as error:
            log.warning("submission_unknown", generation=str(work.id), submission=str(submission_id),
                        provider=provider.name, error=repr(error))  # fmt: skip
            await self._unknown(work, provider, submission_id, error)
        else:
            await self._answered(work, provider, route, submission_id, outcome, decision)

    async def _answered(
        self, work: Work, provider: Provider, route: Mapping[str, Any], submission_id: UUID,
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
            await self._without_result(work, provider, route, decision, submission_id, outcome)
            return
        settle = self._settlement(submission_id, route, outcome.usage, provider)
        change = _done(submission_id, outcome, settle)
        if not outcome.outputs:
            await self._lifecycle.completed(work.lease, (), submission=change, settle=settle,
                                            unpriced=settle.nanos is None)  # fmt: skip
            return
        await self._lifecycle.storing(work.lease, change, settle)
        self._running[work.lease].paying = False
        await self._store(work, outcome.outputs, provider, unpriced=settle.nanos is None)

    def _time(self, route: Mapping[str, Any], outcome: Outcome, seconds: float) -> None:
        """A synchronous call that brought the result was the whole run."""
        self._tools.run_times.submitted(route, seconds)
        if isinstance(outcome, Finished):
            self._tools.run_times.ran(route, seconds)

    def _confirm(self, claimed_by: UUID) -> None:
        """Raises NotSent in a process that was stopped since it claimed: the intent may be somebody else's by
        now, and may have been given up. One that came back under a new id is trusted again, but not for what
        it claimed under the old one."""
        lease = self._tools.lease
        if lease.worker_id != claimed_by or not lease.trusted_for(math.inf):
            raise HeldBack("this worker may have been declared dead")

    async def _interruptible(self, work: Work, provider: Provider, call: Any) -> Outcome:
        """The call; one that costs nothing stops when a cancel arrives, a paid one is let finish."""
        running = self._running[work.lease]
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

    async def _refused(
        self, work: Work, provider: Provider, route: Mapping[str, Any], decision: Mapping[str, Any],
        submission_id: UUID, refusal: Refused,
    ) -> None:  # fmt: skip
        if refusal.error.code == "PROVIDER_AUTH" and key_id_of(provider.credential) is not None:
            self._tools.credentials.doubt(provider)
            refusal = _on_own_key(provider, refusal)
        change = SubmissionChange(submission_id, "rejected", error=refusal.error.as_json())
        if refusal.retry_after_s is not None:
            await self._tools.router.cool_down(provider, refusal.retry_after_s, refusal.error.message)
            # Limits are not failures: no attempt is spent, and another route may be free meanwhile.
            await self._lifecycle.retrying(
                work, refusal.error, delay_s=0.0, submission=change, refund_attempt=True,
            )  # fmt: skip
        elif refusal.error.retryable:
            await self._try_again(work, decision, change, refusal.error)
        elif refusal.curable:
            await self._fall_back(work, route, decision, change, None, refusal.error)
        else:
            await self._lifecycle.failed(work, refusal.error, submission=change)

    async def _try_again(
        self, work: Work, decision: Mapping[str, Any], change: SubmissionChange, error: JobError
    ) -> None:
        """Back to the queue with a growing delay; after five attempts the next route is taken."""
        attempts = work.row["attempts"] + 1
        if attempts % MAX_ATTEMPTS == 0:
            card = decision["card"]
            tried = {**decision, "tried": [*decision.get("tried", ()), card]}
            await self._lifecycle.retrying(work, error, delay_s=0.0, decision=tried, submission=change)
            return
        await self._lifecycle.retrying(work, error, delay_s=backoff_s(attempts), submission=change)

    async def _fall_back(
        self, work: Work, route: Mapping[str, Any], decision: Mapping[str, Any], change: SubmissionChange,
        settle: Settlement | None, error: JobError,
    ) -> None:  # fmt: skip
        """To the next route, if there is one; otherwise the error is final."""
        tried = [*decision.get("tried", ()), route["card"]]
        left = [other for other in work.row["routes"] if other["card"] not in tried]
        if not left:
            money = "final" if settle is None else _money(settle)
            await self._lifecycle.failed(work, error, submission=change, settle=settle, money=money)
            return
        await self._lifecycle.retrying(work, error, delay_s=0.0, decision={**decision, "tried": tried},
                                       submission=change, settle=settle)  # fmt: skip

    # submitting: what became of the call?

    async def _unknown(self, work: Work, provider: Provider, submission_id: UUID, error: Exception) -> None:
        cause = JobError("PROVIDER_TIMEOUT", f"No clear answer: {type(error).__name__}", retryable=True)
        await self._lifecycle.unknown(work, submission_id, cause, look_in_s=0.5,
                                      window_s=self._window_s(provider))  # fmt: skip

    async def _reconcile(self, work: Work) -> None:
        """Asks the provider about a submission without an id; never submits again before it is known."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a submitting generation has one
        provider = await self._submitted_to(work)
        if provider is None:
            await self._lifecycle.release(work.lease, 5.0, waiting_for="doubt")
            return
        submission_id = submission["submission_id"]
        route = submission["submission_route"]
        request = await self._request(work, route, submission_id)
        around = await self._lifecycle.neighbours(submission_id)
        try:
            reach("before_find")
            lost = Lost(request, submission["intent_at"], *around)
            async with asyncio.timeout(FIND_TIMEOUT_S):
                answer = await self._tools.metrics.asked(provider.name, "find", provider.find(lost))
            reach("after_find")
        except Exception as error:
            log.warning("find_failed", generation=str(work.id), provider=provider.name, error=repr(error))
            await self._unknown(work, provider, submission_id, error)
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
                                          window_s=self._window_s(provider))  # fmt: skip
            return
        error = JobError("PROVIDER_TIMEOUT", "The request never reached the provider.", retryable=True)
        if work.row["cancel_requested_at"] is not None:
            await self._lifecycle.canceled(work, submission=SubmissionChange(submission_id, "lost"))
            return
        # What the network lost is no failure of the route: no attempt is spent.
        await self._lifecycle.retrying(
            work, error, delay_s=backoff_s(1), submission=SubmissionChange(submission_id, "lost"),
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

    def _window_s(self, provider: Provider) -> float:
        return self._tools.settings.find_window_s or provider.find_window_s

    # What the provider's final word leads to; the poller calls these two.

    async def finished(self, work: Work, provider: Provider, answer: Finished) -> None:
        """waiting → storing → completed."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a waiting generation has one
        submission_id, route = submission["submission_id"], submission["submission_route"]
        settle = self._settlement(submission_id, route, answer.usage, provider)
        await self._lifecycle.storing(work.lease, _done(submission_id, answer, settle), settle)
        await self._store(work, answer.outputs, provider, unpriced=settle.nanos is None)

    async def ended(self, work: Work, provider: Provider, answer: Ended) -> None:
        """waiting → queued on another route, or failed. What the provider bills for it is settled."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a waiting generation has one
        await self._without_result(
            work, provider, submission["submission_route"], work.row["decision"], submission["submission_id"],
            answer,
        )  # fmt: skip

    async def _without_result(
        self, work: Work, provider: Provider, route: Mapping[str, Any], decision: Mapping[str, Any],
        submission_id: UUID, answer: Ended,
    ) -> None:  # fmt: skip
        settle = self._settlement(submission_id, route, answer.usage, provider)
        change = SubmissionChange(
            submission_id, "done", error=answer.error.as_json(), usage=json_units(answer.usage.units),
            cost_nanos=settle.nanos,
        )  # fmt: skip
        if work.row["cancel_requested_at"] is not None:
            await self._lifecycle.canceled(work, submission=change, settle=settle, money=_money(settle))
        elif answer.curable and work.row["prefer"].get("fallbacks", True):
            await self._fall_back(work, route, decision, change, settle, answer.error)
        else:
            await self._lifecycle.failed(
                work, answer.error, submission=change, settle=settle, money=_money(settle)
            )

    # storing

    async def _store(
        self, work: Work, outputs: Sequence[RemoteFile | StoredFile], provider: Provider | None, *,
        unpriced: bool | None = None,
    ) -> None:  # fmt: skip
        """`provider` is whose they are, None where it is gone. `unpriced` is known right after the settlement; a
        store that is done again reads it from the row."""
        row = work.row
        place = Place(row["account_id"], work.id, row["kind"])
        headers_for = no_headers if provider is None else provider.headers_for
        rows: list[OutputRow] = []
        try:
            for n, output in enumerate(outputs):
                rows.append(await self._tools.artifacts.collect(place, n, output, headers_for))
        except Infected as error:
            await self._not_stored(work, error, unpriced)
            await self._tools.store.delete(_keys(rows))
            return
        except ArtifactError as error:
            await self._not_stored(work, error, unpriced)
            return
        try:
            found = await self._tools.moderation.of_outputs(rows)
        except ModerationUnavailable as error:
            await self._not_stored(
                work, ArtifactError(f"Moderation: {error}", transient=True, ours=True), unpriced
            )
            return
        if found is not None and found.blocks:
            await self._block(work, rows, found, unpriced)
            return
        await self._lifecycle.completed(work.lease, rows, unpriced=_is_unpriced(work, unpriced),
                                        found=_patch_of(found))  # fmt: skip

    async def _block(
        self, work: Work, rows: Sequence[OutputRow], found: Verdict, unpriced: bool | None
    ) -> None:
        """What moderation stops is not delivered and not kept; the provider did its work, so its price stands."""
        await self._lifecycle.failed(
            work, found.as_error(), money="unpriced" if _is_unpriced(work, unpriced) else "final",
            found=found.as_patch(),
        )  # fmt: skip
        await self._tools.store.delete(_keys(rows))

    async def _not_stored(self, work: Work, error: ArtifactError, unpriced: bool | None) -> None:
        tries = work.row["polls"] if work.row["state"] == "storing" else 0
        # What was paid for is not given up because our own store is away: that is waited out.
        patient = tries < MAX_STORE_TRIES or (error.ours and work.row["deadline_in_s"] > 0)
        if error.transient and patient:
            log.warning("artifact_put_off", generation=str(work.id), tries=tries, error=str(error))
            await self._lifecycle.store_again(work.lease, tries + 1, backoff_s(tries + 1))
            return
        # The provider did its work and bills it, so its price stands.
        await self._lifecycle.failed(
            work, error.as_error(),
            money="unpriced" if _is_unpriced(work, unpriced) else "final",
        )  # fmt: skip

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
            resolve_in_s=self._window_s(provider) if provider is not None else Provider.find_window_s,
        )  # fmt: skip
        await self._lifecycle.failed(work, error, submission=change, money="reconciling")

    # Small things.

    async def _submitted_to(self, work: Work) -> Provider | None:
        """Whoever made the newest submission, or another with its credential."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # whoever asks has one
        return await self._tools.credentials.to_ask(
            submission["submission_provider"], submission["submission_credential"]
        )

    async def _request(
        self, work: Work, route: Mapping[str, Any], submission_id: UUID | None = None
    ) -> Request:
        row = work.row
        files = {name: await self._input_file(file) for name, file in row["files"].items()}
        submission_id = submission_id or new_id()
        return Request(
            submission_id=submission_id, generation_id=work.id, account_id=row["account_id"],
            kind=row["kind"], model=route["model"], input=row["input"], files=files,
            time_limit_s=max(row["deadline_in_s"], 10.0),
            callback_url=self._callback_url(route, submission_id),
            confirm=partial(self._confirm, work.lease.owner),
        )  # fmt: skip

    def _callback_url(self, route: Mapping[str, Any], submission_id: UUID) -> str | None:
        """None for an account's own key: providers sign by account, and we know but one signature's secret."""
        if key_id_of(route.get("credential", PLATFORM)) is not None:
            return None
        return callback_url(self._tools.settings, route["provider"], submission_id)

    async def _input_file(self, file: Mapping[str, Any]) -> InputFile:
        if "url" in file:
            return InputFile(file["url"])
        url = await self._tools.store.presign_get(file["key"], expires_s=INPUT_URL_S, mime=file["mime"])
        return InputFile(url, file["mime"], file["bytes"])

    def _settlement(
        self, submission_id: UUID, route: Mapping[str, Any], usage: Usage, provider: Provider
    ) -> Settlement:
        nanos = cost_of(route["price"], usage.units, usage.cost_nanos)
        return Settlement(
            submission_id, nanos, provider.name, route["model"], route["price_id"],
            payer=payer_of(provider.credential),
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Running:
    """A step under way. While `paying`, from the intent until the answer is written, it is not cut off."""

    task: asyncio.Task[Any]
    canceled: asyncio.Event = field(default_factory=asyncio.Event)
    paying: bool = False


class _Interrupted(Exception):
    """A call that costs nothing was stopped because a cancel arrived."""


def backoff_s(attempt: int) -> float:
    """Full jitter (AWS Architecture Blog, 2015): 0 to 1, 2, 4 … seconds, 60 at most."""
    return random.uniform(0, min(60.0, 2.0 ** (attempt - 1)))  # noqa: S311  # jitter


def _time_left_s(row: Mapping[str, Any]) -> float:
    """Seconds until the next deadline, which is not slept through."""
    starts_in_s = row["start_deadline_in_s"] if row["started_at"] is None else None
    deadline_in_s: float = row["deadline_in_s"]
    return max(0.0, deadline_in_s if starts_in_s is None else min(deadline_in_s, starts_in_s))


def _on_own_key(provider: Provider, refusal: Refused) -> Refused:
    """In words about the account's own key, and in none of the provider's, which may quote it."""
    text = f"{provider.name} does not accept your own key, or the account behind it has no credit"
    error = replace(refusal.error, message=text)
    return Refused(error, retry_after_s=refusal.retry_after_s, curable=refusal.curable)


def _is_unpriced(work: Work, known: bool | None) -> bool:
    if known is not None:
        return known
    submission = work.submission
    return submission is not None and submission["submission_cost_nanos"] is None


def _patch_of(found: Verdict | None) -> Mapping[str, Any]:
    return {} if found is None else found.as_patch()


def _money(settle: Settlement) -> str:
    return "unpriced" if settle.nanos is None else "final"


def _done(submission_id: UUID, answer: Finished, settle: Settlement) -> SubmissionChange:
    outputs = [
        {"url": output.url, "mime": output.mime, "details": dict(output.details)} if isinstance(output, RemoteFile)
        else {"key": output.key, "mime": output.mime, "bytes": output.bytes, "sha256": output.sha256,
              "text": output.text, "details": dict(output.details), "virus": output.virus, "unseen": output.unseen}
        for output in answer.outputs
    ]  # fmt: skip
    return SubmissionChange(
        submission_id, "done", remote_id=answer.remote_id, result={"outputs": outputs},
        usage=json_units(answer.usage.units), cost_nanos=settle.nanos,
    )  # fmt: skip


def _kept_outputs(work: Work) -> list[RemoteFile | StoredFile]:
    """The outputs as the submission keeps them, for a store that is done again."""
    assert work.submission is not None  # noqa: S101  # a storing generation has one
    return [
        RemoteFile(output["url"], output["mime"], output.get("details", {})) if "url" in output
        else StoredFile(output["key"], output["mime"], output["bytes"], output["sha256"], output["text"],
                        output.get("details", {}), output.get("virus"), output.get("unseen", False))
        for output in work.submission["submission_result"]["outputs"]
    ]  # fmt: skip


def _keys(rows: Sequence[OutputRow]) -> list[str]:
    """Where the files of outputs lie."""
    return [key for row in rows for key in (row.key, row.thumbnail_key, row.poster_key, row.peaks_key) if key]


def _last_error(work: Work, choice: NoRoute) -> JobError:
    """What the last try failed with says more than that nothing is left."""
    submission = work.submission
    if submission is not None and submission["submission_error"]:
        kept = submission["submission_error"]
        if {"code", "message"} <= kept.keys():
            return JobError(kept["code"], kept["message"], kept.get("retryable", False))
    return JobError("NO_PROVIDER", f"No provider could take it ({choice.reason}).", retryable=True)


def _request_hash(request: Request) -> bytes:
    body = {"model": request.model, "input": request.input, "files": sorted(request.files)}
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()
