"""Anthropic through its SDK: text, streamed as it is written.

No call has an id before its answer, and no idempotency key is honoured, so nobody can be asked what became of a
call without an answer. The SDK's own retries are off: each of them would be paid for again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import anthropic

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.anthropic.errors import read_error
from workers.providers.anthropic.messages import write
from workers.providers.anthropic.models import MODELS, ClaudeModel
from workers.providers.base import Ended, Finished, Provider, Refused, Request, Sink

SILENCE_S: Final = 120.0
"""The longest that a connection may be silent: the API sends a ping now and then."""
CALL_TIMEOUT_S: Final = 300.0


class AnthropicProvider(Provider):
    """One account at Anthropic; `models` by the name on their cards."""

    name: ClassVar[str] = "anthropic"
    submit_timeout_s: ClassVar[float] = CALL_TIMEOUT_S

    def __init__(self, key: str, base_url: str, models: Mapping[str, ClaudeModel] = MODELS) -> None:
        self._models = models
        # With a key of our own it looks for none in the environment and in profiles.
        self._sdk = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=anthropic.Timeout(SILENCE_S, connect=5.0, write=60.0, pool=5.0),
            open_telemetry=False,
        )

    @property
    def cards(self) -> Sequence[ModelCard]:
        return [model.card for model in self._models.values()]

    async def submit(self, request: Request, sink: Sink) -> Finished | Ended:
        model = self._models.get(request.model)
        if model is None:
            raise Refused(JobError("PROVIDER_REJECTED", f"{request.model} is not in our catalogue"))
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await write(self._sdk, model, request.input, sink)
        except anthropic.APIError as error:
            meant = read_error(error)
            if meant is None:
                raise
            raise meant from error

    async def close(self) -> None:
        await self._sdk.close()


def create(settings: Settings, _: Executor) -> AnthropicProvider:
    assert settings.anthropic_api_key is not None  # noqa: S101  # the registry makes it with a key only
    return AnthropicProvider(settings.anthropic_api_key.get_secret_value(), settings.anthropic_base_url)
