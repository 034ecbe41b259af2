"""Outgoing webhooks: sends what `webhook_deliveries` says is due, as Standard Webhooks 1.0.0.

Every attempt opens a connection of its own, so that where its URL leads is looked up and judged each time: a name
may lead to a public address today and to a private one tomorrow. Redirects are not followed. A message whose
sender died is due again after half a minute, under the same `webhook-id`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import aiohttp
import orjson
from standardwebhooks import Webhook

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import deliveries, webhooks
from shared.domains.deliveries import Message, Settlement
from shared.log import get_logger
from shared.netguard import PrivateAddress, public_connector
from shared.settings import Settings
from workers.metrics import WorkerMetrics

log = get_logger(__name__)

MINUTE_S, HOUR_S = 60.0, 3600.0
SCHEDULE_S: Final = (
    5.0, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S
)  # fmt: skip
"""How long after each attempt that failed the next one is due; the first one is made at once."""
SOFT_SCHEDULE_S: Final = (30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S)
"""The same after a 404, which is more likely a URL that is wrong than a receiver that is down."""
JITTER: Final = 0.1
TIMEOUT_S: Final = 15.0
HOLD_S: Final = 2 * TIMEOUT_S
AT_ONCE: Final = 32
PER_ACCOUNT: Final = 8
SNIPPET_BYTES: Final = 1024
TICK_S: Final = 0.5
GAP_S: Final = 0.02
"""The least time between two claims, in which several attempts may end."""
DRAIN_S: Final = 5.0
NOT_FOUND, GONE = 404, 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; `status` is None when it said nothing, and `error` says why."""

    status: int | None = None
    snippet: str | None = None
    error: str | None = None


class Unsigned(Exception):
    """The message cannot be signed."""


class Deliveries:
    """The queue of one process. Any number of processes may serve it."""

    def __init__(self, db: Database, settings: Settings, metrics: WorkerMetrics) -> None:
        self._db = db
        self._server_key = settings.secret_key.get_secret_value()
        self._allow_private = settings.allow_private_urls
        self._metrics = metrics
        self._running: dict[asyncio.Task[None], UUID] = {}
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled; then what is under way has a moment to end."""
        try:
            async with self._open() as http:
                try:
                    while True:
                        await self._turn(http)
                finally:
                    await self._drain()
        finally:
            for task in self._running:
                task.cancel()

    async def send_due(self) -> int:
        """Sends what is due now, as far as there is room, and waits for the answers; returns how many."""
        async with self._open() as http:
            count = await self._start(http)
            await asyncio.gather(*self._running)
        return count

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=public_connector(
                allow_private=self._allow_private, force_close=True, limit=AT_ONCE, use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "Penstock-Webhooks"},
        )

    async def _turn(self, http: aiohttp.ClientSession) -> None:
        self._ended.clear()
        try:
            await self._start(http)
        except CONNECTION_ERRORS as error:
            log.warning("deliveries_put_off", error=type(error).__name__)
        except Exception:
            log.exception("deliveries_failed")
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK_S):
                await self._ended.wait()
        await asyncio.sleep(GAP_S)

    async def _start(self, http: aiohttp.ClientSession) -> int:
        """Claims what there is room for, and begins to send it."""
        room = AT_ONCE - len(self._running)
        if room <= 0:
            return 0
        shares = Counter(self._running.values())
        busy = [account_id for account_id, count in shares.items() if count >= PER_ACCOUNT]
        messages = await deliveries.claim(
            self._db, limit=room, per_account=PER_ACCOUNT, busy=busy, hold_s=HOLD_S
        )
        for message in messages:
            task = asyncio.create_task(self._deliver(http, message))
            self._running[task] = message.account_id
            task.add_done_callback(self._done)
        return len(messages)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._ended.set()

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(list(self._running), timeout=DRAIN_S)

    async def _deliver(self, http: aiohttp.ClientSession, message: Message) -> None:
        """One attempt. What cannot be written down is due again when the claim has run out."""
        try:
            settlement = await self._attempt(http, message)
            await self._settle(message, settlement)
        except CONNECTION_ERRORS as error:
            log.warning("delivery_not_settled", delivery=str(message.id), error=type(error).__name__)
        except Exception:
            log.exception("delivery_failed", delivery=str(message.id))

    async def _attempt(self, http: aiohttp.ClientSession, message: Message) -> Settlement:
        if message.url is None:
            return Settlement("abandoned", tried=False, error="The endpoint is disabled or deleted.")
        try:
            body = body_of(message)
            headers = sign(message.id, body, await self._secrets(message))
        except Unsigned as error:
            return verdict(message.tries, Answer(error=str(error)))
        return verdict(message.tries, await _post(http, message.url, body, headers))

    async def _secrets(self, message: Message) -> list[str]:
        """Raises Unsigned."""
        texts = [
            webhooks.open_secret(self._server_key, secret_id, sealed)
            for secret_id, sealed in message.sealed.items()
        ]
        known = [text for text in texts if text is not None]
        if known:
            return known
        if texts or message.endpoint_id is not None:
            raise Unsigned("The signing secret was kept under another SECRET_KEY; rotate it.")
        async with self._db.transaction() as tx:
            return [(await webhooks.own_secret(tx, message.account_id, self._server_key)).secret]

    async def _settle(self, message: Message, settlement: Settlement) -> None:
        async with self._db.transaction() as tx:
            mine = await deliveries.settle(tx, message, settlement)
            if mine and settlement.status == GONE and message.endpoint_id is not None:
                await webhooks.disable(tx, message.endpoint_id, "It answered 410 Gone.")
        if not mine:
            return
        outcome = "retried" if settlement.state == "pending" else settlement.state
        self._metrics.webhook_deliveries[outcome,].inc()
        if settlement.state in ("failed", "abandoned"):
            log.info(
                "webhook_given_up", delivery=str(message.id), state=settlement.state, status=settlement.status
            )


def body_of(message: Message) -> bytes:
    """What is sent: the same bytes at every attempt."""
    body = {"type": message.type, "timestamp": message.created_at, "data": message.data}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def sign(message_id: UUID, body: bytes, secrets: list[str]) -> Mapping[str, str]:
    """The headers of one attempt, signed with each secret."""
    now = datetime.now(UTC)
    signatures = (Webhook(secret).sign(str(message_id), now, body.decode()) for secret in secrets)
    return {
        "Content-Type": "application/json",
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def verdict(tries: int, answer: Answer) -> Settlement:
    """What follows from an answer, when `tries` were made before on this schedule."""
    schedule = SOFT_SCHEDULE_S if answer.status == NOT_FOUND else SCHEDULE_S
    delay_s = 0.0
    if answer.status is not None and 200 <= answer.status < 300:
        state = "delivered"
    elif answer.status == GONE:
        state = "abandoned"
    elif tries < len(schedule):
        state, delay_s = "pending", schedule[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
    else:
        state = "failed"
    return Settlement(state, delay_s, status=answer.status, response=answer.snippet, error=answer.error)


async def _post(http: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        async with http.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, _text(await answer.content.read(SNIPPET_BYTES)))
    except TimeoutError:
        return Answer(error=f"No answer within {TIMEOUT_S:.0f} seconds.")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(error=_reason(error))


def _text(content: bytes) -> str:
    """Postgres keeps no NUL."""
    return content.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _reason(error: Exception) -> str:
    """Why there was no answer, for people; without the URL, which may hold a secret."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, PrivateAddress):
        return "The URL leads to a private address."
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "The receiver's certificate is not good."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "The receiver's name is not known."
    if isinstance(error, aiohttp.ClientConnectorError):
        return "The receiver cannot be reached."
    if isinstance(error, aiohttp.ClientConnectionError):
        return "The connection broke."
    return f"There was no usable answer ({type(error).__name__})."
