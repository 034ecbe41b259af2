"""Any server that speaks OpenAI's API: Ollama, vLLM, LocalAI, LiteLLM. Its models are named in the settings."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from shared.catalog import FREE, ModelCard
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.base import Ended, Finished, Request, Sink
from workers.providers.openai.adapter import OpenAIProvider
from workers.providers.openai.models import ImageModel, Model, SpeechModel, TextModel

_TEXT = frozenset({"prompt", "messages", "system", "max_tokens", "temperature", "seed", "json_schema"})
_IMAGE = frozenset({"prompt", "size", "aspect_ratio", "count", "style"})
_SPEECH = frozenset({"text", "voice", "language", "speed", "format"})


class CompatibleProvider(OpenAIProvider):
    name: ClassVar[str] = "compatible"

    async def submit(self, request: Request, sink: Sink) -> Finished | Ended:
        """Without the server's id of the work: some draw theirs from a thousand, and none can be asked by it."""
        outcome = await super().submit(request, sink)
        return replace(outcome, remote_id=None) if isinstance(outcome, Finished) else outcome


def create(settings: Settings, _: Executor) -> CompatibleProvider:
    key = settings.compatible_api_key
    return CompatibleProvider(
        # Servers without keys ignore this one; the SDK does not do without.
        (key.get_secret_value() if key else "") or "none",
        settings.compatible_base_url or "",
        {model.card.model: model for model in _models(settings)},
        allow_private_urls=settings.allow_private_urls,
    )


def _models(settings: Settings) -> Iterable[Model]:
    """Those that the settings name."""
    if name := settings.compatible_text_model:
        yield TextModel(_card(settings, "text", name, _TEXT, expected_s=10.0), name, limit="max_tokens")
    if name := settings.compatible_image_model:
        options = {"response_format": "b64_json"}
        yield ImageModel(
            _card(settings, "image", name, _IMAGE, expected_s=30.0), name, options, by_pixels=False
        )
    if name := settings.compatible_audio_model:
        yield SpeechModel(_card(settings, "audio", name, _SPEECH, expected_s=10.0), name)


def _card(settings: Settings, kind: str, model: str, accepts: frozenset[str], **more: Any) -> ModelCard:
    """A server that costs nothing may be asked again; what an unknown price pays for may not."""
    free = settings.compatible_is_free
    return ModelCard(
        provider="compatible",
        model=model,
        kind=kind,
        label=model,
        description="Runs on the server that COMPATIBLE_BASE_URL names.",
        accepts=accepts,
        price=FREE if free else None,
        rank=90,
        aliases=("compatible",),
        on_unknown="retry" if free else "fail",
        **more,
    )
