"""People who sign up at a gateway under test, as programs (bearer tokens) and as browsers (cookies)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any, Self
from uuid import UUID, uuid4

from tests.gateway.api import Api, Gateway, Response

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in; `cookies` is what their browser was given at last."""

    gateway: Gateway
    email: str
    tokens: dict[str, Any]
    cookies: Mapping[str, Morsel[str]]

    @classmethod
    async def sign_up(cls, gateway: Gateway, email: str | None = None, **body: Any) -> Self:
        email = email or f"{uuid4().hex}@people.example"
        answer = await stranger(gateway).post(
            "/api/auth/signup", {"email": email, "password": PASSWORD} | body
        )
        assert answer.status == 201, answer.content
        return cls.of(gateway, email, answer)

    @classmethod
    def of(cls, gateway: Gateway, email: str, answer: Response) -> Self:
        return cls(gateway, email, answer.json["data"], cookies_of(answer))

    async def sign_in(self, password: str = PASSWORD) -> Self:
        """The same person in another session."""
        answer = await stranger(self.gateway).post(
            "/api/auth/login", {"email": self.email, "password": password}
        )
        assert answer.status == 200, answer.content
        return self.of(self.gateway, self.email, answer)

    @property
    def account_id(self) -> UUID:
        return UUID(self.tokens["user"]["id"])

    @property
    def session_id(self) -> str:
        return str(self.tokens["session_id"])

    @property
    def api(self) -> Api:
        """A program with the access token."""
        return Api(self.gateway, self.account_id, self.tokens["access_token"])

    @property
    def own(self) -> dict[str, str]:
        """What the browser adds to requests of our own pages."""
        return {"Cookie": self.cookie, "Origin": self.gateway.url}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())

    async def become(self, role: str) -> Self:
        """Changes the role, as an admin would."""
        await self.gateway.worker.execute("UPDATE users SET role = $2 WHERE id = $1", self.account_id, role)
        self.gateway.deps.authenticator.forget(lambda _: True)
        return self


def stranger(gateway: Gateway) -> Api:
    return Api(gateway, UUID(int=0), None)


def cookies_of(answer: Response) -> Mapping[str, Morsel[str]]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.getall("Set-Cookie", ()):  # type: ignore[attr-defined]  # it is a multidict
        jar.load(line)
    return jar
