"""Sends the mail that `emails` says is due, through the SMTP server of SMTP_URL.

A message keeps its Message-ID over all attempts. One that the server refuses with a code of 5xx is given up; after
anything else it is tried again later.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import formatdate, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import mail
from shared.domains.mail import Mail
from shared.log import get_logger
from shared.settings import Settings

log = get_logger(__name__)

TICK_S: Final = 5.0
BATCH: Final = 20
TIMEOUT_S: Final = 20.0
HOLD_S: Final = BATCH * TIMEOUT_S
DEFAULT_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in; `tls` from the start, otherwise by STARTTLS where it is offered."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """Of an SMTP_URL, whose form the settings have checked."""
        parts = urlsplit(url)
        return cls(
            parts.hostname or "",
            parts.port or DEFAULT_PORTS[parts.scheme],
            parts.scheme == "smtps",
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


class Mailer:
    """The queue of one process. Any number of processes may serve it."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._sender = settings.smtp_from
        self._server = Server.of(settings.smtp_url.get_secret_value()) if settings.smtp_url else None

    async def run(self) -> None:
        """Until it is cancelled; returns at once where no server is set."""
        while self._server is not None:
            try:
                await self.send_due()
            except CONNECTION_ERRORS as error:
                log.warning("mail_put_off", error=type(error).__name__)
            except Exception:
                log.exception("mail_failed")
            await asyncio.sleep(TICK_S)

    async def send_due(self) -> int:
        """Sends what is due now; returns how many messages that were."""
        if self._server is None:
            return 0
        claimed = await mail.claim(self._db, limit=BATCH, hold_s=HOLD_S)
        if claimed:
            await self._send(self._server, claimed)
        return len(claimed)

    async def _send(self, server: Server, claimed: list[Mail]) -> None:
        client = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, use_tls=server.tls, timeout=TIMEOUT_S,
            username=server.username, password=server.password, tls_context=ssl.create_default_context(),
        )  # fmt: skip
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("smtp_server_unavailable", host=server.host, error=type(error).__name__)
            for message in claimed:
                await mail.failed(self._db, message, _reason(error))
            return
        try:
            for message in claimed:
                await self._send_one(client, message)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()

    async def _send_one(self, client: aiosmtplib.SMTP, message: Mail) -> None:
        if message.address is None:
            await mail.failed(self._db, message, "The account has no user any more.", for_good=True)
            return
        try:
            await client.send_message(compose(message, message.address, self._sender))
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            for_good = isinstance(error, ValueError) or _is_final(error)
            log.warning("mail_not_sent", mail=str(message.id), error=type(error).__name__, given_up=for_good)
            await mail.failed(self._db, message, _reason(error), for_good=for_good)
        else:
            await mail.sent(self._db, message)


def compose(message: Mail, address: str, sender: str) -> EmailMessage:
    """Raises ValueError for an address that cannot be one."""
    composed = EmailMessage(POLICY)
    name, plain = parseaddr(sender)
    composed["From"] = Address(name, addr_spec=plain)
    composed["To"] = Address(addr_spec=address)
    composed["Subject"] = " ".join(message.subject.split())
    composed["Date"] = formatdate(usegmt=True)
    composed["Message-ID"] = f"<{message.id}@{plain.rpartition('@')[2]}>"
    composed["Auto-Submitted"] = "auto-generated"
    composed.set_content(message.body)
    return composed


def _is_final(error: Exception) -> bool:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= 500 for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500


def _reason(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "The SMTP server did not accept the user name or password."
    return f"{type(error).__name__}: {error}"
