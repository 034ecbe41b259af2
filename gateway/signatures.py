"""The signatures of providers that sign their callbacks, each by its provider's name.

They are checked beside our own token. A provider that is not here signs nothing, or is not configured to be
checked; its callbacks are named by the hash of what they say.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.published_keys import PublishedKeys, ed25519_keys
from shared.errors import Unauthenticated
from shared.settings import Settings

TOLERANCE_S: Final = 300


class Signature(Protocol):
    """How one provider signs."""

    async def event_id(self, headers: Mapping[str, str], body: bytes) -> str:
        """The event's id, once its signature is good.

        Raises Unauthenticated for a bad or old one, and Unavailable when that cannot be told now.
        """
        ...


class StandardWebhook:
    """Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and body. Replicate's."""

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)

    async def event_id(self, headers: Mapping[str, str], body: bytes) -> str:
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            raise _refused() from error
        return headers["webhook-id"]


class FalSignature:
    """fal's: Ed25519 over request id, user id, time and the body's hash, by any of its published keys."""

    def __init__(self, keys: PublishedKeys[Ed25519PublicKey]) -> None:
        self._keys = keys

    async def event_id(self, headers: Mapping[str, str], body: bytes) -> str:
        named = [headers.get(f"X-Fal-Webhook-{name}", "") for name in ("Request-Id", "User-Id", "Timestamp")]
        try:
            signature = bytes.fromhex(headers.get("X-Fal-Webhook-Signature", ""))
            message = "\n".join([*named, hashlib.sha256(body).hexdigest()]).encode()
            is_old = abs(time.time() - int(named[2])) > TOLERANCE_S
        except ValueError as error:
            raise _refused() from error
        if is_old or not all(named):
            raise _refused()
        if not any(_signed(key, signature, message) for key in await self._keys.current()) and not any(
            _signed(key, signature, message) for key in await self._keys.newer()
        ):
            raise _refused()
        return named[0]


class Signatures(dict[str, Signature]):
    """The signatures that are checked here, by provider."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._fal_keys: PublishedKeys[Ed25519PublicKey] | None = None
        if settings.replicate_webhook_secret is not None:
            self["replicate"] = StandardWebhook(settings.replicate_webhook_secret.get_secret_value())
        if settings.fal_webhook_jwks_url is not None:
            self._fal_keys = PublishedKeys(
                settings.fal_webhook_jwks_url, ed25519_keys, allow_private=settings.allow_private_urls
            )
            self["fal"] = FalSignature(self._fal_keys)

    async def close(self) -> None:
        if self._fal_keys is not None:
            await self._fal_keys.close()


def _signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _refused() -> Unauthenticated:
    return Unauthenticated("The callback's signature is not good: it is missing, altered, or too old.")
