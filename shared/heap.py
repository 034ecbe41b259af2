"""The garbage collector of a process that serves: it walks what requests leave behind, and not the program."""

import gc

YOUNG_OBJECTS = 20_000
"""So many new containers start a collection. Requests free theirs without its help, so few are ever found."""
GENERATION_RATIOS = (20, 100)


def settle() -> None:
    """Call it when everything is loaded: what lives by then is taken to live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *GENERATION_RATIOS)
