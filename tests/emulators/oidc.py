"""An OpenID provider: its configuration, its published keys, and tokens signed by them.

    python -m tests.emulators.oidc --port 9120

`POST /token` with a JSON object of claims gives a token for them, so that a person can be anybody.
"""

import argparse
import time
from collections.abc import Iterable
from typing import Any, ClassVar

import orjson
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.emulators.base import Emulator, InvoiceLine, answer, run

LIFETIME_S = 3600

type SigningKey = RSAKey | ECKey


class OpenIdIssuer(Emulator):
    """Signs with RS256 by its key `rsa-1` and with ES256 by `ec-1`; `keys` are what it publishes."""

    name: ClassVar[str] = "oidc"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.keys: list[SigningKey] = [new_rsa_key("rsa-1"), new_ec_key("ec-1")]

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/.well-known/openid-configuration", self._configuration, name="configuration"),
            web.get("/keys", self._keys, name="keys"),
            web.post("/token", self._token, name="token"),
        ]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        return answer({"error": detail}, status)

    def invoice(self) -> list[InvoiceLine]:
        return []

    def token(self, subject: str = "ada", *, key: SigningKey | None = None, **claims: Any) -> str:
        """A token of this issuer for the audience `penstock`; claims of the value None are left out."""
        now = int(time.time())
        told = {
            "iss": self.url,
            "sub": subject,
            "aud": "penstock",
            "iat": now,
            "exp": now + LIFETIME_S,
        } | claims
        return sign({name: value for name, value in told.items() if value is not None}, key or self.keys[0])

    async def _configuration(self, _: web.Request) -> web.Response:
        return answer({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, _: web.Request) -> web.Response:
        return answer({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _token(self, request: web.Request) -> web.Response:
        return answer({"access_token": self.token(**orjson.loads(await request.read()))})


def new_rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def new_ec_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def sign(claims: dict[str, Any], key: SigningKey, **header: Any) -> str:
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    return jwt.encode({"alg": algorithm, "kid": key.kid} | header, claims, key, algorithms=[algorithm])


def main() -> None:
    parser = argparse.ArgumentParser(description="An emulated OpenID provider.")
    run(lambda options: OpenIdIssuer(host=options.host, port=options.port), parser)


if __name__ == "__main__":
    main()
