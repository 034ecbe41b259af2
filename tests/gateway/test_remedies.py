"""What a failed generation tells: what Penstock does, and what can be done."""

from typing import Any

import pytest

from gateway.remedies import trouble_of

ROUTES = [{"provider": "replicate"}, {"provider": "fal"}, {"provider": "fal"}]


def row(state: str, code: str | None = None, **columns: Any) -> dict[str, Any]:
    error = {"code": code, "message": "-", "retryable": True} if code else None
    given = {
        "state": state,
        "error": error,
        "routes": ROUTES,
        "decision": {},
        "provider": "replicate",
        "wake_at": None,
    }
    return given | columns


@pytest.mark.parametrize("state", ["queued", "submitting", "waiting", "storing", "completed"])
def test_all_is_well(state: str) -> None:
    assert trouble_of(row(state)) is None


def test_what_is_tried_again_says_so() -> None:
    trouble = trouble_of(
        row("queued", "PROVIDER_RATE_LIMITED", decision={"fallbacks": ["fal"]}, wake_at="soon")
    )
    assert trouble is not None
    assert (trouble["will_retry"], trouble["next_try_at"], trouble["can_retry"]) == (True, "soon", False)
    assert trouble["last_error"]["code"] == "PROVIDER_RATE_LIMITED"
    assert "fal may serve" in trouble["advice"]


@pytest.mark.parametrize(
    ("code", "tried", "others"),
    [
        ("PROVIDER_FAILED", [], ["fal"]),
        ("PROVIDER_FAILED", ["fal/flux"], []),
        ("CONTENT_BLOCKED", [], []),
        ("A_NEW_CODE", [], ["fal"]),
    ],
)
def test_what_failed_names_who_else_could(code: str, tried: list[str], others: list[str]) -> None:
    trouble = trouble_of(row("failed", code, decision={"tried": tried}))
    assert trouble is not None
    assert (trouble["can_retry"], trouble["other_providers"]) == (True, others)
    assert trouble["advice"].endswith(".")


def test_what_was_canceled_can_be_tried_again() -> None:
    trouble = trouble_of(row("canceled"))
    assert trouble is not None
    assert "canceled" in trouble["advice"]
