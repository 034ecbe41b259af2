"""What the installation stands on: its stores, their settings, and what is wrong with them."""

import asyncio
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from pydantic import Field
from redis.exceptions import RedisError

from gateway.deps import Deps
from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.health import CHECK_TIMEOUT_S, newest_revision, timed_checks
from gateway.routes.ops.desk import PREFIX, TAG
from shared.db import CONNECTION_ERRORS
from shared.domains.accounts import Role, Scope
from shared.domains.ops import queues
from shared.storage import StorageError

PRESSURE = 0.8
"""Redis fuller than this is worth a warning."""
MOST_SKEW_S = 1.0
SAFE_POLICIES = frozenset({"noeviction"})

_POSTGRES = """
SELECT current_setting('server_version') AS version, (SELECT version_num FROM alembic_version) AS migration,
    pg_database_size(current_database()) AS bytes, extract(epoch FROM clock_timestamp())::float8 AS clock,
    (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections,
    current_setting('max_connections')::int AS max_connections
"""


class StorePart(Resource):
    status: Literal["up", "down"]
    reason: str | None
    ms: float


class Alert(Resource):
    code: str
    message: str


class PostgresResource(Resource):
    version: str
    migration: str | None
    wanted_migration: str | None
    bytes: int
    connections: int
    max_connections: int
    clock_skew_s: float


class RedisResource(Resource):
    version: str
    eviction_policy: str | None
    used_bytes: int | None
    max_bytes: int | None
    evicted_keys: int | None


class OriginResource(Resource):
    origin: str
    allowed: bool | None = Field(description="Null when the bucket did not answer.")


class VersionsResource(Resource):
    penstock: str
    python: str
    workers: list[str]


class LinksResource(Resource):
    prices: str
    ledger_verify: str
    metrics: str
    health: str


class SystemResource(Resource):
    checks: dict[str, StorePart]
    warnings: list[Alert]
    postgres: PostgresResource | None
    redis: RedisResource | None
    bucket_cors: list[OriginResource] = Field(
        description="Whether pages of `ALLOWED_ORIGINS` may send files to the bucket themselves, as `POST /uploads` "
        "offers. The studio never does; its files go through the gateway."
    )
    versions: VersionsResource
    environment: str
    auth_mode: str
    executor_processes: int
    links: LinksResource


@operation(
    "GET",
    f"{PREFIX}/system",
    tag=TAG,
    summary="See what it stands on",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(Answer(200, "The stores, and what is wrong with them", SystemResource),),
)
async def get_system(request: Request[None, None]) -> Reply:
    """Postgres, Redis, the object store, the virus scanner where one is set, clocks and versions. `warnings` says what
    to do something about. Prices and the ledger's check have places of their own, in `links`.
    """
    deps = request.deps
    checks, postgres, redis, cors = await asyncio.gather(
        timed_checks(deps), _postgres(deps), _redis(deps), _bucket_cors(deps)
    )
    alone = [row for row in await deps.board.queues(request.account_id) if queues.nobody_works(row)]
    workers = sorted({row["version"] for row in await deps.db.fetch("SELECT version FROM workers")})
    return reply(
        {
            "checks": checks,
            "warnings": [
                *_down(checks),
                *_about_queues(alone),
                *_about_postgres(postgres),
                *_about_redis(redis),
            ],
            "postgres": postgres,
            "redis": redis,
            "bucket_cors": cors,
            "versions": {"penstock": _version(), "python": platform.python_version(), "workers": workers},
            "environment": deps.settings.environment.value,
            "auth_mode": deps.settings.auth_mode.value,
            "executor_processes": deps.settings.executor_processes,
            "links": {
                "prices": "/api/v1/prices",
                "ledger_verify": "/api/v1/ledger/verify",
                "metrics": "/metrics",
                "health": "/healthz",
            },
        }
    )


async def _postgres(deps: Deps) -> dict[str, Any] | None:
    """The skew is between its clock and ours, give or take half the time that it took to ask."""
    try:
        asked = time.time()
        row = await deps.db.fetchrow(_POSTGRES)
        answered = time.time()
    except CONNECTION_ERRORS:
        return None
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    wanted = newest_revision()
    skew_s = row["clock"] - (asked + answered) / 2
    return {
        "version": row["version"],
        "migration": row["migration"],
        "wanted_migration": wanted,
        "bytes": row["bytes"],
        "connections": row["connections"],
        "max_connections": row["max_connections"],
        "clock_skew_s": round(skew_s, 3),
    }


async def _redis(deps: Deps) -> dict[str, Any] | None:
    """Hosted servers may not tell their settings; what they do not tell is null."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            server, memory, stats = [await deps.redis.info(part) for part in ("server", "memory", "stats")]
    except (RedisError, OSError, TimeoutError):
        return None
    return {
        "version": str(server.get("valkey_version") or server.get("redis_version")),
        "eviction_policy": memory.get("maxmemory_policy"),
        "used_bytes": memory.get("used_memory"),
        "max_bytes": memory.get("maxmemory") or None,
        "evicted_keys": stats.get("evicted_keys"),
    }


async def _bucket_cors(deps: Deps) -> list[dict[str, Any]]:
    async def allowed(origin: str) -> bool | None:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return await deps.store.lets_in(origin)
        except (StorageError, TimeoutError):
            return None

    origins = deps.settings.allowed_origins
    answers = await asyncio.gather(*(allowed(origin) for origin in origins))
    return [{"origin": origin, "allowed": one} for origin, one in zip(origins, answers, strict=True)]


def _down(checks: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"code": "part_down", "message": f"{name} is down: {part['reason']}."}
        for name, part in checks.items()
        if part["status"] == "down"
    ]


def _about_queues(alone: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {"code": "no_worker", "message": f"What queues for {row['kind']} waits: no worker takes it."}
        for row in alone
    ]


def _about_postgres(found: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if found is None:
        return []
    warnings = []
    if abs(found["clock_skew_s"]) > MOST_SKEW_S:
        skew = f"This gateway's clock and Postgres' are {abs(found['clock_skew_s']):.1f} s apart."
        warnings.append({"code": "clock_skew", "message": skew})
    if found["connections"] > PRESSURE * found["max_connections"]:
        full = f"{found['connections']} of Postgres' {found['max_connections']} connections are in use."
        warnings.append({"code": "connections", "message": full})
    return warnings


def _about_redis(found: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Evicted bells ring again, so nothing is lost, but late; evicted counters let too much through."""
    if found is None:
        return []
    warnings = []
    policy, most = found["eviction_policy"], found["max_bytes"]
    if policy is not None and policy not in SAFE_POLICIES and most:
        may = f"Redis may evict keys (maxmemory-policy {policy}): set it to noeviction."
        warnings.append({"code": "redis_may_evict", "message": may})
    if found["evicted_keys"]:
        did = f"Redis has evicted {found['evicted_keys']} keys since it started."
        warnings.append({"code": "redis_evicted", "message": did})
    if most and found["used_bytes"] > PRESSURE * most:
        full = f"Redis uses {found['used_bytes'] / most:.0%} of its memory."
        warnings.append({"code": "redis_full", "message": full})
    return warnings


def _version() -> str:
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "0"


operations = (get_system,)
