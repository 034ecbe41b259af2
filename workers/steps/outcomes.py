"""What a provider's word about a submission leads to: the store, another try, another route, or the end."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from shared.domains.changes import Settlement, SubmissionChange, json_units
from shared.domains.generations import Work
from shared.domains.provider_keys import key_id_of, payer_of
from shared.errors import JobError
from shared.pricing import cost_of
from workers.providers.base import Ended, Finished, Provider, Refused, RemoteFile, Usage
from workers.steps import backoff
from workers.steps.storing import Storing
from workers.steps.tools import Tools

MAX_ATTEMPTS = 5


class Outcomes:
    """Writes down what became of submissions."""

    def __init__(self, tools: Tools, storing: Storing) -> None:
        self._tools = tools
        self._lifecycle = tools.lifecycle
        self._storing = storing

    async def finished(self, work: Work, provider: Provider, answer: Finished) -> None:
        """waiting → storing → completed."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a waiting generation has one
        submission_id, route = submission["submission_id"], submission["submission_route"]
        settle = settlement_of(submission_id, route, answer.usage, provider)
        await self._lifecycle.storing(work.lease, done(submission_id, answer, settle), settle)
        await self._storing.store(work, answer.outputs, provider, unpriced=settle.nanos is None)

    async def ended(self, work: Work, provider: Provider, answer: Ended) -> None:
        """waiting → queued on another route, or failed. What the provider bills for it is settled."""
        submission = work.submission
        assert submission is not None  # noqa: S101  # a waiting generation has one
        await self.without_result(
            work, provider, submission["submission_route"], work.row["decision"], submission["submission_id"],
            answer,
        )  # fmt: skip

    async def without_result(
        self, work: Work, provider: Provider, route: Mapping[str, Any], decision: Mapping[str, Any],
        submission_id: UUID, answer: Ended,
    ) -> None:  # fmt: skip
        """The provider ended it without a result: another route, or the end. What it bills is settled."""
        settle = settlement_of(submission_id, route, answer.usage, provider)
        change = SubmissionChange(
            submission_id, "done", error=answer.error.as_json(), usage=json_units(answer.usage.units),
            cost_nanos=settle.nanos,
        )  # fmt: skip
        if work.row["cancel_requested_at"] is not None:
            await self._lifecycle.canceled(work, submission=change, settle=settle, money=money_of(settle))
        elif answer.curable and work.row["prefer"].get("fallbacks", True):
            await self.fall_back(work, route, decision, change, settle, answer.error)
        else:
            await self._lifecycle.failed(
                work, answer.error, submission=change, settle=settle, money=money_of(settle)
            )

    async def refused(
        self, work: Work, provider: Provider, route: Mapping[str, Any], decision: Mapping[str, Any],
        submission_id: UUID, refusal: Refused,
    ) -> None:  # fmt: skip
        """The provider did not take it, and bills nothing: a rest, another try, another route, or the end."""
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
            await self.try_again(work, decision, change, refusal.error)
        elif refusal.curable:
            await self.fall_back(work, route, decision, change, None, refusal.error)
        else:
            await self._lifecycle.failed(work, refusal.error, submission=change)

    async def try_again(
        self, work: Work, decision: Mapping[str, Any], change: SubmissionChange, error: JobError
    ) -> None:
        """Back to the queue with a growing delay; after five attempts the next route is taken."""
        attempts = work.row["attempts"] + 1
        if attempts % MAX_ATTEMPTS == 0:
            card = decision["card"]
            tried = {**decision, "tried": [*decision.get("tried", ()), card]}
            await self._lifecycle.retrying(work, error, delay_s=0.0, decision=tried, submission=change)
            return
        await self._lifecycle.retrying(work, error, delay_s=backoff.delay_s(attempts), submission=change)

    async def fall_back(
        self, work: Work, route: Mapping[str, Any], decision: Mapping[str, Any], change: SubmissionChange,
        settle: Settlement | None, error: JobError,
    ) -> None:  # fmt: skip
        """To the next route, if there is one; otherwise the error is final."""
        tried = [*decision.get("tried", ()), route["card"]]
        left = [other for other in work.row["routes"] if other["card"] not in tried]
        if not left:
            money = "final" if settle is None else money_of(settle)
            await self._lifecycle.failed(work, error, submission=change, settle=settle, money=money)
            return
        await self._lifecycle.retrying(work, error, delay_s=0.0, decision={**decision, "tried": tried},
                                       submission=change, settle=settle)  # fmt: skip


def settlement_of(
    submission_id: UUID, route: Mapping[str, Any], usage: Usage, provider: Provider
) -> Settlement:
    """The bill of a submission, by the route's price at admission."""
    nanos = cost_of(route["price"], usage.units, usage.cost_nanos)
    return Settlement(
        submission_id, nanos, provider.name, route["model"], route["price_id"],
        payer=payer_of(provider.credential),
    )  # fmt: skip


def money_of(settle: Settlement) -> str:
    """What the generation's end does with its reserve."""
    return "unpriced" if settle.nanos is None else "final"


def done(submission_id: UUID, answer: Finished, settle: Settlement) -> SubmissionChange:
    """The submission with its result, which a store that is done again reads."""
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


def _on_own_key(provider: Provider, refusal: Refused) -> Refused:
    """In words about the account's own key, and in none of the provider's, which may quote it."""
    text = f"{provider.name} does not accept your own key, or the account behind it has no credit"
    error = replace(refusal.error, message=text)
    return Refused(error, retry_after_s=refusal.retry_after_s, curable=refusal.curable)
