"""Mail to a local SMTP server: sent once, tried again after trouble, given up when refused."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from pydantic import SecretStr, ValidationError

from shared.settings import Settings
from tests.pipeline import Pipeline
from workers.mail import Mailer


class Sink:
    """What an SMTP server got; `answer` is what it says to the next message."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], Message]] = []
        self.answer = "250 OK"
        self.port = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        answer, self.answer = self.answer, "250 OK"
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.got.append((envelope.rcpt_tos, message_from_bytes(content)))
        return answer


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A server that listens at `port`."""
    sink = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, enable_SMTPUTF8=True), "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    yield sink
    server.close()
    await server.wait_closed()


@pytest.fixture(autouse=True)
async def empty(pipeline: Pipeline) -> None:
    """No mail of other tests is on its way."""
    await pipeline.worker.execute("DELETE FROM emails")


def _mailer(pipeline: Pipeline, port: int) -> Mailer:
    changes = {
        "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
        "smtp_from": "Penstock <no-reply@example.com>",
    }
    return Mailer(pipeline.worker, pipeline.settings.model_copy(update=changes))


async def _write(pipeline: Pipeline, *, user: bool = True) -> UUID:
    if user:
        await pipeline.worker.execute(
            "INSERT INTO users (id, email) VALUES ($1::uuid, $2)",
            pipeline.account_id, f"{pipeline.account_id}@people.example",
        )  # fmt: skip
    mail_id: UUID = await pipeline.worker.fetchval(
        "INSERT INTO emails (account_id, subject, body, next_at) VALUES ($1, E'50 %\\nspent', 'Naïve …', now())"
        " RETURNING id",
        pipeline.account_id,
    )
    return mail_id


async def _state(pipeline: Pipeline, mail_id: UUID) -> tuple[bool, bool, int]:
    """Whether it was sent, whether it is to be tried again, and how often it was."""
    row = await pipeline.worker.fetchrow("SELECT sent_at, next_at, tries FROM emails WHERE id = $1", mail_id)
    assert row is not None
    return row["sent_at"] is not None, row["next_at"] is not None, row["tries"]


async def test_mail_is_sent_once_to_the_account_s_user(pipeline: Pipeline, sink: Sink) -> None:
    mail_id = await _write(pipeline)
    mailer = _mailer(pipeline, sink.port)
    assert [await mailer.send_due(), await mailer.send_due()] == [1, 0]
    ((recipients, message),) = sink.got
    assert recipients == [f"{pipeline.account_id}@people.example"]
    assert (message["Subject"], message["From"]) == ("50 % spent", "Penstock <no-reply@example.com>")
    assert message["Message-ID"] == f"<{mail_id}@example.com>"
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().strip() == "Naïve …"
    assert await _state(pipeline, mail_id) == (True, False, 1)


@pytest.mark.parametrize(("answer", "again"), [("451 Later", True), ("554 Never", False)])
async def test_what_the_server_says_decides_about_another_try(
    pipeline: Pipeline, sink: Sink, answer: str, again: bool
) -> None:
    mail_id = await _write(pipeline)
    sink.answer = answer
    mailer = _mailer(pipeline, sink.port)
    await mailer.send_due()
    assert await _state(pipeline, mail_id) == (False, again, 1)
    await pipeline.worker.execute("UPDATE emails SET next_at = now() WHERE next_at IS NOT NULL")
    await mailer.send_due()
    assert len(sink.got) == again


async def test_a_server_that_is_away_is_tried_again(pipeline: Pipeline) -> None:
    mail_id = await _write(pipeline)
    await _mailer(pipeline, 1).send_due()
    assert await _state(pipeline, mail_id) == (False, True, 1)


async def test_nobody_is_left_to_read_it(pipeline: Pipeline, sink: Sink) -> None:
    mail_id = await _write(pipeline, user=False)
    await _mailer(pipeline, sink.port).send_due()
    assert await _state(pipeline, mail_id) == (False, False, 1)
    assert sink.got == []


async def test_a_url_that_is_none_is_refused_without_showing_it(settings: Settings) -> None:
    with pytest.raises(ValidationError, match="smtp://") as refusal:
        Settings(_env_file=None, smtp_url=SecretStr("http://user:hush@host"))
    assert "hush" not in str(refusal.value)
