"""`penstock keys rotate-master`: accounts' own keys for providers, sealed anew under the current master key.

It works on the database itself, with the settings of the gateway and the workers.
"""

from pydantic import ValidationError

from cli.errors import BadUsage, CommandError, Unreachable
from cli.output import Output
from shared.db import CONNECTION_ERRORS
from shared.domains.master_keys import Rotation, rotate_all
from shared.settings import Settings, what_is_wrong
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
        return await rotate_all(Settings())
    except ValidationError as error:
        raise BadUsage(what_is_wrong(error)) from None
    except NoMasterKey:
        raise BadUsage("ENCRYPTION_MASTER_KEY is not set.") from None
    except CONNECTION_ERRORS as error:
        raise Unreachable(f"The database cannot be reached: {type(error).__name__}.") from None
