"""What the Creative Studio's functions take, in its words, and what that asks of the pipeline."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from gateway.generation_request import Name
from gateway.http import Body
from shared.kinds.audio import Language
from shared.kinds.image import Size, Style
from shared.kinds.music import Tag

DEFAULT_IMAGE_MODEL: Final = "flux-2"
THEIR_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "image": {"negative_prompt": "negativePrompt", "size": "dimensions", "count": "quantity"},
    "audio": {"model": "engine", "voice_sample": "cloneFile"},
    "music": {"duration_s": "duration"},
    "upscale": {"image": "imageUrl", "face_restore": "faceRestore"},
}
"""What the page calls a kind's parameters that have another name in the pipeline."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A function's request as the pipeline knows it: the product, then what may stand in for it, and the kind's
    input. `hints` are sliders that a model need not have."""

    kind: str
    products: tuple[str, ...]
    input: dict[str, Any]
    hints: tuple[str, ...] = ()


class FunctionRequest(Body):
    """Comes from a page's form: numbers may be text, and a field left empty is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        return {name: value for name, value in sent.items() if value is not None and value != ""}

    @abstractmethod
    def asked(self) -> Asked:
        """What the pipeline is asked for."""


class CreativeImageRequest(FunctionRequest):
    prompt: str = Field(min_length=1, max_length=2000)
    negative_prompt: str | None = Field(None, max_length=2000, description="What it must not show.")
    model: Name = Field(DEFAULT_IMAGE_MODEL, description="Unknown ones fall back to flux-2.")
    style: Style | None = None
    dimensions: Size | None = Field(None, description="1024x1024, 1024x768, 768x1024, 1280x720, 1920x1080 …")
    quantity: int = Field(1, ge=1, le=4)
    steps: int | None = Field(None, ge=10, le=50)
    guidance: float | None = Field(None, ge=1, le=20)

    def asked(self) -> Asked:
        given = {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "style": self.style,
            "size": self.dimensions,
            "count": self.quantity,
            "steps": self.steps,
            "guidance": self.guidance,
        }
        products = tuple(dict.fromkeys((self.model, DEFAULT_IMAGE_MODEL)))
        return Asked("image", products, _given(given), ("negative_prompt", "style", "steps", "guidance"))


class CreativeAudioRequest(FunctionRequest):
    text: str = Field(min_length=1, max_length=5000)
    engine: Name = Field("coqui", description="coqui, elevenlabs, openai, google-cloud …")
    voice: str | None = Field(None, max_length=100)
    language: Language = "en"
    speed: float = Field(1.0, ge=0.5, le=2.0)
    clone_file: str | None = Field(
        None,
        description="A recording of a voice to speak with, 10 to 30 seconds, in base64 or as a `data:` URL.",
    )
    consent: bool = Field(True, description="That whoever speaks in `cloneFile` agreed to a copy.")

    def asked(self) -> Asked:
        given = {
            "text": self.text,
            "voice": self.voice,
            "language": self.language,
            "speed": self.speed,
            "cloneFile": self.clone_file,
            "consent": self.consent if self.clone_file else None,
        }
        return Asked("audio", (self.engine,), _given(given), ("voice", "speed"))


class CreativeMusicRequest(FunctionRequest):
    prompt: str = Field(min_length=1, max_length=1000)
    genre: Tag | None = None
    duration: float = Field(30, ge=3, le=600, description="Seconds: 15, 30, 60, 120 …")
    tempo: int | None = Field(None, ge=60, le=180, description="Beats per minute.")
    mood: Tag | None = None

    def asked(self) -> Asked:
        given = {
            "prompt": self.prompt,
            "genre": self.genre,
            "mood": self.mood,
            "tempo": self.tempo,
            "duration_s": self.duration,
        }
        return Asked("music", ("musicgen",), _given(given), ("genre", "mood", "tempo"))


class CreativeUpscaleRequest(FunctionRequest):
    image_url: str = Field(
        min_length=1, description="A file of yours by its address, an https URL, or a `data:` URL."
    )
    scale: int = Field(4, ge=2, le=8)
    face_restore: bool = False

    def asked(self) -> Asked:
        given = {"image": self.image_url, "scale": self.scale, "face_restore": self.face_restore}
        return Asked("upscale", ("gfpgan" if self.face_restore else "real-esrgan",), given)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
