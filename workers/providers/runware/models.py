"""Runware's models: their cards, and how our parameters become a task's.

A task names its model by an AIR identifier. What a task costs is told with its result, so that the prices here
serve only for estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.errors import JobError
from shared.kinds.image import dimensions
from shared.money import NANOS_PER_USD
from workers.providers.base import Refused
from workers.providers.styles import picture_prompt

Given = Mapping[str, Any]

MEGAPIXEL = 1_048_576
FORMATS = {"jpeg": ("JPG", "image/jpeg"), "png": ("PNG", "image/png"), "webp": ("WEBP", "image/webp")}
DEFAULT_FORMAT = "webp"
SIDES = (256, 2048)
"""The shortest and the longest side, in pixels."""

_COMMON = frozenset({"prompt", "aspect_ratio", "size", "count", "seed", "style", "format"})
_PROMPT_LENGTH = 3000
_STYLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class RunwareModel:
    """`step` is what each side must be a multiple of, `area` how many pixels a picture has unless told.

    `image_as` is the task's parameter for a picture to start from, None for a model that takes none.
    """

    card: ModelCard
    air: str
    step: int = 64
    area: int = MEGAPIXEL
    image_as: str | None = None

    def sides(self, given: Given) -> tuple[int, int]:
        """(width, height), each rounded to a multiple of `step`. Raises Refused when a side is out of bounds."""
        wanted = dimensions(given.get("size"), given.get("aspect_ratio"), area=self.area, step=self.step)
        low, high = SIDES
        if not all(low <= side <= high for side in wanted):
            text = f"This model takes sides of {low} to {high} pixels"
            raise Refused(JobError("PROVIDER_REJECTED", text, details={"field": "input.size"}))
        width, height = (round(side / self.step) * self.step for side in wanted)
        return width, height

    def task(self, given: Given) -> dict[str, Any]:
        """The task's parameters, without its picture to start from."""
        width, height = self.sides(given)
        chosen = {
            "negativePrompt": given.get("negative_prompt"),
            "seed": given.get("seed"),
            "steps": given.get("steps"),
            "CFGScale": given.get("guidance"),
        }
        return {
            "model": self.air,
            "positivePrompt": picture_prompt(given),
            "width": width,
            "height": height,
            "numberResults": given.get("count") or 1,
            "outputFormat": FORMATS[given.get("format") or DEFAULT_FORMAT][0],
            **{name: value for name, value in chosen.items() if value is not None},
        }

    def units(self, given: Given, pictures: int) -> dict[str, Decimal]:
        """What so many delivered pictures are, for a result without its cost."""
        width, height = self.sides(given)
        count = Decimal(pictures)
        return {"run": Decimal(1), "image": count, "megapixel": count * width * height / MEGAPIXEL}


def _price(effective_from: date, source: str, **units: str) -> Price:
    return Price(
        {unit: Decimal(rate) * NANOS_PER_USD for unit, rate in units.items()}, effective_from, source
    )


def _card(model: str, label: str, description: str, accepts: set[str], **more: Any) -> ModelCard:
    limits = {
        "prompt": {"maxLength": _PROMPT_LENGTH - _STYLE_LENGTH},
        # Runware counts seeds from 1.
        "seed": {"minimum": 1},
        **more.pop("limits", {}),
    }
    return ModelCard(
        provider="runware",
        model=model,
        kind="image",
        label=label,
        description=description,
        accepts=_COMMON | accepts,
        rank=70,
        limits=limits,
        **more,
    )


_MODELS = (
    RunwareModel(
        _card(
            "flux-2-pro",
            "FLUX.2 [pro] on Runware",
            "High-quality pictures with fixed settings, by Black Forest Labs.",
            {"image"},
            aliases=("flux-2",),
            price=_price(
                date(2026, 8, 3),
                "third-party table of 2026-08-03: $0.030 at 1024x1024, more with the resolution; unverified",
                run="0.015",
                megapixel="0.015",
            ),
            expected_s=8.0,
        ),
        "bfl:5@1",
        step=16,
        image_as="referenceImages",
    ),
    RunwareModel(
        _card(
            "flux-2-dev",
            "FLUX.2 [dev] on Runware",
            "The open-weight FLUX.2: cheaper, a little less refined.",
            {"image", "steps", "guidance"},
            limits={"steps": {"maximum": 50}, "guidance": {"minimum": 1}},
            price=_price(
                date(2026, 8, 3),
                "third-party table of 2026-08-03: $0.009 at 1024x1024, $0.016 at 1088x1920; unverified",
                megapixel="0.009",
            ),
            expected_s=6.0,
            licence="The weights are for non-commercial use; hosted use follows Runware's terms.",
        ),
        "runware:400@1",
        step=16,
        image_as="referenceImages",
    ),
    RunwareModel(
        _card(
            "flux-dev",
            "FLUX.1 [dev] on Runware",
            "Detailed pictures with a choice of steps and guidance, optionally led by a picture.",
            {"image", "steps", "guidance"},
            limits={"steps": {"maximum": 50}, "guidance": {"minimum": 1}},
            price=_price(
                date(2025, 8, 19),
                "a public benchmark's recorded costs of 2025-08-19: $0.0038 at 1024x1024 and 28 steps",
                megapixel="0.0038",
            ),
            expected_s=6.0,
            licence="The weights are for non-commercial use; hosted use follows Runware's terms.",
        ),
        "runware:101@1",
        image_as="seedImage",
    ),
    RunwareModel(
        _card(
            "flux-schnell",
            "FLUX.1 [schnell] on Runware",
            "Pictures within two seconds, for drafts.",
            {"steps"},
            limits={"steps": {"maximum": 4}},
            price=_price(
                date(2026, 11, 20), "third-party list: $0.0006 at 1024x1024; unverified", megapixel="0.0006"
            ),
            expected_s=2.0,
            licence="Apache-2.0",
        ),
        "runware:100@1",
    ),
    RunwareModel(
        _card(
            "sdxl",
            "Stable Diffusion XL on Runware",
            "The open classic: negative prompts, steps, guidance, and pictures to start from.",
            {"negative_prompt", "steps", "guidance", "image"},
            aliases=("stable-diffusion",),
            limits={"guidance": {"minimum": 1}},
            price=None,
            expected_s=4.0,
            licence="CreativeML Open RAIL++-M",
        ),
        "civitai:101055@128078",
        image_as="seedImage",
    ),
    RunwareModel(
        _card(
            "dreamshaper",
            "DreamShaper 8 on Runware",
            "Illustrations and portraits, on Stable Diffusion 1.5.",
            {"negative_prompt", "steps", "guidance", "image"},
            limits={"guidance": {"minimum": 1}},
            price=None,
            expected_s=3.0,
            licence="CreativeML Open RAIL-M",
        ),
        "civitai:4384@128713",
        area=512 * 512,
        image_as="seedImage",
    ),
)

MODELS = {model.card.model: model for model in _MODELS}
CARDS = tuple(model.card for model in _MODELS)
