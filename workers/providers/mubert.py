"""Mubert: instrumental tracks over REST; there is no SDK.

A create answers with the track's id, which is then polled. It takes no tag, so a track whose answer was lost is
recognised in the list of tracks by all that it was asked for.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

import aiohttp
import orjson

from shared.catalog import ModelCard, Price
from shared.errors import JobError
from shared.executor import Executor
from shared.money import NANOS_PER_USD
from shared.settings import Settings
from workers.providers.base import (
    Absent,
    Accepted,
    Answer,
    Ended,
    Finished,
    Found,
    Gone,
    Job,
    Lost,
    NotSent,
    Pending,
    Provider,
    Refused,
    RemoteFile,
    Request,
    Sink,
    Unaskable,
    UnreadableAnswer,
    Usage,
)
from workers.providers.styles import music_prompt
from workers.providers.throttle import retry_after_s

TRACKS: Final = "/api/v3/public/tracks"
CREATE_TIMEOUT_S: Final = 20.0
ASK_TIMEOUT_S: Final = 7.0
PROMPT_LENGTH: Final = 255
FIND_MARGIN: Final = timedelta(minutes=2)
"""How far Mubert's clock may be from ours."""
PAGE: Final = 100
FIND_PAGES: Final = 20
BUSY_S: Final = 5.0
"""How long to wait when as many tracks are in the making as the licence allows, and nothing says how long."""

_NO_ANSWER = (aiohttp.ClientError, OSError, TimeoutError)
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_MIME = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_BITRATE = 320
_ONE_TRACK = Usage({"run": Decimal(1)})

CARDS = (
    ModelCard(
        provider="mubert",
        model="mubert-v3",
        kind="music",
        label="Mubert v3",
        description="Instrumental background music from five seconds on.",
        accepts=frozenset({"prompt", "genre", "mood", "tempo", "duration_s", "format", "instrumental"}),
        price=Price(
            {"run": Decimal("0.49") * NANOS_PER_USD},
            date(2026, 11, 20),
            "third-party list: plans from $49 a month for 100 tracks, so $0.49 a track; unverified",
        ),
        expected_s=15.0,
        aliases=("mubert",),
        rank=40,
        limits={
            "prompt": {"maxLength": PROMPT_LENGTH},
            "duration_s": {"minimum": 5},
            "instrumental": {"enum": [True]},
        },
        licence="Royalty-free under Mubert's licence for the plan; downstream use depends on the plan.",
    ),
)


class MubertProvider(Provider):
    name: ClassVar[str] = "mubert"
    submit_timeout_s: ClassVar[float] = CREATE_TIMEOUT_S
    find_window_s: ClassVar[float] = 60.0

    def __init__(self, customer_id: str | None, access_token: str | None, base_url: str) -> None:
        self._customer_id = customer_id
        self._access_token = access_token
        self._base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    @property
    def unavailable_reason(self) -> str | None:
        if not self._access_token:
            return "MUBERT_ACCESS_TOKEN is not set"
        return None if self._customer_id else "MUBERT_CUSTOMER_ID is not set"

    @property
    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    async def submit(self, request: Request, sink: Sink) -> Accepted:
        sent = sent_input(request.input)
        try:
            status, body = await self._call("POST", TRACKS, sent=sent, timeout_s=CREATE_TIMEOUT_S)
        except _NOT_SENT as error:
            raise NotSent(f"no connection to Mubert: {error}") from error
        track_id = _data(status, body).get("id")
        if not isinstance(track_id, str) or not track_id:
            raise UnreadableAnswer("Mubert answered without an id")
        return Accepted(track_id)

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        answers = await asyncio.gather(*(self._poll_one(job) for job in jobs))
        return dict(zip((job.submission_id for job in jobs), answers, strict=True))

    async def _poll_one(self, job: Job) -> Answer | Exception:
        try:
            status, body = await self._call("GET", f"{TRACKS}/{job.remote_id}")
            return Gone() if status == 404 else read(_data(status, body))
        except (*_NO_ANSWER, Refused, UnreadableAnswer) as error:
            return error

    async def cancel(self, job: Job) -> None:
        """Mubert has no cancel: the track is made and billed, and its final word is awaited."""

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        sent = sent_input(lost.request.input)
        first = lost.intent_at - FIND_MARGIN
        last = lost.intent_at + timedelta(seconds=self.submit_timeout_s) + FIND_MARGIN
        equal = [
            track
            async for track in self._tracks(first)
            if _is_equal(track, sent) and first <= _moment(track) <= last and track["id"] not in lost.taken
        ]
        if len(equal) == 1 and lost.alone:
            return Found(str(equal[0]["id"]))
        return Unaskable() if equal else Absent()

    async def _tracks(self, since: datetime) -> AsyncIterator[dict[str, Any]]:
        """The tracks, newest first, down to those made before `since`."""
        for page in range(FIND_PAGES):
            query = {
                "limit": str(PAGE),
                "offset": str(page * PAGE),
                "order": "desc",
                "order_by": "created_at",
            }
            status, body = await self._call("GET", TRACKS, query=query)
            _data(status, body, kind=list)
            tracks: list[dict[str, Any]] = body["data"]
            for track in tracks:
                yield track
            if len(tracks) < PAGE or _moment(tracks[-1]) < since:
                return
        raise UnreadableAnswer(f"too many tracks since {since} to look through")

    async def _call(
        self,
        method: str,
        path: str,
        *,
        sent: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        timeout_s: float = ASK_TIMEOUT_S,
    ) -> tuple[int, Any]:
        """Status and JSON. Raises Refused for a 4xx but 404, UnreadableAnswer and `_NO_ANSWER`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20))
        headers = {
            "customer-id": self._customer_id or "",
            "access-token": self._access_token or "",
            "Content-Type": "application/json",
        }
        async with self._session.request(
            method,
            self._base_url + path,
            params=query,
            headers=headers,
            data=None if sent is None else orjson.dumps(sent),
            timeout=aiohttp.ClientTimeout(timeout_s, connect=5),
        ) as response:
            raw = await response.read()
            return response.status, _parsed(response.status, response.headers, raw)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def create(settings: Settings, _: Executor) -> MubertProvider:
    token = settings.mubert_access_token
    return MubertProvider(
        settings.mubert_customer_id, token.get_secret_value() if token else None, settings.mubert_base_url
    )


def sent_input(given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a create. Raises Refused when all that is to be said is too long for a prompt.

    A tempo of its own goes only with a channel, not with a prompt, so it is said in words.
    """
    prompt = music_prompt(given)
    if len(prompt) > PROMPT_LENGTH:
        text = f"Mubert takes prompts of up to {PROMPT_LENGTH} characters, with genre, mood and tempo"
        raise Refused(JobError("PROVIDER_REJECTED", text))
    return {
        "prompt": prompt,
        "duration": math.ceil(given.get("duration_s") or 30),
        "bitrate": _BITRATE,
        "format": given.get("format") or "mp3",
        "intensity": "medium",
        "mode": "track",
    }


def read(track: Mapping[str, Any]) -> Answer:
    """What a track means to us. Raises UnreadableAnswer for a status that we do not know.

    A track that was made counts against the plan, whatever became of its file; one that failed does not.
    """
    generations = track.get("generations") or []
    newest = generations[-1] if generations else {}
    match newest.get("status"):
        case None:
            return Pending(running=False)
        case "processing":
            return Pending(running=True)
        case "done" if newest.get("url"):
            return Finished(
                [RemoteFile(str(newest["url"]), _MIME.get(str(newest.get("format"))))], _ONE_TRACK
            )
        case "done":
            error = JobError(
                "PROVIDER_FAILED", "The track expired before it could be fetched", retryable=True
            )
            return Ended(error, _ONE_TRACK, curable=False)
        case "failed":
            return Ended(JobError("PROVIDER_FAILED", "Mubert could not make the track", retryable=True))
        case status:
            raise UnreadableAnswer(f"unknown status {status!r}")


def _parsed(status: int, headers: Mapping[str, str], raw: bytes) -> Any:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        body = {}
        if status < 400:
            raise UnreadableAnswer(f"not JSON: {raw[:80]!r}") from error
    if refused := _refusal(status, headers, body if isinstance(body, dict) else {}):
        raise refused
    return body


def _data(status: int, body: Any, kind: type = dict) -> Any:
    """The `data` of an answer. Raises Refused for a 404, UnreadableAnswer for what is no answer."""
    if status == 404:
        raise Refused(JobError("PROVIDER_REJECTED", "Mubert does not know this", details={"status": status}))
    data = body.get("data") if isinstance(body, dict) else None
    if status not in (200, 201) or not isinstance(data, kind):
        raise UnreadableAnswer(f"Mubert answered {status}")
    return data


def _refusal(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> Refused | None:
    """What a 4xx says; None for every other status, and for 404 and 408, which refuse nothing."""
    if not 400 <= status < 500 or status in (404, 408):
        return None
    code = str(body.get("code") or "")
    text = str(body.get("message") or f"Mubert answered {status}")[:500]
    details = {"status": status} | ({"reason": code} if code else {})
    if status == 429 or code == "LicenseLimitConcurrentTrackGenerationsCount":
        error = JobError("PROVIDER_RATE_LIMITED", text, retryable=True, details=details)
        return Refused(error, retry_after_s=retry_after_s(headers, body, BUSY_S))
    if code.startswith("LicenseForbidden") or status in (400, 422):
        # Another route may well take such a length or format; a body that cannot be read is nobody's.
        rejected = JobError("PROVIDER_REJECTED", text, details=details)
        return Refused(rejected, curable=code.startswith("LicenseForbidden"))
    return Refused(JobError("PROVIDER_AUTH", text, details=details))


def _is_equal(track: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """The list shows no bitrate and the intensity as a number, so those are not compared."""
    return all(track.get(name) == sent[name] for name in ("prompt", "duration", "mode"))


def _moment(track: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(track["created_at"]))
    except (KeyError, ValueError) as error:
        raise UnreadableAnswer("a track without its time of creation") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
