"""Whether the ledger agrees with what the providers bill, for one generation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tests.contract.cases import Case
from tests.emulators.base import InvoiceLine, SeenRequest

ON_US = frozenset({"possibly_billed", "duplicate"})
"""Submissions whose bill Penstock bears: nobody can know what they cost."""


@dataclass(frozen=True, slots=True)
class Told:
    """A generation that has ended, and what its provider says about it. `states` are those of its submissions
    that left us, `unsent` counts the others; `ledger` is nano-dollars by kind of entry."""

    case: Case
    row: Mapping[str, Any]
    states: Sequence[str]
    unsent: int
    ledger: Mapping[str, int]
    requests: Sequence[SeenRequest]
    lines: Sequence[InvoiceLine]

    @property
    def state(self) -> str:
        return str(self.row["state"])

    @property
    def code(self) -> str | None:
        """Of the error."""
        error = self.row["error"]
        return error["code"] if error else None

    @property
    def attempts(self) -> int:
        """Without those that a busy machine kept from leaving."""
        return int(self.row["attempts"]) - self.unsent

    @property
    def charged(self) -> int:
        """What the account pays."""
        return self.ledger.get("settle", 0)

    @property
    def billed(self) -> int:
        """What the provider bills in all."""
        return sum(line.amount_nanos for line in self.lines)


def balanced(told: Told) -> None:
    """Asserts that nothing stays reserved, that the row says what the ledger says, and that this is the
    provider's bill to the nano, but for the calls whose bill is on us."""
    assert told.ledger.get("reserve", 0) + told.ledger.get("release", 0) == 0, told.ledger
    assert told.row["cost_status"] in {"final", "released"}, told.row["cost_status"]
    assert (told.row["cost_nanos"] or 0) == told.charged
    assert all(line.final for line in told.lines), told.lines
    on_us = sum(state in ON_US for state in told.states)
    amounts = [line.amount_nanos for line in told.lines]
    possible = {
        sum(kept)
        for left_out in range(min(on_us, len(amounts)) + 1)
        for kept in combinations(amounts, len(amounts) - left_out)
    }
    assert told.charged in possible, (told.charged, amounts, told.states)
    if told.state == "completed" and not told.case.free:
        assert told.charged > 0
