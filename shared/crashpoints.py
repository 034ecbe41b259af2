"""Named instants at which a test may end the process: one at every commit and external call.

`reach(name)` does nothing unless `arm(name)` was called for that name, which settings refuse in production.
"""

import os
from typing import Final

CRASH_POINTS: Final = (
    "before_admitted",
    "after_admitted",
    "after_announced",
    "before_claim",
    "after_claim",
    "before_intent",
    "after_intent",
    "before_submit_call",
    "after_submit_call",
    "before_accepted",
    "after_accepted",
    "before_poll_claim",
    "after_poll_claim",
    "after_poll_answer",
    "before_storing",
    "after_storing",
    "before_artifact_put",
    "after_artifact_put",
    "after_derive",
    "before_completed",
    "after_completed",
    "before_release",
    "after_release",
    "before_dispatch_commit",
    "after_dispatch_commit",
    "before_ring",
    "after_ring",
    "before_provider_cancel",
    "after_provider_cancel",
    "before_failed",
    "after_failed",
    "before_canceled",
    "after_canceled",
    "before_expired",
    "after_expired",
    "before_unknown",
    "after_unknown",
    "before_find",
    "after_find",
    "before_retrying",
    "after_retrying",
    "before_poll_again",
    "after_poll_again",
    "before_settled",
    "after_settled",
    "before_reap",
    "after_reap",
)

CRASH_EXIT_CODE: Final = 137

_armed: set[str] = set()


def arm(name: str) -> None:
    """Ends the process when `name` is reached for the first time. Raises ValueError for an unknown name."""
    if name not in CRASH_POINTS:
        raise ValueError(f"no crash point is called {name!r}")
    _armed.add(name)


def reach(name: str) -> None:
    if name in _armed:
        os._exit(CRASH_EXIT_CODE)
