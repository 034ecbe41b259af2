"""The vault: keys that accounts bring along for providers, encrypted at rest.

    ciphertext ‖ tag = AES-256-GCM(scrypt(master key, salt), iv, plain text, bound to)

Each record has a salt of 64 random bytes and an IV of 96 random bits; what it is bound to, its account, provider
and id, is authenticated with it, so a record that was moved or altered does not open. The master key is 32 random
bytes in ENCRYPTION_MASTER_KEY. While it is rotated the one before is still known, and each record names its own by
an id from which the key cannot be told.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from shared import aes
from shared.crypto import MASTER_KEY_BYTES, read_master_key
from shared.settings import Settings

SALT_BYTES: Final = 64
IV_BYTES: Final = 12

_COST, _BLOCK, _LANES = 2**14, 8, 1
_SCRYPT_MEMORY: Final = 64 << 20
_DERIVATIONS_AT_ONCE: Final = 2
"""Each takes 16 MiB and a core for some 50 ms."""
_KEYS_KEPT: Final = 256


class NoMasterKey(Exception):
    """The master key of a record, or any, is not among the settings."""


class NotOpened(Exception):
    """The record was altered or moved, or is not one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted record as its columns keep it: Base64, and the tag at the end of the ciphertext."""

    encrypted_key: str
    encryption_iv: str
    encryption_salt: str
    master_key_id: str


def master_key_id(master: bytes) -> str:
    """What records call a master key; the key cannot be told from it."""
    return hmac.digest(master, b"penstock:master-key-id", "sha256")[:8].hex()


def derive(master: bytes, salt: bytes) -> bytes:
    """scrypt with N = 2^14, r = 8, p = 1 (RFC 7914): 32 bytes, in some 50 ms."""
    return hashlib.scrypt(
        master, salt=salt, n=_COST, r=_BLOCK, p=_LANES, maxmem=_SCRYPT_MEMORY, dklen=MASTER_KEY_BYTES
    )


def encrypt(key: bytes, iv: bytes, plain: str, bound_to: str) -> str:
    """AES-256-GCM: Base64 of the ciphertext and its tag."""
    return _text(aes.encrypt(key, iv, plain.encode(), bound_to))


def decrypt(key: bytes, iv: bytes, encrypted: str, bound_to: str) -> str:
    """Raises NotOpened."""
    try:
        plain = aes.decrypt(key, iv, _bytes(encrypted), bound_to)
    except ValueError:
        plain = None
    if plain is None:
        raise NotOpened
    return plain.decode()


@dataclass(slots=True)
class Vault:
    """`current` seals; those `before` it only open. scrypt runs off the event loop, few at a time, and what was
    derived of late is kept in memory."""

    current: bytes | None = field(repr=False)
    before: Sequence[bytes] = field(default=(), repr=False)
    _masters: Mapping[str, bytes] = field(init=False, repr=False)
    _derived: OrderedDict[tuple[str, bytes], bytes] = field(
        default_factory=OrderedDict, init=False, repr=False
    )
    _slots: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        masters = [*self.before, *([self.current] if self.current is not None else [])]
        self._masters = {master_key_id(master): master for master in masters}
        self._slots = asyncio.Semaphore(_DERIVATIONS_AT_ONCE)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        key, before = settings.encryption_master_key, settings.encryption_master_keys_before
        current = None if key is None else read_master_key(key.get_secret_value())
        return cls(current, [read_master_key(one.get_secret_value()) for one in before])

    @property
    def is_ready(self) -> bool:
        """Whether it can seal."""
        return self.current is not None

    @property
    def key_id(self) -> str:
        """What records that are sealed now call their master key. Raises NoMasterKey."""
        return master_key_id(self._current)

    async def seal(self, plain: str, bound_to: str) -> Sealed:
        """Raises NoMasterKey."""
        salt, iv = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(IV_BYTES)
        async with self._slots:
            key = await asyncio.to_thread(derive, self._current, salt)
        return Sealed(encrypt(key, iv, plain, bound_to), _text(iv), _text(salt), self.key_id)

    async def open(self, sealed: Sealed, bound_to: str) -> str:
        """The plain text. Raises NoMasterKey, and NotOpened."""
        try:
            iv, salt = _bytes(sealed.encryption_iv), _bytes(sealed.encryption_salt)
        except ValueError:
            raise NotOpened from None
        key = await self._key(sealed.master_key_id, salt)
        return decrypt(key, iv, sealed.encrypted_key, bound_to)

    @property
    def _current(self) -> bytes:
        if self.current is None:
            raise NoMasterKey
        return self.current

    async def _key(self, key_id: str, salt: bytes) -> bytes:
        master = self._masters.get(key_id)
        if master is None:
            raise NoMasterKey
        async with self._slots:
            known = self._derived.pop((key_id, salt), None)
            key = known if known is not None else await asyncio.to_thread(derive, master, salt)
            self._derived[key_id, salt] = key
            while len(self._derived) > _KEYS_KEPT:
                self._derived.popitem(last=False)
        return key


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
