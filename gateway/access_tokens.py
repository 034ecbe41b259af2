"""Our own access tokens: JSON Web Tokens (RFC 7519) that name a session, good for fifteen minutes."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode

from shared.crypto import derived_key
from shared.domains.accounts import Role
from shared.ids import parse_id

ISSUER: Final = "penstock"
AUDIENCE: Final = "penstock-api"
LIFETIME_S: Final = 15 * 60
ALGORITHMS: Final = ("HS256",)
TYPE: Final = "at+jwt"

_CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    sid={"essential": True},
    jti={"essential": True},
    exp={"essential": True},
    iat={"essential": True},
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a genuine token that has not expired says. Whether its session lives, Postgres knows."""

    account_id: UUID
    session_id: UUID
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Makes and reads them, under a key derived from the server's own."""

    server_key: str = field(repr=False)
    _key: OctKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = OctKey.import_key(derived_key(self.server_key, "access-token"))
        object.__setattr__(self, "_key", key)

    def issue(self, account_id: UUID, session_id: UUID, role: Role) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(12),
            "role": role.value,
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        return jwt.encode({"alg": ALGORITHMS[0], "typ": TYPE}, claims, self._key, algorithms=ALGORITHMS)

    def read(self, text: str) -> AccessToken | None:
        """None for what we have not made, what was altered, and what has expired."""
        try:
            found = jwt.decode(text, self._key, algorithms=ALGORITHMS)
            _CLAIMS.validate(found.claims)
        except (JoseError, ValueError):
            return None
        account_id, session_id = parse_id(str(found.claims["sub"])), parse_id(str(found.claims["sid"]))
        if found.header.get("typ") != TYPE or account_id is None or session_id is None:
            return None
        return AccessToken(account_id, session_id, float(found.claims["exp"]))


def claimed_issuer(text: str) -> str | None:
    """Who a token says has made it, which nobody has checked yet; None for what is no token."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = orjson.loads(urlsafe_b64decode(parts[1].encode()))
    except ValueError:
        return None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else None
