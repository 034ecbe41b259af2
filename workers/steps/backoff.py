"""How long to wait before the next try."""

import random


def delay_s(attempt: int) -> float:
    """Full jitter (AWS Architecture Blog, 2015): 0 to 1, 2, 4 … seconds, 60 at most."""
    return random.uniform(0, min(60.0, 2.0 ** (attempt - 1)))  # noqa: S311  # jitter
