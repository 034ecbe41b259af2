"""Groq through the adapter of OpenAI's API."""

from typing import ClassVar

from shared.executor import Executor
from shared.settings import Settings
from workers.providers.groq.models import MODELS
from workers.providers.openai.adapter import OpenAIProvider


class GroqProvider(OpenAIProvider):
    name: ClassVar[str] = "groq"


def create(settings: Settings, _: Executor) -> GroqProvider:
    key = settings.groq_api_key
    return GroqProvider(
        key.get_secret_value() if key else None,
        f"{settings.groq_base_url.rstrip('/')}/openai/v1",
        MODELS,
        missing="GROQ_API_KEY is not set",
        allow_private_urls=settings.allow_private_urls,
    )
