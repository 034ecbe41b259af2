"""Callbacks of providers: hints that there is news of a submission.

The URL that a provider is given carries a token of ours, so what comes to it was told by somebody to whom we
gave that URL. Even so nothing in a callback's body decides a fact: it is kept as it came, and the generation is
looked at now instead of later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from shared.crypto import is_token, token
from shared.db import Database
from shared.ids import new_id, parse_id
from shared.queue import Bell
from shared.settings import Settings

PATH = "/api/v1/callbacks"
TOKEN_PARAMETER = "t"  # noqa: S105  # a name
_PURPOSE = "callback"

_TAKE = "SELECT kind, fresh FROM auth.take_callback($1, $2, $3, $4, $5, $6, $7)"


@dataclass(frozen=True, slots=True)
class Callback:
    """What a provider sent. `verified` says that its own signature was checked; `event_id` names the event
    among those of the submission."""

    provider: str
    submission_id: UUID
    event_id: str
    headers: Mapping[str, str]
    body: bytes
    verified: bool


def callback_url(settings: Settings, provider: str, submission_id: UUID) -> str | None:
    """Where the provider may tell of this submission, or None when it cannot reach us."""
    if settings.callback_base_url is None:
        return None
    proof = token(settings.secret_key.get_secret_value(), _PURPOSE, _payload(provider, submission_id))
    return f"{settings.callback_base_url}{PATH}/{provider}/{submission_id}?{TOKEN_PARAMETER}={proof}"


def is_genuine(server_key: str, provider: str, submission_id: UUID, given: str) -> bool:
    """Whether `given` is the token of the URL that we gave this provider for this submission."""
    return is_token(server_key, _PURPOSE, _payload(provider, submission_id), given)


def submission_of(server_key: str, provider: str, url: str) -> UUID | None:
    """The submission that a callback URL is for, if we made it; None for anybody else's."""
    parts = urlsplit(url)
    head, _, last = parts.path.rpartition("/")
    submission_id = parse_id(last)
    if submission_id is None or not head.endswith(f"{PATH}/{provider}"):
        return None
    given = parse_qs(parts.query).get(TOKEN_PARAMETER, [""])[0]
    return submission_id if is_genuine(server_key, provider, submission_id, given) else None


async def take(db: Database, bell: Bell, callback: Callback) -> bool | None:
    """Keeps the callback and has its generation looked at now.

    False when it was here before, which changes nothing; None when the provider has no such submission.
    """
    async with db.transaction() as tx:
        row = await tx.fetchrow(
            _TAKE, new_id(), callback.submission_id, callback.provider, callback.event_id, dict(callback.headers),
            callback.body, callback.verified,
        )  # fmt: skip
        if row is None:
            return None
        if row["fresh"]:
            tx.after_commit(lambda: bell.poke(row["kind"]))
    return bool(row["fresh"])


def _payload(provider: str, submission_id: UUID) -> str:
    return f"{provider}/{submission_id}"
