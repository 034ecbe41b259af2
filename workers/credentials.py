"""Who makes a call: the platform's own provider, or one made for a key that an account brought along.

Providers for accounts' keys are made when they are needed and kept, the least recently used let go first. One that
was let go is closed once no call can be under way any more.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.batch import Batcher
from shared.db import CONNECTION_ERRORS, Database
from shared.domains import provider_keys
from shared.domains.provider_keys import PLATFORM, StoredKey, key_id_of
from shared.executor import Executor
from shared.keychecks import KeyStatus, check_key
from shared.log import get_logger
from shared.settings import Settings
from shared.vault import NoMasterKey, NotOpened, Vault
from workers.providers import registry
from workers.providers.base import Provider

log = get_logger(__name__)

MOST_KEPT: Final = 64
LOOK_AGAIN_S: Final = 5.0
"""A key that was deleted or refused is used no longer than this."""
NOTE_USE_S: Final = 60.0
CHECK_AGAIN_S: Final = 60.0
CLOSE_GRACE_S: Final = 30.0


@dataclass(slots=True)
class _Own:
    """A provider on an account's key. `provider` is None where the key cannot be opened here."""

    provider: Provider | None
    account_id: UUID
    usable: bool
    looked_at: float
    noted_at: float = float("-inf")
    checked_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Unusable:
    """No call can be made by this credential, and why; the words hold nothing of the key."""

    why: str


class Credentials:
    """One per process. `platform` are the providers by name; tests and small installations have no others."""

    def __init__(
        self, db: Database, platform: Mapping[str, Provider], settings: Settings, executor: Executor
    ) -> None:
        self.platform = platform
        self._db = db
        self._settings = settings
        self._executor = executor
        self._vault = Vault.of(settings)
        self._own: OrderedDict[str, _Own] = OrderedDict()
        self._reads: Batcher[tuple[str, str], None, _Own | None] = Batcher(self._read)
        self._leaving: set[Provider] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def to_submit(self, route: Mapping[str, Any], account_id: UUID | None) -> Provider | Unusable:
        """Who makes the paid call of a route. Raises CONNECTION_ERRORS."""
        name, credential = route["provider"], route.get("credential", PLATFORM)
        if key_id_of(credential) is None:
            provider = self.platform.get(name)
            return Unusable("no adapter in this worker") if provider is None else _available(provider)
        own = await self._find(name, credential, newest=True)
        if own is None or own.account_id != account_id:
            return Unusable("your own key for it was deleted")
        if own.provider is None:
            return Unusable("your own key for it cannot be read here")
        return _available(own.provider) if own.usable else Unusable("your own key for it is not accepted")

    async def to_ask(self, name: str, credential: str) -> Provider | None:
        """Whom to ask about what was submitted with this credential, also when its key was deleted since. None when
        there is nobody here who could. Raises CONNECTION_ERRORS."""
        if key_id_of(credential) is None:
            return self.platform.get(name)
        own = await self._find(name, credential, newest=False)
        return None if own is None else own.provider

    async def note_use(self, provider: Provider) -> None:
        """A call is about to be made. Written at most once a minute. Raises CONNECTION_ERRORS."""
        own, key_id = self._own.get(provider.credential), key_id_of(provider.credential)
        if own is None or key_id is None or time.monotonic() - own.noted_at < NOTE_USE_S:
            return
        own.noted_at = time.monotonic()
        await provider_keys.record_use(self._db, key_id)

    def doubt(self, provider: Provider) -> None:
        """A call by an account's key was refused for who made it: the provider is asked whether it takes the key."""
        own, key_id = self._own.get(provider.credential), key_id_of(provider.credential)
        if own is None or key_id is None or time.monotonic() - own.checked_at < CHECK_AGAIN_S:
            return
        own.checked_at = time.monotonic()
        self._spawn(self._check(key_id, provider.credential))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        kept = [own.provider for own in self._own.values() if own.provider is not None]
        self._own.clear()
        for provider in (*kept, *self._leaving):
            await _close(provider)

    async def _find(self, name: str, credential: str, *, newest: bool) -> _Own | None:
        own = self._own.get(credential)
        if own is not None and own.provider is not None and own.provider.name == name:
            self._own.move_to_end(credential)
            if not newest or time.monotonic() - own.looked_at < LOOK_AGAIN_S:
                return own
        return await self._reads((name, credential), None)

    async def _read(self, wanted: tuple[str, str], callers: Sequence[None]) -> Sequence[_Own | None]:
        """One look for all who wait for it."""
        name, credential = wanted
        key_id = key_id_of(credential)
        key = await provider_keys.read(self._db, key_id) if key_id is not None else None
        if key is None:
            self._let_go(credential)
        if key is None or key.provider != name:
            return [None] * len(callers)
        own = self._own.get(credential)
        if own is None or own.provider is None:
            own = self._own[credential] = _Own(await self._make(key, credential), key.account_id, False, 0.0)
            while len(self._own) > MOST_KEPT:
                self._let_go(next(iter(self._own)))
        own.usable, own.looked_at = key.is_active, time.monotonic()
        return [own] * len(callers)

    async def _make(self, key: StoredKey, credential: str) -> Provider | None:
        plain = await self._opened(key)
        if plain is None:
            return None
        provider = registry.on_own_key(key.provider, plain, self._settings, self._executor)
        if provider is not None:
            provider.credential = credential
        return provider

    async def _opened(self, key: StoredKey) -> str | None:
        try:
            return await self._vault.open(key.sealed, key.bound_to)
        except (NoMasterKey, NotOpened) as error:
            log.error("provider_key_not_opened", key=str(key.id), provider=key.provider,
                      reason=type(error).__name__)  # fmt: skip
            return None

    async def _check(self, key_id: UUID, credential: str) -> None:
        try:
            key = await provider_keys.read(self._db, key_id)
            plain = await self._opened(key) if key is not None else None
            if key is None or plain is None:
                return
            status = await check_key(self._settings, key.provider, plain)
            if status is not KeyStatus.UNREACHABLE:
                await provider_keys.record_status(self._db, key_id, status)
        except CONNECTION_ERRORS as error:
            log.warning("provider_key_not_judged", key=str(key_id), error=type(error).__name__)
            return
        log.info("provider_key_judged", key=str(key_id), provider=key.provider, status=status.value)
        own = self._own.get(credential)
        if own is not None and status is KeyStatus.REFUSED:
            own.usable = False

    def _let_go(self, credential: str) -> None:
        own = self._own.pop(credential, None)
        if own is not None and own.provider is not None:
            self._leaving.add(own.provider)
            self._spawn(self._close_later(own.provider))

    async def _close_later(self, provider: Provider) -> None:
        await asyncio.sleep(provider.submit_timeout_s + CLOSE_GRACE_S)
        self._leaving.discard(provider)
        await _close(provider)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _available(provider: Provider) -> Provider | Unusable:
    reason = provider.unavailable_reason
    return provider if reason is None else Unusable(reason)


async def _close(provider: Provider) -> None:
    try:
        await provider.close()
    except Exception as error:
        log.warning("not_closed_cleanly", what=provider.name, error=type(error).__name__)
