"""Moderation: what is asked for is looked at before it is sent, what was made before it is delivered.

Each phase is `off`, `warn` (the generation says what was found) or `block` (it fails with CONTENT_BLOCKED).
Own terms are looked for first, for they cost nothing; then OpenAI's moderation is asked, which is free of
charge, about words and pictures alike. Sound is not looked at, and the verdict says so.
"""

import base64
import importlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shared.domains.changes import OutputRow
from shared.domains.generations import Work
from shared.errors import JobError
from shared.executor import Executor
from shared.log import get_logger
from shared.media.errors import MediaError
from shared.settings import ModerationMode, Settings
from shared.storage import ObjectStore, StorageError

log = get_logger(__name__)

PICTURE_TIMEOUT_S = 30.0
WORDS = ("prompt", "text", "system", "negative_prompt", "lyrics")
"""The parameters that hold what somebody wrote; `messages` are read besides."""

Phase = Literal["input", "output"]
Material = tuple[Sequence[str], Sequence[str]]
"""Words, and pictures as URLs."""


class ModerationUnavailable(Exception):
    """It could not be asked now. Where it only warns, this is a verdict of `unchecked` instead."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a phase found, as the generation keeps and shows it."""

    phase: Phase
    mode: ModerationMode
    verdict: Literal["passed", "flagged", "unchecked"]
    categories: Sequence[str] = ()
    by: str | None = None
    reason: str | None = None

    @property
    def blocks(self) -> bool:
        return self.verdict == "flagged" and self.mode is ModerationMode.BLOCK

    def as_patch(self) -> dict[str, Any]:
        """What a change of the generation sets for it."""
        body: dict[str, Any] = {"mode": self.mode.value, "verdict": self.verdict}
        body |= {"categories": list(self.categories)} if self.categories else {}
        body |= {"by": self.by} if self.by else {}
        body |= {"reason": self.reason} if self.reason else {}
        patch: dict[str, Any] = {"moderation": {self.phase: body}}
        if self.verdict == "flagged" and not self.blocks:
            found = {"code": "CONTENT_FLAGGED", "stage": self.phase, "categories": list(self.categories)}
            patch["warnings"] = [found]
        return patch

    def as_error(self) -> JobError:
        what = "The request" if self.phase == "input" else "What was made"
        return JobError(
            "CONTENT_BLOCKED", f"{what} was stopped by moderation: {', '.join(self.categories)}.",
            details={"stage": self.phase, "categories": list(self.categories)},
        )  # fmt: skip


class Moderator(Protocol):
    """Somebody outside who looks at words and pictures."""

    name: str

    async def categories(self, words: Sequence[str], pictures: Sequence[str]) -> tuple[str, ...]:
        """What is wrong with them; `pictures` are URLs, `data:` ones too. Raises ModerationUnavailable."""

    async def close(self) -> None: ...


class Moderation:
    """Looks at words and pictures. One instance per process."""

    def __init__(self, settings: Settings, store: ObjectStore, executor: Executor) -> None:
        self.input_mode = settings.moderation_input
        self.output_mode = settings.moderation_output
        self._store = store
        self._executor = executor
        terms = [re.escape(term) for term in settings.moderation_terms]
        self._terms = re.compile(rf"\b(?:{'|'.join(terms)})\b", re.IGNORECASE) if terms else None
        self._moderator: Moderator | None = None
        if settings.openai_api_key is not None and self._is_on:
            # Its SDK is carried by processes that use it only.
            module = importlib.import_module("workers.providers.openai.moderation")
            key = settings.openai_api_key.get_secret_value()
            self._moderator = module.OpenAIModerator(key, settings.openai_base_url)

    @property
    def _is_on(self) -> bool:
        return {self.input_mode, self.output_mode} != {ModerationMode.OFF}

    async def close(self) -> None:
        if self._moderator is not None:
            await self._moderator.close()

    async def of_request(self, work: Work) -> Verdict | None:
        """What is asked for; None where it is off or was looked at before. Raises ModerationUnavailable."""
        if self.input_mode is ModerationMode.OFF or "input" in work.row["moderation"]:
            return None

        async def seen() -> Material:
            files = [file for file in work.row["files"].values() if _is_picture(file)]
            return _words(work.row["input"]), [await self._input_picture(file) for file in files]

        return await self._judge("input", self.input_mode, seen)

    async def of_outputs(self, outputs: Sequence[OutputRow]) -> Verdict | None:
        """What was made; None where it is off. Raises ModerationUnavailable."""
        if self.output_mode is ModerationMode.OFF:
            return None

        async def seen() -> Material:
            words, pictures = [], []
            for output in outputs:
                shown = output.thumbnail_key or output.poster_key
                if shown is not None:
                    pictures.append(_as_data_url(await self._store.get_bytes(shown)))
                elif output.kind == "text":
                    words.append(output.text or (await self._store.get_bytes(output.key)).decode())
            return words, pictures

        return await self._judge("output", self.output_mode, seen)

    async def _judge(
        self, phase: Phase, mode: ModerationMode, seen: Callable[[], Awaitable[Material]]
    ) -> Verdict:
        try:
            return await self._look(phase, mode, *await seen())
        except (ModerationUnavailable, StorageError) as error:
            log.warning("moderation_unavailable", phase=phase, error=str(error))
            if mode is ModerationMode.BLOCK:
                raise ModerationUnavailable(str(error)) from error
            return Verdict(phase, mode, "unchecked", reason="moderation could not be asked")

    async def _look(
        self, phase: Phase, mode: ModerationMode, words: Sequence[str], pictures: Sequence[str]
    ) -> Verdict:
        if not words and not pictures:
            return Verdict(phase, mode, "unchecked", reason="sound is not looked at")
        if self._terms is not None and any(self._terms.search(part) for part in words):
            return Verdict(phase, mode, "flagged", ("terms",), by="terms")
        if self._moderator is None:
            if not words:
                return Verdict(phase, mode, "unchecked", reason="pictures are looked at by OpenAI only")
            return Verdict(phase, mode, "passed", by="terms")
        categories = await self._moderator.categories(words, pictures)
        return Verdict(
            phase, mode, "flagged" if categories else "passed", categories, by=self._moderator.name
        )

    async def _input_picture(self, file: Mapping[str, Any]) -> str:
        """Its thumbnail, for a picture of our own may lie where nobody else can fetch it."""
        if "url" in file:
            return str(file["url"])
        source = await self._store.presign_get(file["key"])
        try:
            derived = await self._executor.call(
                "shared.media.derive:derive", source, "image", timeout_s=PICTURE_TIMEOUT_S
            )
        except MediaError:
            # It cannot be read as a picture, so nobody is shown one; the provider refuses it by itself.
            return _BLANK
        except Exception as error:
            raise ModerationUnavailable(type(error).__name__) from error
        return _as_data_url(derived.thumbnail)


_BLANK = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg=="
)


def _as_data_url(thumbnail: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(thumbnail).decode()}"


def _is_picture(file: Mapping[str, Any]) -> bool:
    mime = file.get("mime")
    return mime is None or str(mime).startswith("image/")


def _words(given: Mapping[str, Any]) -> list[str]:
    messages = given.get("messages") or ()
    return [given[name] for name in WORDS if given.get(name)] + [message["content"] for message in messages]
