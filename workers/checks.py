"""Asks providers, for operators who want to know, whether they answer and take the platform's key."""

import asyncio
from collections.abc import Mapping
from typing import Final

from shared.db import CONNECTION_ERRORS, Database
from shared.domains.ops import providers
from shared.keychecks import CHECKS, check_key
from shared.log import get_logger
from shared.settings import Settings
from workers.providers.base import Provider
from workers.providers.registry import key_of

log = get_logger(__name__)

TICK_S: Final = 1.0


class ProviderChecks:
    """Takes operators' questions out of the record, one at a time."""

    def __init__(self, db: Database, platform: Mapping[str, Provider], settings: Settings) -> None:
        self._db = db
        self._platform = platform
        self._settings = settings

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                while await providers.answer_check(self._db, self.ask):
                    pass
            except CONNECTION_ERRORS as error:
                log.warning("provider_checks_put_off", error=type(error).__name__)
            except Exception:
                log.exception("provider_checks_failed")
            await asyncio.sleep(TICK_S)

    async def ask(self, name: str) -> str:
        """Of what works in this very process nothing has to be asked."""
        provider = self._platform.get(name)
        if provider is None or provider.unavailable_reason is not None:
            return "unset"
        key = key_of(name, self._settings)
        if key is None or name not in CHECKS:
            return "valid" if provider.interruptible else "unreachable"
        return (await check_key(self._settings, name, key)).value
