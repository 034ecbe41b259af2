"""Tokens of issuers that the operator trusts: Firebase, Supabase, Clerk, or any OpenID provider.

A token is believed when its issuer is listed, one of the issuer's published keys has signed it by an algorithm that
is listed for it, it is meant for us, and its time is now. Its person gets an account at first sight.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from aiohttp import web
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from gateway.access_tokens import claimed_issuer
from gateway.auth import Beliefs, Principal, bearer_token, principal_of_person
from gateway.published_keys import Get, PublishedKeys
from shared.db import Database
from shared.domains import users
from shared.domains.users import Claimed
from shared.errors import Unauthenticated
from shared.settings import Settings, TrustedIssuer

KEPT_S: Final = 600.0
LEEWAY_S: Final = 30
"""How far an issuer's clock may be ahead of ours. A token that has expired gets none."""
DISCOVERY: Final = "/.well-known/openid-configuration"
_MAX_SUBJECT = 255

type Key = RSAKey | ECKey | OKPKey


@dataclass(slots=True)
class Issuer:
    """One issuer and its keys."""

    trusted: TrustedIssuer
    keys: PublishedKeys[Key]

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        """What the token says, once everything about it is right; else None.

        Raises Unavailable when the issuer's keys were never read and cannot be read now.
        """
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError):
            return None
        if header.get("alg") not in self.trusted.algorithms:
            return None
        key = await self._key(header.get("kid"))
        if key is None:
            return None
        try:
            found = jwt.decode(token, key, algorithms=list(self.trusted.algorithms))
            self._registry().validate(found.claims)
        except (JoseError, ValueError):
            return None
        return found.claims if self._is_for_us(found.claims) else None

    async def _key(self, kid: Any) -> Key | None:
        """The key of this id, or the only one when the token names none."""
        if kid is None:
            keys = await self.keys.current()
            return keys[0] if len(keys) == 1 else None
        wanted = str(kid)[:_MAX_SUBJECT]
        return _named(await self.keys.current(), wanted) or _named(await self.keys.newer(wanted), wanted)

    def _registry(self) -> jwt.JWTClaimsRegistry:
        audiences = list(self.trusted.audiences)
        options: dict[str, Any] = {"aud": {"essential": True, "values": audiences}} if audiences else {}
        return jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.trusted.issuer},
            sub={"essential": True},
            exp={"essential": True},
            **options,
        )

    def _is_for_us(self, claims: Mapping[str, Any]) -> bool:
        parties = self.trusted.authorized_parties
        subject = claims["sub"]
        return (
            claims["exp"] > time.time()
            and (not parties or claims.get("azp") in parties)
            and 0 < len(subject) <= _MAX_SUBJECT
            and "\0" not in subject
        )


def _named(keys: Sequence[Key], kid: str) -> Key | None:
    return next((key for key in keys if key.kid == kid), None)


@dataclass(slots=True)
class TrustedTokens:
    """Bearer tokens of `issuers`. The last to look at a bearer token, so what it does not know is refused."""

    db: Database
    issuers: Mapping[str, Issuer]
    beliefs: Beliefs = field(default_factory=Beliefs)

    @classmethod
    def of(cls, db: Database, settings: Settings) -> "TrustedTokens":
        private = settings.allow_private_urls
        return cls(
            db,
            {
                trusted.issuer: Issuer(trusted, _published(trusted, private))
                for trusted in settings.trusted_issuers
            },
        )

    async def principal(self, request: web.Request) -> Principal | None:
        token = bearer_token(request)
        if token is None:
            return None
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        caller = self.beliefs.get(digest)
        if caller is not None:
            return caller
        issuer = self.issuers.get(claimed_issuer(token) or "")
        claims = await issuer.claims(token) if issuer is not None else None
        if issuer is None or claims is None:
            raise Unauthenticated("This token is not valid: it is altered, expired, or not meant for us.")
        person = await users.identify(self.db, _claimed(issuer.trusted, claims))
        if person is None:
            raise Unauthenticated("This account is suspended.")
        caller = principal_of_person(person)
        self.beliefs.keep(digest, caller, claims["exp"] - time.time())
        return caller

    async def close(self) -> None:
        for issuer in self.issuers.values():
            await issuer.keys.close()


def _published(trusted: TrustedIssuer, allow_private: bool) -> PublishedKeys[Key]:
    async def locate(url: str, get: Get) -> str:
        document = orjson.loads(await get(url))
        found = document.get("jwks_uri") if isinstance(document, dict) else None
        if document.get("issuer") != trusted.issuer or not isinstance(found, str):
            raise ValueError("it is not the configuration of this issuer")
        if not found.startswith("https://") and not allow_private:
            raise ValueError("it names an address for the keys that is not https")
        return found

    if trusted.jwks_uri is not None:
        return PublishedKeys(trusted.jwks_uri, read_keys, kept_s=KEPT_S, allow_private=allow_private)
    url = trusted.issuer.rstrip("/") + DISCOVERY
    return PublishedKeys(url, read_keys, kept_s=KEPT_S, locate=locate, allow_private=allow_private)


def read_keys(content: bytes) -> Sequence[Key]:
    """The public keys of a key set that may check signatures. Raises ValueError when it is none."""
    try:
        found = KeySet.import_key_set(orjson.loads(content))
    except (JoseError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("it is no key set") from error
    return [
        key
        for key in found.keys
        if isinstance(key, RSAKey | ECKey | OKPKey) and key.get("use", "sig") == "sig"
    ]


def _claimed(trusted: TrustedIssuer, claims: Mapping[str, Any]) -> Claimed:
    names = trusted.claims
    email = _text(claims, names.email, 254)
    return Claimed(
        trusted.issuer,
        claims["sub"],
        email if email is not None and "@" in email else None,
        _text(claims, names.name, 100),
        _text(claims, names.avatar_url, 2000),
    )


def _text(claims: Mapping[str, Any], path: str, most: int) -> str | None:
    """The text at a path such as `user_metadata.name`; None for anything else, and for what is too long to be it."""
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and 0 < len(value) <= most and value.isprintable() else None
