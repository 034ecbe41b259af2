"""Secrets that Penstock makes itself: API keys, sealed tokens (cursors, tickets), and what it keeps encrypted.

An API key is `ps_live_<id:8><secret:32><checksum:6>` in base 62. The id finds its row, the secret is kept
only as an HMAC under the server's own key, and the checksum tells a typo from a key without a look-up.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass, field

from shared import aes

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX = "ps_live_"
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 8, 32, 6
_KEY_LENGTH = len(_PREFIX) + _ID_LENGTH + _SECRET_LENGTH + _CHECKSUM_LENGTH
_MAC_LENGTH = 16
_NONCE_LENGTH = 12
MASTER_KEY_BYTES = 32
_STANDARD_BASE64 = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """An API key taken apart. `secret` carries 190 bits."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, as its owner sees it once."""
        return f"{_PREFIX}{self.id}{self.secret}{_checksum(self.id + self.secret)}"


def new_api_key() -> ApiKeyText:
    return ApiKeyText(_random(_ID_LENGTH), _random(_SECRET_LENGTH))


def parse_api_key(text: str) -> ApiKeyText | None:
    """The parts of a well-formed key whose checksum is right, else None."""
    if len(text) != _KEY_LENGTH or not text.startswith(_PREFIX) or not text.isascii():
        return None
    content, checksum = text[len(_PREFIX) : -_CHECKSUM_LENGTH], text[-_CHECKSUM_LENGTH:]
    if not hmac.compare_digest(_checksum(content), checksum):
        return None
    return ApiKeyText(content[:_ID_LENGTH], content[_ID_LENGTH:])


def secret_hmac(server_key: str, secret: str) -> bytes:
    """What is stored of an API key's secret. The secret is random, so a slow hash would add nothing."""
    return hmac.digest(_subkey(server_key, "api-key"), secret.encode(), "sha256")


def same_secret(stored: bytes, computed: bytes) -> bool:
    """Equal? In a time that does not depend on where they differ."""
    return hmac.compare_digest(stored, computed)


def seal(server_key: str, purpose: str, payload: bytes) -> str:
    """A URL-safe token that holds `payload` in the open and cannot be altered or used for another purpose."""
    mac = hmac.digest(_subkey(server_key, purpose), payload, "sha256")[:_MAC_LENGTH]
    return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()


def unseal(server_key: str, purpose: str, token: str) -> bytes | None:
    """The payload of a token sealed for the same purpose, else None."""
    try:
        content = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        return None
    mac, payload = content[:_MAC_LENGTH], content[_MAC_LENGTH:]
    expected = hmac.digest(_subkey(server_key, purpose), payload, "sha256")[:_MAC_LENGTH]
    return payload if hmac.compare_digest(mac, expected) else None


def token(server_key: str, purpose: str, payload: str) -> str:
    """A URL-safe proof that we gave out `payload` for this purpose; the payload itself is not in it."""
    mac = hmac.digest(_subkey(server_key, purpose), payload.encode(), "sha256")[:_MAC_LENGTH]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def is_token(server_key: str, purpose: str, payload: str, given: str) -> bool:
    """Whether `given` is that proof, compared in a time that does not depend on where they differ."""
    return hmac.compare_digest(token(server_key, purpose, payload).encode(), given.encode(errors="replace"))


def encrypt(server_key: str, purpose: str, plain: bytes, *, bound_to: str) -> bytes:
    """AES-256-GCM under a key of this purpose: nonce, ciphertext and tag. Good only where it belongs: what it is
    `bound_to`, such as its row's id, must be named again to decrypt it."""
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return nonce + aes.encrypt(_subkey(server_key, purpose), nonce, plain, bound_to)


def decrypt(server_key: str, purpose: str, sealed: bytes, *, bound_to: str) -> bytes | None:
    """What `encrypt` was given; None under another key, or when it was altered or moved."""
    nonce, content = sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:]
    return aes.decrypt(_subkey(server_key, purpose), nonce, content, bound_to)


def derived_key(server_key: str, purpose: str) -> bytes:
    """32 bytes that are good for this purpose alone."""
    return _subkey(server_key, purpose)


def read_master_key(text: str) -> bytes:
    """The 32 bytes of a master key from their Base64, of either alphabet, padded or not. Raises ValueError."""
    try:
        plain = text.strip().rstrip("=").translate(_STANDARD_BASE64)
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError("must be 32 random bytes in Base64, as `openssl rand -base64 32` prints them")
    return key


def _subkey(server_key: str, purpose: str) -> bytes:
    return hmac.digest(server_key.encode(), f"penstock:{purpose}".encode(), "sha256")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def fingerprint(content: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(content).digest()
