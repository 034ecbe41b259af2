"""Mubert's HTTP API v3 as its OpenAPI file shows it: tracks that are made in a while, and expire.

    python -m tests.emulators.mubert --port 9104 --run-seconds 2

What it would bill is at `/_emulator/invoice`: every track that was made is one of the plan's; one that failed
is none.
"""

import argparse
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.emulators.base import FAULTS, Effect, Emulator, Fault, InvoiceLine, answer, cut, run
from tests.emulators.media import MIME, sound

TRACK_NANOS = 490_000_000
BITRATES = (32, 96, 128, 192, 256, 320)
INTENSITIES = {"low": 1, "medium": 2, "high": 3}
MODES = ("track", "jingle", "loop", "mix")


@dataclass(slots=True)
class Track:
    id: str
    input: dict[str, Any]
    created_at: float
    run_s: float
    retention_s: float
    faults: dict[Effect, Fault] = field(default_factory=dict)

    def status(self, now: float) -> str:
        if Effect.STUCK in self.faults or now < self.created_at + self.run_s:
            return "processing"
        return "failed" if Effect.FAIL in self.faults else "done"

    def expired(self, now: float) -> bool:
        return Effect.OUTPUT_EXPIRED in self.faults or now > self.created_at + self.run_s + self.retention_s

    def listed(self, now: float) -> bool:
        lag = self.faults.get(Effect.LIST_LAG)
        return lag is None or now >= self.created_at + lag.seconds

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "session_id": f"sess_{self.id[:8]}",
            "playlist_index": None,
            "prompt": self.input.get("prompt"),
            "duration": self.input["duration"],
            "intensity": INTENSITIES[self.input.get("intensity", "medium")],
            "mode": self.input.get("mode", "track"),
            "key": None,
            "bpm": 120,
            "created_at": _iso(self.created_at),
        }

    def generation(self, now: float, base_url: str | None) -> dict[str, Any]:
        """`base_url` is None for a row of the list, which shows no links."""
        status = self.status(now)
        body: dict[str, Any] = {
            "session_id": f"sess_{self.id[:8]}",
            "format": self.input.get("format", "mp3"),
            "bitrate": self.input.get("bitrate", 320),
            "status": status,
            "created_at": _iso(self.created_at),
        }
        if status == "done":
            ended = self.created_at + self.run_s
            body |= {"generated_at": _iso(ended), "expired_at": _iso(ended + self.retention_s)}
        if base_url is not None:
            there = status == "done" and not self.expired(now)
            body["url"] = f"{base_url}/files/{self.id}.{body['format']}" if there else None
        return body

    def bill(self, now: float) -> InvoiceLine:
        status = self.status(now)
        nanos = TRACK_NANOS if status == "done" else 0
        return InvoiceLine(
            self.id, "mubert-v3", status, nanos, status != "processing", self.created_at, input=self.input
        )


class MubertEmulator(Emulator):
    """`run_s` is how long a track takes; `concurrent` and `tracks_left` are the licence's limits."""

    name: ClassVar[str] = "mubert"

    def __init__(
        self,
        *,
        run_s: float = 0.05,
        retention_s: float = 3600.0,
        customer_id: str | None = None,
        access_token: str | None = None,
        concurrent: int = 5,
        tracks_left: int = 100,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.run_s = run_s
        self.retention_s = retention_s
        self.concurrent = concurrent
        self.tracks_left = tracks_left
        self.tracks: dict[str, Track] = {}
        self._customer_id = customer_id
        self._access_token = access_token

    def routes(self) -> Iterable[web.RouteDef]:
        tracks = "/api/v3/public/tracks"
        return [
            web.post(tracks, self._create, name="create"),
            web.get(tracks, self._list, name="list"),
            web.get(tracks + "/{id}", self._get, name="get"),
            web.get("/files/{file}", self._file, name="file"),
        ]

    def invoice(self) -> list[InvoiceLine]:
        now = self.clock.now()
        return [track.bill(now) for track in self.tracks.values()]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """`detail` may begin with a code and a colon: `LicenseLimitTracksCount: no more`."""
        code, colon, text = detail.partition(": ")
        if not colon or " " in code:
            code, text = {401: "Unauthenticated", 404: "TrackNotFound"}.get(status, "Error"), detail
        return answer({"code": code, "message": text, "description": None}, status)

    def refusal(self, request: web.Request) -> web.Response | None:
        if not request.path.startswith("/api/"):
            return None
        given = request.headers.get("customer-id"), request.headers.get("access-token")
        wanted = self._customer_id or given[0], self._access_token or given[1]
        if not all(given) or given != wanted:
            return self.problem(401, "Unauthenticated: Unauthenticated")
        return None

    async def _create(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        if wrong := _complaints(body):
            return answer({"message": "The given data was invalid.", "errors": wrong}, 422)
        now = self.clock.now()
        working = sum(track.status(now) == "processing" for track in self.tracks.values())
        if working >= self.concurrent:
            code = "LicenseLimitConcurrentTrackGenerationsCount"
            return self.problem(403, f"{code}: The limit of concurrent track generations has been exceeded")
        if self.tracks_left < 1:
            return self.problem(403, "LicenseLimitTracksCount: The limit of tracks has been exceeded")
        self.tracks_left -= 1
        faults: dict[Effect, Fault] = request[FAULTS]
        run_s = faults[Effect.RUN_SECONDS].seconds if Effect.RUN_SECONDS in faults else self.run_s
        track = Track(str(uuid.uuid4()), body, now, run_s, self.retention_s, faults)
        self.tracks[track.id] = track
        return answer({"data": track.as_json()})

    async def _get(self, request: web.Request) -> web.Response:
        track = self.tracks.get(request.match_info["id"])
        if track is None:
            return self.problem(404, "TrackNotFound: Track not found")
        generation = track.generation(self.clock.now(), self.url)
        return answer({"data": {**track.as_json(), "generations": [generation]}})

    async def _list(self, request: web.Request) -> web.Response:
        now, query = self.clock.now(), request.query
        limit, offset = int(query.get("limit", "25")), int(query.get("offset", "0"))
        rows = [track for track in self.tracks.values() if track.listed(now)]
        rows.sort(key=lambda track: track.created_at, reverse=query.get("order") == "desc")
        data = [
            {**track.as_json(), "generations": [track.generation(now, None)]}
            for track in rows[offset : offset + limit]
        ]
        return answer({"data": data, "meta": {"total": len(rows), "limit": limit, "offset": offset}})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name, _, extension = request.match_info["file"].partition(".")
        track, now = self.tracks.get(name), self.clock.now()
        if (
            track is None
            or track.status(now) != "done"
            or track.expired(now)
            or Effect.OUTPUT_404 in track.faults
        ):
            return self.problem(404, "Not Found")
        content = sound(extension, 2.0)
        if Effect.OUTPUT_GARBAGE in track.faults:
            content = b"<html><body>Sorry</body></html>" * 100
        mime = "text/html" if Effect.OUTPUT_WRONG_TYPE in track.faults else MIME[extension]
        if Effect.OUTPUT_TRUNCATED not in track.faults:
            return web.Response(body=content, content_type=mime)
        response = web.StreamResponse(headers={"Content-Type": mime, "Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        return cut(request)


def _complaints(body: Any) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    duration, prompt = body.get("duration"), body.get("prompt")
    if not isinstance(duration, int) or duration < 5:
        wrong["duration"] = ["The duration must be at least 5."]
    if not isinstance(prompt, str) or len(prompt) > 255:
        wrong["prompt"] = ["The prompt must not be greater than 255 characters."]
    if "bpm" in body or "key" in body:
        wrong["bpm"] = ["Not allowed if prompt is present."]
    for name, allowed in (
        ("bitrate", BITRATES),
        ("format", ("mp3", "wav")),
        ("intensity", INTENSITIES),
        ("mode", MODES),
    ):
        if name in body and body[name] not in allowed:
            wrong[name] = [f"The selected {name} is invalid."]
    return wrong


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return MubertEmulator(
        run_s=arguments.run_seconds, host=arguments.host, port=arguments.port, seed=arguments.seed
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates Mubert's HTTP API.")
    parser.add_argument("--run-seconds", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0, help="of the chances in the scripted faults")
    run(_from_arguments, parser)
