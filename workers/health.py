"""How well a credential of a provider does, told by what its calls come to.

     unknown ──► healthy ◄──► degraded ──► down ──(cool-down)──► one probe ──► healthy, or down for twice as long

Rules only: `workers.monitor` gathers the calls and keeps the state in Postgres, for the whole fleet.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.errors import JobError
from workers.providers.base import Ended, Finished, Gone, HeldBack, NotSent, Refused

LEARNING_RATE = 0.2
MOST_WEIGHT = 3
"""What one process saw between two reports weighs as this many calls at most: a hiccup is no outage."""
DEGRADED_AT, HEALTHY_BELOW, DOWN_AT = 0.3, 0.15, 0.6
MOST_DOUBLED = 64
"""A cool-down grows up to this many times the first one."""

_FAULTS = frozenset({"PROVIDER_FAILED", "PROVIDER_TIMEOUT", "PROVIDER_AUTH"})
_REQUESTS = ("submit", "poll")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer says of its provider: well, or at fault. What says nothing has no verdict.

    `refused` says that it does not take the key: that will not pass by itself.
    """

    error: str | None = None
    refused: bool = False


WELL = Verdict()


@dataclass(slots=True)
class Tally:
    """What calls of one sort came to: `submit` and `poll` are requests, `run` is work that ended there."""

    calls: int = 0
    failures: int = 0
    well_s: float = 0.0
    """Seconds spent on calls that went well."""
    error: str | None = None
    refused: bool = False

    def add(self, verdict: Verdict, seconds: float = 0.0) -> None:
        self.calls += 1
        if verdict.error is None:
            self.well_s += seconds
        else:
            self.failures += 1
            self.error = verdict.error
            self.refused |= verdict.refused


@dataclass(frozen=True, slots=True)
class Health:
    """`rates` are shares of failures by sort of call, exponentially weighted; `cooldown_s` is 0 unless down."""

    status: str = "unknown"
    rates: Mapping[str, float] = field(default_factory=dict)
    response_ms: float | None = None
    cooldown_s: float = 0.0

    @property
    def error_rate(self) -> float:
        return max(self.rates.values(), default=0.0)


def observed(before: Health, tallies: Mapping[str, Tally], first_cooldown_s: float) -> Health:
    """The health after these calls.

    Degraded from 30 % failures on, healthy again below 15 %, down from 60 %: five failures one after the other, or
    one refusal of the key.
    Work that fails at the provider can degrade it and no more, for one broken model is no outage. While it is
    down, late answers of earlier calls change nothing: a probe decides.
    """
    response_ms = _response_ms(before.response_ms, tallies.get("submit"))
    if before.status == "down":
        return replace(before, response_ms=response_ms)
    rates = dict(before.rates)
    for sort, tally in tallies.items():
        rate = rates.get(sort, 0.0)
        rates[sort] = rate + _weight(tally.calls) * (tally.failures / tally.calls - rate)
    after = replace(before, rates=rates, response_ms=response_ms)
    refused = any(tally.refused for tally in tallies.values())
    if refused or max(rates.get(sort, 0.0) for sort in _REQUESTS) >= DOWN_AT:
        return replace(after, status="down", cooldown_s=first_cooldown_s)
    threshold = HEALTHY_BELOW if before.status == "degraded" else DEGRADED_AT
    return replace(after, status="degraded" if after.error_rate >= threshold else "healthy")


def probed(before: Health, verdict: Verdict, first_cooldown_s: float) -> Health:
    """The health after a probe of a provider that was down: well, or down for twice as long as before."""
    if verdict.error is None:
        return Health("healthy", {}, before.response_ms)
    longer_s = max(2 * before.cooldown_s, first_cooldown_s)
    return replace(before, cooldown_s=min(longer_s, MOST_DOUBLED * first_cooldown_s))


def _response_ms(known_ms: float | None, submits: Tally | None) -> float | None:
    if submits is None or submits.calls == submits.failures:
        return known_ms
    went_well = submits.calls - submits.failures
    took_ms = 1000 * submits.well_s / went_well
    return took_ms if known_ms is None else known_ms + _weight(went_well) * (took_ms - known_ms)


def _weight(calls: int) -> float:
    return 1.0 - math.pow(1.0 - LEARNING_RATE, min(calls, MOST_WEIGHT))


def verdict_of_answer(answer: object) -> Verdict | None:
    """Of a request that was answered. A poll asks about many jobs: it failed if it said nothing of any."""
    if isinstance(answer, Mapping):
        errors = [one for one in answer.values() if isinstance(one, Exception)]
        if errors and len(errors) == len(answer):
            return Verdict(f"Polls end in {type(errors[0]).__name__}.")
        return WELL if answer else None
    return WELL


def verdict_of_error(error: Exception) -> Verdict | None:
    """Of a request that raised. A refused prompt, a bad parameter and a limit say nothing of health."""
    if isinstance(error, Refused):
        return None if error.retry_after_s is not None else _fault(error.error, curable=error.curable)
    if isinstance(error, HeldBack):
        return None
    if isinstance(error, NotSent):
        return Verdict(str(error) or "It cannot be reached.")
    return Verdict(f"A request ended in {type(error).__name__}.")


def verdicts_of_runs(answer: object) -> Iterable[Verdict]:
    """Of the work that ended at the provider, as a submit or a poll tells it."""
    for one in answer.values() if isinstance(answer, Mapping) else (answer,):
        if isinstance(one, Finished):
            yield WELL
        elif isinstance(one, Gone):
            yield Verdict("It forgot a job.")
        elif isinstance(one, Ended) and not one.canceled:
            fault = _fault(one.error, curable=one.curable)
            if fault is not None:
                yield fault


def _fault(error: JobError, *, curable: bool) -> Verdict | None:
    """What no other route could cure is the request's own fault."""
    if not curable or error.code not in _FAULTS:
        return None
    # A 403 may be about one model, and a 402 about credit; a 401 is about the key.
    refused = error.code == "PROVIDER_AUTH" and error.details.get("status", 401) == 401
    return Verdict(error.message, refused)
