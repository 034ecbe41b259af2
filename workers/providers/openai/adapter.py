"""OpenAI through its SDK: pictures, speech and text, each in one call that answers with the result.

No call has an id before its answer, and no idempotency key is honoured, so nobody can be asked what became of a
call without an answer. The SDK's own retries are off: each of them would be paid for again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import openai

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.base import Ended, Finished, HeldBack, Provider, Refused, Request, Sink
from workers.providers.openai.errors import read_error
from workers.providers.openai.images import draw
from workers.providers.openai.inputs import Content, Inputs
from workers.providers.openai.models import MODELS, ImageModel, Model, SpeechModel, TextModel
from workers.providers.openai.speech import speak
from workers.providers.openai.text import write

SILENCE_S: Final = 180.0
"""The longest that a connection may be silent: a picture at the highest quality comes in one piece."""
PREPARE_TIMEOUT_S: Final = 30.0
CALL_TIMEOUT_S: Final = 270.0


class OpenAIProvider(Provider):
    """One account at one server that speaks OpenAI's API; `models` by the name on their cards."""

    name: ClassVar[str] = "openai"
    submit_timeout_s: ClassVar[float] = PREPARE_TIMEOUT_S + CALL_TIMEOUT_S

    def __init__(
        self,
        key: str | None,
        base_url: str,
        models: Mapping[str, Model] = MODELS,
        *,
        missing: str = "OPENAI_API_KEY is not set",
        allow_private_urls: bool = False,
    ) -> None:
        self._key = key
        self._base_url = base_url
        self._models = models
        self._missing = missing
        self._inputs = Inputs(allow_private_urls=allow_private_urls)
        self._sdk: openai.AsyncOpenAI | None = None

    @property
    def unavailable_reason(self) -> str | None:
        return None if self._key else self._missing

    @property
    def cards(self) -> Sequence[ModelCard]:
        return [model.card for model in self._models.values()]

    async def submit(self, request: Request, sink: Sink) -> Finished | Ended:
        model = self._models.get(request.model)
        if model is None:
            raise Refused(JobError("PROVIDER_REJECTED", f"{request.model} is not in our catalogue"))
        files = await self._read_files(request)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._call(model, request, files, sink)
        except openai.APIError as error:
            meant = read_error(error)
            if meant is None:
                raise
            raise meant from error

    async def _call(
        self, model: Model, request: Request, files: Mapping[str, Content], sink: Sink
    ) -> Finished | Ended:
        match model:
            case ImageModel():
                return await draw(self._client(), model, request.input, files, sink)
            case SpeechModel():
                return await speak(self._client(), model, request.input, sink)
            case TextModel():
                return await write(self._client(), model, request.input, sink)

    async def _read_files(self, request: Request) -> Mapping[str, Content]:
        try:
            async with asyncio.timeout(PREPARE_TIMEOUT_S):
                return {name: await self._inputs.read(name, file) for name, file in request.files.items()}
        except TimeoutError as error:
            raise HeldBack("the input file took too long") from error

    def _client(self) -> openai.AsyncOpenAI:
        if self._sdk is None:
            self._sdk = openai.AsyncOpenAI(
                api_key=self._key,
                base_url=self._base_url,
                max_retries=0,
                timeout=openai.Timeout(SILENCE_S, connect=5.0, write=60.0, pool=5.0),
            )
            # The SDK reads these from the environment, whichever server it talks to.
            self._sdk.organization = self._sdk.project = None
        return self._sdk

    async def close(self) -> None:
        await self._inputs.close()
        if self._sdk is not None:
            await self._sdk.close()


def create(settings: Settings, _: Executor) -> OpenAIProvider:
    key = settings.openai_api_key
    return OpenAIProvider(
        key.get_secret_value() if key else None,
        settings.openai_base_url,
        allow_private_urls=settings.allow_private_urls,
    )
