"""Aftercare: submissions that outlived their generation are watched until the provider's final word.

A canceled, failed or timed-out generation may still cost money. Its submission stays open, is canceled at the
provider if it runs, and is settled by what it truly cost; only then is the reserve given back.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database
from shared.domains.changes import Settlement, SubmissionChange, json_units
from shared.domains.open_submissions import (
    check_again,
    claim_open_submissions,
    found_at_provider,
    neighbours,
    settle_open,
)
from shared.domains.provider_keys import key_id_of, payer_of
from shared.events import Publisher
from shared.log import get_logger
from shared.pricing import cost_of
from workers.credentials import Credentials
from workers.metrics import WorkerMetrics
from workers.providers.base import (
    Absent,
    Answer,
    Ended,
    Finished,
    Found,
    Gone,
    Job,
    Lost,
    Pending,
    Provider,
    Request,
    Usage,
)

log = get_logger(__name__)

BATCH = 100
LOOK_AGAIN_S = 1.0
LATE_LOOK_S = 10.0
ASK_TIMEOUT_S = 15.0
OWN_KEY_PATIENCE_S = 24 * 3600.0
HOLD_S = 20.0
"""Longer than asking takes: nobody else asks meanwhile."""


class Aftercare:
    def __init__(
        self, db: Database, publisher: Publisher, credentials: Credentials, metrics: WorkerMetrics
    ) -> None:
        self._db = db
        self._publisher = publisher
        self._credentials = credentials
        self._metrics = metrics

    async def tick(self) -> int:
        """One look at what is due; returns how many that were."""
        rows = await claim_open_submissions(self._db, BATCH, HOLD_S)
        await asyncio.gather(*(self._attend(row) for row in rows))
        return len(rows)

    async def _attend(self, row: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await self._look(row)
        except CONNECTION_ERRORS as error:
            log.warning("open_submission_put_off", submission=str(row["id"]), error=repr(error))
        except Exception:
            # It stays open and is looked at again when its claim runs out.
            log.exception("open_submission_failed", submission=str(row["id"]))

    async def _look(self, row: Mapping[str, Any]) -> None:
        provider = await self._credentials.to_ask(row["provider"], row["credential"])
        if provider is None:
            await self._ask_later(row)
        elif row["remote_id"] is None:
            await self._search(provider, row)
        else:
            await self._ask(provider, row)

    async def _ask(self, provider: Provider, row: Mapping[str, Any]) -> None:
        job = _job(row)
        answers = await self._metrics.asked(provider.name, "poll", provider.poll([job]))
        answer = answers.get(row["id"], TimeoutError())
        if isinstance(answer, Pending):
            if not row["result"]:
                await self._metrics.asked(provider.name, "cancel", provider.cancel(job))
            await check_again(self._db, row["id"], _next_look_s(row))
        elif isinstance(answer, Exception):
            log.warning("open_submission_unanswered", submission=str(row["id"]), error=repr(answer))
            await self._ask_later(row)
        else:
            await self._close(row, answer)

    async def _ask_later(self, row: Mapping[str, Any]) -> None:
        """An account may have ended its own key meanwhile: then nobody can ask any more, and it is given up."""
        if key_id_of(row["credential"]) is not None and row["age_s"] > OWN_KEY_PATIENCE_S:
            await self._settle(row, "possibly_billed", Usage())
        else:
            await check_again(self._db, row["id"], LATE_LOOK_S)

    async def _search(self, provider: Provider, row: Mapping[str, Any]) -> None:
        around = await neighbours(self._db, row["id"])
        lost = Lost(_request(row), row["intent_at"], *around)
        answer = await self._metrics.asked(provider.name, "find", provider.find(lost))
        if isinstance(answer, Found):
            await found_at_provider(self._db, row["id"], answer.remote_id)
        elif isinstance(answer, Absent):
            if row["resolve_in_s"] is not None and row["resolve_in_s"] <= 0:
                await self._settle(row, "lost", Usage())
            else:
                await check_again(self._db, row["id"], LOOK_AGAIN_S)
        elif provider.interruptible:
            await self._settle(row, "lost", Usage())
        else:
            await self._settle(row, "possibly_billed", Usage())

    async def _close(self, row: Mapping[str, Any], answer: Answer) -> None:
        if isinstance(answer, Gone):
            await self._settle(row, "possibly_billed", Usage())
        elif isinstance(answer, Finished | Ended):
            await self._settle(row, "done", answer.usage)

    async def _settle(self, row: Mapping[str, Any], state: str, usage: Usage) -> None:
        route = row["route"]
        nanos = cost_of(route["price"], usage.units, usage.cost_nanos)
        change = SubmissionChange(row["id"], state, usage=json_units(usage.units), cost_nanos=nanos)
        settle = Settlement(
            row["id"], nanos, row["provider"], row["model"], route["price_id"],
            payer=payer_of(row["credential"]),
        )  # fmt: skip
        if await settle_open(self._db, self._publisher, row["generation_id"], change, settle):
            if nanos is not None:
                self._metrics.paid(provider=row["provider"], kind=row["kind"], nanos=nanos)
            log.info("open_submission_settled", submission=str(row["id"]), state=state, nanos=nanos)


def _next_look_s(row: Mapping[str, Any]) -> float:
    return LOOK_AGAIN_S if row["age_s"] < 120 else LATE_LOOK_S


def _job(row: Mapping[str, Any]) -> Job:
    return Job(row["id"], row["remote_id"], row["kind"], row["model"], row["input"])


def _request(row: Mapping[str, Any]) -> Request:
    submission_id: UUID = row["id"]
    return Request(
        submission_id,
        row["generation_id"],
        row["account_id"],
        row["kind"],
        row["model"],
        row["input"],
        {},
        60.0,
    )
