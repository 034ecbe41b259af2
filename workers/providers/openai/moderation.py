"""Moderation by OpenAI: `POST /v1/moderations` through its SDK, free of charge."""

from collections.abc import Sequence
from typing import Any

import openai

from workers.moderation import ModerationUnavailable

MODEL = "omni-moderation-latest"
TIMEOUT_S = 10.0
MAX_CHARACTERS = 100_000


class OpenAIModerator:
    name = f"openai/{MODEL}"

    def __init__(self, api_key: str, base_url: str) -> None:
        # It is a free question, so the SDK may ask it again.
        self._client = openai.AsyncOpenAI(
            api_key=api_key, base_url=base_url, timeout=TIMEOUT_S, max_retries=1
        )

    async def close(self) -> None:
        await self._client.close()

    async def categories(self, words: Sequence[str], pictures: Sequence[str]) -> tuple[str, ...]:
        """The categories that were flagged, by OpenAI's names. Raises ModerationUnavailable.

        All words are one question; the API takes one picture at a time.
        """
        questions: list[list[Any]] = []
        if words:
            questions.append([{"type": "text", "text": "\n\n".join(words)[:MAX_CHARACTERS]}])
        questions += [[{"type": "image_url", "image_url": {"url": picture}}] for picture in pictures]
        found: set[str] = set()
        try:
            for question in questions:
                answer = await self._client.moderations.create(model=MODEL, input=question)
                for result in answer.results:
                    flags = result.categories.model_dump(by_alias=True)
                    names = {name for name, flagged in flags.items() if flagged}
                    found |= names or ({"flagged"} if result.flagged else set())
        except openai.OpenAIError as error:
            raise ModerationUnavailable(type(error).__name__) from error
        return tuple(sorted(found))
