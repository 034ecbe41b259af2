"""Is it alive, is it ready, and how is it doing."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Literal

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.deps import Deps
from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.log import get_logger

log = get_logger(__name__)

TAG = "Health"
CHECK_TIMEOUT_S = 2.0
NOT_KEPT = {"Cache-Control": "no-store"}

type Check = Callable[[Deps], Awaitable[None]]


class Live(Resource):
    status: Literal["ok"]


class Part(Resource):
    status: Literal["up", "down"]
    reason: str | None
    ms: float


class Ready(Resource):
    ready: bool
    degraded: bool
    checks: dict[str, Part]


@operation("GET", "/livez", tag=TAG, summary="Alive?", scope=None, answers=(Answer(200, "Yes", Live),))
async def livez(request: Request[None, None]) -> Reply:
    """The process serves requests. Asks nobody else, so that a lost store restarts no gateway."""
    return reply({"status": "ok"}, headers=NOT_KEPT)


@operation(
    "GET",
    "/readyz",
    tag=TAG,
    summary="Ready for requests?",
    scope=None,
    answers=(Answer(200, "Yes", Ready), Answer(503, "No; `checks` says what fails", Ready)),
)
async def readyz(request: Request[None, None]) -> Reply:
    """Postgres, its migrations and the object store must answer within two seconds. Redis need not: without it
    the service is slower but loses nothing, so it is `degraded` and still ready; and so it is without the virus scanner
    where one is set, for only uploads need that.
    """
    report = await _examine(request.deps)
    return reply(report, 200 if report["ready"] else 503, NOT_KEPT)


@operation(
    "GET",
    "/healthz",
    tag=TAG,
    summary="How is it doing?",
    scope=None,
    answers=(Answer(200, "A summary", Ready),),
)
async def healthz(request: Request[None, None]) -> Reply:
    """What `/readyz` finds, for people and dashboards: always 200."""
    return reply(await _examine(request.deps), headers=NOT_KEPT)


@operation(
    "GET",
    "/metrics",
    tag=TAG,
    summary="Metrics for Prometheus",
    scope=None,
    answers=(Answer(200, "Metrics", media="text/plain"),),
)
async def metrics(request: Request[None, None]) -> Reply:
    """Labels are bounded: no account, key or id is among them. What is read from the record is a few seconds old
    at most.
    """
    await request.deps.metrics.service.refresh()
    return Reply(generate_latest(request.deps.registry), content_type=CONTENT_TYPE_LATEST)


async def _examine(deps: Deps) -> dict[str, Any]:
    checks = await timed_checks(deps)
    down = {name for name, part in checks.items() if part["status"] == "down"}
    return {"ready": not down - {"redis", "virus_scanner"}, "degraded": bool(down), "checks": checks}


async def timed_checks(deps: Deps) -> dict[str, dict[str, Any]]:
    """Every part, whether it is up, and how long it took to tell."""
    scans = deps.intake.guard.scanner is not None
    wanted = _CHECKS | ({"virus_scanner": _virus_scanner} if scans else {})
    parts = await asyncio.gather(*(_timed(check, deps) for check in wanted.values()))
    return dict(zip(wanted, parts, strict=True))


async def _timed(check: Check, deps: Deps) -> dict[str, Any]:
    """Reasons are short words: details, which may name hosts, go to the log."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    reason = None
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check(deps)
    except TimeoutError:
        reason = f"no answer within {CHECK_TIMEOUT_S:g} s"
    except OutOfDate as error:
        reason = str(error)
    except Exception as error:
        log.warning("health_check_failed", check=check.__name__, error=repr(error))
        reason = "cannot be reached"
    ms = round((loop.time() - started) * 1000, 1)
    return {"status": "down" if reason else "up", "reason": reason, "ms": ms}


class OutOfDate(Exception):
    """The database's schema is not the one that this code was written for."""


async def _postgres(deps: Deps) -> None:
    await deps.db.fetchval("SELECT 1")


async def _migrations(deps: Deps) -> None:
    found = await deps.db.fetchval("SELECT version_num FROM alembic_version")
    wanted = newest_revision()
    if found != wanted:
        raise OutOfDate(f"the schema is at {found}, this version needs {wanted}")


def newest_revision() -> str:
    """The revision that this code's own migrations lead to. Their files are named in order; the tool that runs them
    would take 10 MB of every gateway to say the same."""
    newest = max(file.name for file in files("migrations.versions").iterdir() if file.name[:4].isdigit())
    return newest[:4]


async def _redis(deps: Deps) -> None:
    await deps.redis.ping()


async def _object_store(deps: Deps) -> None:
    await deps.store.ping()


async def _virus_scanner(deps: Deps) -> None:
    scanner = deps.intake.guard.scanner
    if scanner is not None:
        await scanner.ping()


_CHECKS: dict[str, Check] = {
    "postgres": _postgres,
    "migrations": _migrations,
    "redis": _redis,
    "object_store": _object_store,
}

operations = (livez, readyz, healthz, metrics)
