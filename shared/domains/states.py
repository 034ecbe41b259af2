"""The states of a generation, and which of them callers see."""

TERMINAL = frozenset({"completed", "failed", "canceled", "expired"})
STATUS = {"submitting": "running", "waiting": "running", "storing": "running"}


def status_of(state: str) -> str:
    """What callers see: queued, running, or the terminal state itself."""
    return STATUS.get(state, state)
