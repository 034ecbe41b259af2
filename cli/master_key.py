"""`penstock keys rotate-master`: accounts' own keys for providers, sealed anew under the current master key.

It works on the database itself, with the settings of the gateway and the workers.
"""

from cli.database import settings_here, unreachable
from cli.errors import BadUsage, CommandError
from cli.output import Output
from cli.target import here
from shared.db import CONNECTION_ERRORS
from shared.domains.master_keys import Rotation, rotate_all
from shared.vault import NoMasterKey


class NotAllOpened(CommandError):
    """Some keys stay as they were, because no known master key opens them."""

    code = "KEYS_NOT_OPENED"


async def rotate(out: Output) -> None:
    """Raises BadUsage, Unreachable, NotAllOpened."""
    rotation = await _rotated()
    out.line(f"{rotation.done} sealed anew.")
    if rotation.failed:
        raise NotAllOpened(
            f"{rotation.failed} cannot be opened by any key in the settings.",
            "Give the keys that sealed them in ENCRYPTION_MASTER_KEYS_BEFORE, and run it again.",
        )


async def _rotated() -> Rotation:
    try:
        return await rotate_all(settings_here(here()))
    except NoMasterKey:
        raise BadUsage("ENCRYPTION_MASTER_KEY is not set.") from None
    except CONNECTION_ERRORS as error:
        raise unreachable(error) from None
