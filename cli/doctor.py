"""`penstock doctor`: is everything in order, and if not, what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from cli.client import Client
from cli.errors import CommandError, Refused
from cli.machine import Check, machine_checks
from cli.options import Connection, takes
from cli.session import Session, run

PROBES = ("/livez", "/readyz", "/healthz")
LARGEST_SKEW_S = 30
EVICTION = ("redis_may_evict", "redis_evicted")


class NotHealthy(CommandError):
    """A check failed; the table says which."""

    code = "NOT_HEALTHY"


@takes(Connection)
def doctor_command(connection: Connection) -> None:
    """Check the gateway, the key and this machine."""
    run(connection, _doctor)


async def _doctor(session: Session) -> None:
    checks = [*await gateway_checks(session.client), *machine_checks()]
    if session.out.as_json:
        session.out.json([asdict(check) for check in checks])
    else:
        rows = [("ok" if check.ok else "FAIL", check.name, check.detail) for check in checks]
        session.out.table(("", "check", "detail"), rows)
    bad = [check for check in checks if not check.ok]
    if bad:
        advice = dict.fromkeys(check.advice for check in bad if check.advice)
        raise NotHealthy(f"Not in order: {', '.join(check.name for check in bad)}.", "\n".join(advice))


async def gateway_checks(client: Client) -> list[Check]:
    """Whether it answers, is healthy, keeps the same time, and takes the key."""
    try:
        answers = {path: await client.probe(path) for path in PROBES}
    except CommandError as error:
        return [Check("gateway", False, error.message, error.hint)]
    probes = [_probe_check(path, response) for path, response in answers.items()]
    return [*probes, *_clock(answers[PROBES[0]]), *await _behind_the_key(client)]


def _probe_check(path: str, response: httpx.Response) -> Check:
    advice = "The logs of `penstock up` are in .penstock/logs."
    return Check(f"gateway {path}", response.is_success, _health_words(response), advice)


def _health_words(response: httpx.Response) -> str:
    """The status, and the parts that are not well."""
    status = f"{response.status_code} {response.reason_phrase}"
    parts = _parts(response)
    failing = [f"{name}: {_state(value)}" for name, value in parts.items() if _state(value) != "ok"]
    if failing:
        return f"{status}; {', '.join(failing)}"
    return f"{status}; {', '.join(parts)} ok" if parts else status


def _parts(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    checks = body.get("checks") if isinstance(body, dict) else None
    return checks if isinstance(checks, dict) else {}


def _state(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    state = value.get("status")
    return "ok" if state == "up" else f"{state}, {value.get('reason') or 'no reason given'}"


def _clock(response: httpx.Response) -> Iterator[Check]:
    """Compared by the Date header, which is exact to a second."""
    if "Date" in response.headers:
        skew_s = abs((parsedate_to_datetime(response.headers["Date"]) - datetime.now(UTC)).total_seconds())
        detail = f"{skew_s:.0f} s apart from the gateway's"
        yield Check("clock", skew_s <= LARGEST_SKEW_S, detail, "Synchronise this machine's clock.")


async def _behind_the_key(client: Client) -> list[Check]:
    key = await _key(client)
    if not key.ok:
        return [key]
    try:
        return [key, *_system_checks(await client.get("/ops/system"))]
    except Refused as error:
        return [key, Check("Redis, bucket", True, f"not looked at: {error.message}")]
    except CommandError as error:
        return [key, Check("Redis, bucket", False, "could not be looked at", error.hint)]


def _system_checks(system: Mapping[str, Any]) -> Iterator[Check]:
    """What else the gateway knows to be wrong, after the two that have a line of their own."""
    warnings = {one["code"]: one["message"] for one in system["warnings"] if one["code"] != "part_down"}
    evicting = [warnings.pop(code) for code in EVICTION if code in warnings]
    if system["redis"] is not None:
        policy = system["redis"]["eviction_policy"] or "not told by the server"
        limit = "" if system["redis"]["max_bytes"] else ", no limit of memory"
        detail = " ".join(evicting) or f"{policy}{limit}"
        yield Check("Redis eviction", not evicting, detail, "Set Redis' maxmemory-policy to noeviction.")
    yield _cors(system["bucket_cors"])
    yield from (Check(code.replace("_", " "), False, message) for code, message in warnings.items())


def _cors(origins: Sequence[Mapping[str, Any]]) -> Check:
    """Of pages elsewhere that send files to the bucket themselves; the studio sends them through the gateway."""
    name = "bucket CORS"
    if not origins:
        return Check(name, True, "not needed: no other pages are let in")
    if any(one["allowed"] is None for one in origins):
        return Check(name, False, "the bucket did not answer")
    shut = [one["origin"] for one in origins if not one["allowed"]]
    advice = (
        "Allow PUT with the header Content-Type in the bucket's CORS rules, if pages there use POST /uploads."
    )
    detail = (
        f"pages at {', '.join(shut)} may not send files to it" if shut else "pages elsewhere may send files"
    )
    return Check(name, not shut, detail, advice)


async def _key(client: Client) -> Check:
    if not client.target.key:
        advice = "Give a key with --key or PENSTOCK_API_KEY; `penstock up` writes one to .penstock/key."
        return Check("API key", False, "there is none", advice)
    try:
        await client.get("/generations", limit=1)
    except Refused as error:
        return Check("API key", False, error.message, error.hint)
    except CommandError as error:
        return Check("API key", False, "could not be checked", error.hint)
    return Check("API key", True, f"{client.target.key[:16]}… is accepted")
