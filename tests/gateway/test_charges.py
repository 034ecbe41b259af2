"""Cost in words: every state of the work × every state of the money × doubt × payer."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from gateway.charges import explain

STATES = ("queued", "submitting", "waiting", "storing", "completed", "failed", "canceled", "expired")
STATUSES = ("reserved", "final", "released", "unpriced", "reconciling")
ENDED = frozenset(STATES[4:])
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ESTIMATE, COST = 40_000_000, 3_100_000


def row(state: str, cost_status: str, **columns: Any) -> dict[str, Any]:
    started = state not in {"queued", "expired"}
    given = {
        "state": state, "cost_status": cost_status, "billed_to": "platform", "estimate_nanos": ESTIMATE,
        "reserved_nanos": ESTIMATE, "cost_nanos": COST if cost_status == "final" else None, "error": None,
        "provider": "replicate" if started else None, "started_at": NOW if started else None,
        "completed_at": NOW + timedelta(seconds=3.2) if state in ENDED else None, "cancel_requested_at": None,
    }  # fmt: skip
    return given | columns


DOUBT = {"code": "PROVIDER_TIMEOUT", "message": "-", "retryable": True, "details": {"possibly_billed": True}}


@pytest.mark.parametrize(("state", "status"), list(product(STATES, STATUSES)))
@pytest.mark.parametrize("doubt", [False, True])
@pytest.mark.parametrize("payer", ["platform", "byok"])
def test_every_combination_is_told_and_told_truly(state: str, status: str, doubt: bool, payer: str) -> None:
    text = explain(row(state, status, billed_to=payer, error=DOUBT if doubt else None))
    assert text.endswith(".")
    assert text[0].isupper()
    assert "None" not in text
    charged = "was charged" in text.replace("nothing was charged", "").replace("Nothing was charged", "")
    if payer == "byok":
        assert not charged
        assert (
            "Here nothing is charged." in text
            or "here nothing is charged." in text
            or "Nothing was charged" in text
        )
        return
    assert charged == (status == "final"), text
    assert ("$0.0031" in text) == (status == "final")
    if doubt:
        assert "may have billed" in text
        assert "you were not charged" in text
    else:
        assert "may have" not in text
    if state in ENDED and status in {"reserved", "unpriced", "reconciling"}:
        assert "$0.04 stays set aside" in text
    if state not in ENDED and status != "unpriced":
        assert "is set aside" in text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (row("canceled", "final"),
         "Canceled after 3.2 s at replicate, which bills $0.0031 for it: that was charged."),
        (row("canceled", "released"),
         "Canceled after 3.2 s at replicate, which bills nothing for that: nothing was charged."),
        (row("canceled", "released", started_at=None, provider=None),
         "Nothing was charged: it never reached a provider."),
        (row("expired", "released"), "Nothing was charged: it never reached a provider."),
        (row("failed", "released", error=DOUBT),
         "No clear answer came: replicate may have billed for it; you were not charged."),
        (row("submitting", "reserved", cancel_requested_at=NOW),
         "About $0.04: $0.04 is set aside until it ends. Its cancel waits for replicate's word."),
        (row("completed", "final", cancel_requested_at=NOW),
         "Completed after 3.2 s at replicate, which bills $0.0031 for it: that was charged."
         " The cancel came too late to stop it."),
        (row("canceled", "reconciling"),
         "Canceled after 3.2 s at replicate: $0.04 stays set aside until its final bill is known."),
        (row("completed", "unpriced", reserved_nanos=0, estimate_nanos=None),
         "Completed after 3.2 s at replicate, whose price is not known yet: nothing is set aside."),
        (row("completed", "final", estimate_nanos=0, cost_nanos=0), "Nothing was charged: this model is free."),
        (row("queued", "reserved"), "About $0.04: $0.04 is set aside until it ends."),
        (row("queued", "reserved", estimate_nanos=0, reserved_nanos=0), "This model is free."),
        (row("queued", "reserved", cost_nanos=COST),
         "About $0.04: $0.04 is set aside until it ends. Of that, $0.0031 was charged for an earlier try."),
        (row("completed", "final", billed_to="byok"),
         "Replicate bills your own key: $0.0031 by its prices. Here nothing is charged."),
    ],
)  # fmt: skip
def test_the_sentences(given: dict[str, Any], text: str) -> None:
    assert explain(given) == text
