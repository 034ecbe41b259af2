"""Callbacks of providers: who is believed, what is kept, and what follows from it."""

import base64
import hashlib
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from standardwebhooks import Webhook

from gateway.published_keys import PublishedKeys, ed25519_keys
from shared.domains.callbacks import callback_url
from shared.ids import new_id
from shared.settings import Settings
from tests.gateway.api import Api, Gateway, open_gateway

SECRET = "whsec_" + base64.b64encode(b"a secret of Replicate's for us").decode()
BASE = "https://penstock.example"
BODY = b'{ "status":  "succeeded",\n"output": "\xc3\xa9" }'


@dataclass
class Publisher:
    """Publishes keys like fal; `signer` makes its signatures, which may be ahead of what is published."""

    url: str = ""
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    published: list[Ed25519PrivateKey] = field(default_factory=list)
    asked: int = 0
    broken: bool = False

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.broken:
            return web.Response(status=503)
        numbers = [key.public_key().public_bytes_raw() for key in self.published]
        keys: list[dict[str, str]] = [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]
        keys += [
            {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(number).rstrip(b"=").decode()}
            for number in numbers
        ]
        return web.json_response({"keys": keys})

    def headers(self, body: bytes, *, at: float | None = None) -> dict[str, str]:
        named = ["req-1", "user-1", str(int(time.time() if at is None else at))]
        message = "\n".join([*named, hashlib.sha256(body).hexdigest()])
        return {
            "X-Fal-Webhook-Request-Id": named[0],
            "X-Fal-Webhook-User-Id": named[1],
            "X-Fal-Webhook-Timestamp": named[2],
            "X-Fal-Webhook-Signature": self.signer.sign(message.encode()).hex(),
        }


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    made = Publisher()
    made.published = [Ed25519PrivateKey.generate(), made.signer]
    app = web.Application()
    app.router.add_get("/jwks.json", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks.json"
    yield made
    await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Scene:
    """A gateway that checks signatures, and an account whose generation waits at a provider for an hour."""

    gateway: Gateway
    account_id: UUID
    settings: Settings

    async def submission(self, provider: str = "replicate", state: str = "accepted") -> UUID:
        generation_id, submission_id = new_id(), new_id()
        waiting = state == "accepted"
        await self.gateway.worker.execute(
            "INSERT INTO generations (id, account_id, kind, model, state, wake_at, deadline_at)"
            " VALUES ($1, $2, 'image', 'm', $3, CASE WHEN $4 THEN now() + interval '1 hour' END, now())",
            generation_id, self.account_id, "waiting" if waiting else "completed", waiting,
        )  # fmt: skip
        await self.gateway.worker.execute(
            "INSERT INTO submissions (id, generation_id, account_id, n, provider, model, request_hash, state)"
            " VALUES ($1, $2, $3, 1, $4, 'm', 'h', $5)",
            submission_id, generation_id, self.account_id, provider, state,
        )  # fmt: skip
        return submission_id

    def url(self, submission_id: UUID, provider: str = "replicate") -> str:
        url = callback_url(self.settings, provider, submission_id)
        assert url is not None
        return url.removeprefix(BASE)

    async def post(
        self, path: str, body: bytes | io.BytesIO = BODY, headers: dict[str, str] | None = None
    ) -> Any:
        nobody = Api(self.gateway, self.account_id, None)
        return await nobody.call("POST", path, data=body, headers=headers or {})

    async def kept(self, submission_id: UUID) -> list[Any]:
        return await self.gateway.worker.fetch(
            "SELECT * FROM provider_callbacks WHERE submission_id = $1", submission_id
        )

    async def pokes(self, submission_id: UUID) -> tuple[int, bool]:
        """How often it was poked, and whether it is due."""
        row = await self.gateway.worker.fetchrow(
            "SELECT g.pokes, coalesce(g.wake_at <= now(), false) AS due FROM generations g"
            " JOIN submissions s ON s.generation_id = g.id WHERE s.id = $1",
            submission_id,
        )
        assert row is not None
        return row["pokes"], row["due"]


@pytest.fixture
async def scene(settings: Settings, publisher: Publisher, api: Api) -> AsyncIterator[Scene]:
    changes = {
        "callback_base_url": BASE,
        "replicate_webhook_secret": Settings(
            _env_file=None, replicate_webhook_secret=SECRET
        ).replicate_webhook_secret,
        "fal_webhook_jwks_url": publisher.url,
        "allow_private_urls": True,
    }
    changed = settings.model_copy(update=changes)
    async with open_gateway(changed) as gateway:
        yield Scene(gateway, api.account_id, changed)


def signed(body: bytes = BODY, message_id: str = "msg_1", at: float | None = None) -> dict[str, str]:
    """Headers as Replicate sends them."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    signature = Webhook(SECRET).sign(message_id, moment, body.decode())
    return {
        "Content-Type": "application/json",
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": f"v1,{base64.b64encode(b'an older key').decode()} {signature}",
    }


async def test_it_is_kept_as_it_came_and_its_generation_is_due(scene: Scene) -> None:
    submission_id = await scene.submission()
    answer = await scene.post(scene.url(submission_id), headers={**signed(), "X-Other": "no"})
    assert (answer.status, answer.json) == (200, {"received": True, "duplicate": False})
    (row,) = await scene.kept(submission_id)
    assert (row["body"], row["event_id"], row["verified"]) == (BODY, "msg_1", True)
    assert {"webhook-id", "webhook-timestamp", "content-type"} <= row["headers"].keys()
    assert "x-other" not in row["headers"]
    assert await scene.pokes(submission_id) == (1, True)


async def test_a_repeated_one_changes_nothing(scene: Scene) -> None:
    submission_id = await scene.submission()
    answers = [await scene.post(scene.url(submission_id), headers=signed()) for _ in range(3)]
    assert [answer.json["duplicate"] for answer in answers] == [False, True, True]
    assert len(await scene.kept(submission_id)) == 1
    assert await scene.pokes(submission_id) == (1, True)
    assert (await scene.post(scene.url(submission_id), headers=signed(message_id="msg_2"))).status == 200
    assert (len(await scene.kept(submission_id)), await scene.pokes(submission_id)) == (2, (2, True))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param(signed(b"{}"), id="another body's"),
        pytest.param({**signed(), "Webhook-Id": "msg_2"}, id="another message's"),
        pytest.param({**signed(), "Webhook-Signature": "v1"}, id="no signature"),
        pytest.param({**signed(), "Webhook-Signature": "v1,a"}, id="no base64"),
        pytest.param({**signed(), "Webhook-Timestamp": "soon"}, id="no time"),
        pytest.param(signed(at=time.time() - 3600), id="an hour old"),
        pytest.param(signed(at=time.time() + 3600), id="from the future"),
    ],
)
async def test_a_forged_or_old_one_leaves_no_trace(scene: Scene, headers: dict[str, str]) -> None:
    submission_id = await scene.submission()
    answer = await scene.post(scene.url(submission_id), headers=headers)
    assert answer.problem[:2] == (401, "UNAUTHENTICATED")
    assert (await scene.kept(submission_id), await scene.pokes(submission_id)) == ([], (0, False))


async def test_a_body_that_is_no_text_is_refused_where_a_signature_is_due(scene: Scene) -> None:
    submission_id = await scene.submission()
    assert (await scene.post(scene.url(submission_id), b"\xff\xfe", signed())).status == 401


async def test_only_the_url_that_was_given_is_taken(scene: Scene) -> None:
    mine, other = await scene.submission(), await scene.submission()
    bare, _, token = scene.url(mine).partition("?")
    for path in (
        bare,
        f"{bare}?t=",
        f"{bare}?t=%C3%A9",
        f"{scene.url(other).partition('?')[0]}?{token}",
        f"{bare.replace('/replicate/', '/fal/')}?{token}",
    ):
        assert (await scene.post(path, headers=signed())).problem[:2] == (401, "UNAUTHENTICATED"), path
    assert (await scene.kept(mine), await scene.kept(other)) == ([], [])
    assert (await scene.post(f"{scene.url(mine)}&s=anything", headers=signed())).status == 200


async def test_what_is_not_there_is_not_found(scene: Scene) -> None:
    elsewhere = await scene.submission("mubert")
    for path in (scene.url(new_id()), scene.url(elsewhere)):
        assert (await scene.post(path, headers=signed())).problem[:2] == (404, "NOT_FOUND")
    assert (await scene.post("/api/v1/callbacks/replicate/x?t=y")).problem[:2] == (404, "NOT_FOUND")
    assert await scene.kept(elsewhere) == []


async def test_it_is_limited_in_length(scene: Scene) -> None:
    submission_id = await scene.submission()
    body = b"x" * (scene.settings.max_body_bytes + 1)
    answer = await scene.post(scene.url(submission_id), io.BytesIO(body), signed(body))
    assert answer.problem[:2] == (413, "PAYLOAD_TOO_LARGE")
    assert await scene.kept(submission_id) == []


async def test_after_the_end_it_is_kept_and_nothing_wakes(scene: Scene) -> None:
    submission_id = await scene.submission(state="done")
    assert (await scene.post(scene.url(submission_id), headers=signed())).status == 200
    assert (len(await scene.kept(submission_id)), await scene.pokes(submission_id)) == (1, (0, False))


async def test_an_open_submission_of_an_ended_generation_is_looked_at(scene: Scene) -> None:
    submission_id = await scene.submission(state="done")
    await scene.gateway.worker.execute(
        "UPDATE submissions SET state = 'accepted', check_at = now() + interval '1 hour' WHERE id = $1",
        submission_id,
    )
    assert (await scene.post(scene.url(submission_id), headers=signed())).status == 200
    due = "SELECT check_at <= now() FROM submissions WHERE id = $1"
    assert await scene.gateway.worker.fetchval(due, submission_id)


async def test_one_that_is_held_is_looked_at_when_it_is_given_back(scene: Scene) -> None:
    submission_id = await scene.submission()
    await scene.gateway.worker.execute("UPDATE generations SET owner = gen_random_uuid()")
    assert (await scene.post(scene.url(submission_id), headers=signed())).status == 200
    assert await scene.pokes(submission_id) == (1, False)


async def test_a_provider_without_signatures_is_known_by_its_url(scene: Scene) -> None:
    submission_id = await scene.submission("mubert")
    path = scene.url(submission_id, "mubert")
    bodies = (b"\xff\x00 anything", b"\xff\x00 anything", b"")
    answers = [await scene.post(path, body) for body in bodies]
    assert [answer.json["duplicate"] for answer in answers] == [False, True, False]
    rows = await scene.kept(submission_id)
    assert {(row["body"], row["verified"]) for row in rows} == {(bodies[0], False), (b"", False)}


# fal.


async def test_fal_is_known_by_the_keys_that_it_publishes(scene: Scene, publisher: Publisher) -> None:
    submission_id = await scene.submission("fal")
    path = scene.url(submission_id, "fal")
    answers = [await scene.post(path, headers=publisher.headers(BODY)) for _ in range(2)]
    assert [answer.json["duplicate"] for answer in answers] == [False, True]
    (row,) = await scene.kept(submission_id)
    assert (row["event_id"], row["verified"], row["body"]) == ("req-1", True, BODY)
    assert publisher.asked == 1


@pytest.mark.parametrize("wrong", ["key", "body", "time", "missing", "not hex", "no time"])
async def test_fals_forgeries_are_refused(scene: Scene, publisher: Publisher, wrong: str) -> None:
    submission_id = await scene.submission("fal")
    if wrong == "key":
        publisher.published.remove(publisher.signer)
    at = time.time() - 301 if wrong == "time" else None
    headers = publisher.headers(b"{}" if wrong == "body" else BODY, at=at)
    headers |= {
        "missing": {"X-Fal-Webhook-User-Id": ""},
        "not hex": {"X-Fal-Webhook-Signature": "xy"},
        "no time": {"X-Fal-Webhook-Timestamp": "now"},
    }.get(wrong, {})
    answer = await scene.post(scene.url(submission_id, "fal"), headers=headers)
    assert answer.problem[:2] == (401, "UNAUTHENTICATED")
    assert await scene.kept(submission_id) == []
    assert publisher.asked <= 1


async def test_without_fals_keys_it_may_come_again(scene: Scene, publisher: Publisher) -> None:
    publisher.broken = True
    submission_id = await scene.submission("fal")
    for _ in range(2):
        answer = await scene.post(scene.url(submission_id, "fal"), headers=publisher.headers(BODY))
        assert answer.problem[:2] == (503, "UNAVAILABLE")
    assert (await scene.kept(submission_id), publisher.asked) == ([], 1)


async def test_keys_are_fetched_again_when_they_are_old_and_kept_without_their_publisher(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.published_keys.PAUSE_S", 0.0)
    keys = PublishedKeys(publisher.url, ed25519_keys, allow_private=True)
    assert [len(await keys.current()) for _ in range(2)] == [2, 2]
    assert publisher.asked == 1
    publisher.published.append(Ed25519PrivateKey.generate())
    assert len(await keys.newer()) == 3
    monkeypatch.setattr(keys, "_stale_at", float("-inf"))
    publisher.broken = True
    assert len(await keys.current()) == 3
    assert publisher.asked == 3
    await keys.close()


async def test_keys_are_not_fetched_from_private_addresses(publisher: Publisher) -> None:
    keys = PublishedKeys(publisher.url, ed25519_keys)
    assert await keys.newer() == ()
    assert publisher.asked == 0
    await keys.close()


# The setting.


@pytest.mark.parametrize("url", ["http://penstock.example", "penstock.example", "https://x.example/?a=1"])
def test_callbacks_come_over_https_only(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, callback_base_url=url)


def test_without_a_public_address_nobody_is_called_back() -> None:
    assert callback_url(Settings(_env_file=None), "replicate", new_id()) is None
    made = callback_url(Settings(_env_file=None, callback_base_url=f"{BASE}/"), "replicate", UUID(int=7))
    assert made is not None
    assert made.startswith(f"{BASE}/api/v1/callbacks/replicate/00000000-0000-0000-0000-000000000007?t=")


async def test_the_app_role_cannot_read_what_is_kept(scene: Scene) -> None:
    for table in ("provider_callbacks", "provider_audits"):
        with pytest.raises(Exception, match="permission denied"):
            await scene.gateway.deps.db.fetch(f"SELECT * FROM {table}")
