"""Rate limits of requests: which buckets one takes from, and the headers that say how these stand.

Headers follow draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "key";q=3000;w=60` for what holds, and
`RateLimit: "key";r=2999;t=1` for what is left.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from aiohttp import web
from multidict import CIMultiDict

from gateway.addresses import client_address
from gateway.auth import Principal
from shared.batch import Batcher
from shared.db import Database
from shared.domains import plans
from shared.domains.attempts import network_of
from shared.domains.rate_limits import MONTH_S, Bucket, Level, RateLimiter, refusal
from shared.settings import Settings

PLAN_CACHE_S: Final = 15.0
PLAN_CACHE_SIZE: Final = 10_000

LEVELS = web.RequestKey("rate_levels", Sequence[Level])


@dataclass(slots=True)
class Rates:
    """The limits of one gateway process. `active` false: nothing is limited, and nothing is asked."""

    settings: Settings
    db: Database
    limiter: RateLimiter
    active: bool = field(init=False)
    _plans: dict[UUID, tuple[float, int | None]] = field(default_factory=dict, repr=False)
    _reads: Batcher[UUID, None, int | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.active = self.settings.limits_rates
        self._reads = Batcher(self._read)

    async def check(self, request: web.Request, caller: Principal | None, *, monthly: bool = False) -> None:
        """Takes from the buckets of the request; `monthly` ones count towards their account's month too.

        Raises RateLimited.
        """
        buckets = self._of_address(request)
        if caller is not None:
            buckets += await self._of_caller(caller, monthly=monthly)
        if not buckets:
            return
        request[LEVELS] = levels = await self.limiter.take(buckets)
        error = refusal(levels)
        if error is not None:
            raise error

    def forget(self, account_id: UUID) -> None:
        """The plan was changed here; other processes see it within seconds."""
        self._plans.pop(account_id, None)

    def _of_address(self, request: web.Request) -> list[Bucket]:
        limit = self.settings.rate_limit_per_address
        if not limit:
            return []
        address = client_address(request, self.settings.trusted_proxies)
        return [Bucket("address", network_of(address), limit)]

    async def _of_caller(self, caller: Principal, *, monthly: bool) -> list[Bucket]:
        account, key = str(caller.account_id), caller.key_id
        found = [
            Bucket("account", account, self.settings.rate_limit_per_account),
            Bucket("plan", account, await self._of_plan(caller.account_id) or 0),
        ]
        if key is not None:
            found.append(Bucket("key", key, self.settings.rate_limit_per_key))
        if monthly:
            found.append(Bucket("month", account, self.settings.functions_per_month, MONTH_S))
        return [bucket for bucket in found if bucket.limit]

    async def _of_plan(self, account_id: UUID) -> int | None:
        known = self._plans.get(account_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        return await self._reads(account_id, None)

    async def _read(self, account_id: UUID, callers: list[None]) -> Sequence[int | None]:
        """One look for all requests of the account that came meanwhile."""
        async with self.db.transaction(account_id) as tx:
            limit: int | None = (await plans.row_of(tx, account_id))["requests_per_minute"]
        if len(self._plans) >= PLAN_CACHE_SIZE:
            self._plans.clear()
        self._plans[account_id] = (time.monotonic() + PLAN_CACHE_S, limit)
        return [limit] * len(callers)


def add_rate_headers(headers: CIMultiDict[str], levels: Sequence[Level], *, legacy: bool) -> None:
    """How each bucket stands; `legacy` adds the older headers, for the one with the least left."""
    headers["RateLimit-Policy"] = ", ".join(
        f'"{level.bucket.name}";q={level.bucket.limit};w={level.bucket.window_s}' for level in levels
    )
    headers["RateLimit"] = ", ".join(
        f'"{level.bucket.name}";r={level.left};t={math.ceil(level.full_in_s)}' for level in levels
    )
    if legacy:
        tightest = min(levels, key=lambda level: (level.left, -level.full_in_s))
        headers["X-RateLimit-Limit"] = str(tightest.bucket.limit)
        headers["X-RateLimit-Remaining"] = str(tightest.left)
        headers["X-RateLimit-Reset"] = str(math.ceil(time.time() + tightest.full_in_s))
