"""Replicate's models: their cards, how our parameters become their input, and what a run of them used.

Official models are called by name and billed for their output. Community models are called by a pinned
version, whose existence is checked before the first paid call, and billed for the seconds that they ran.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.errors import JobError
from shared.kinds.image import dimensions, parse_size
from shared.money import NANOS_PER_USD
from workers.providers.base import Refused

Input = dict[str, Any]
Given = Mapping[str, Any]

MEGAPIXEL = 1_048_576

_STYLES = {
    "realistic": "photorealistic, natural light, fine detail",
    "artistic": "expressive digital art",
    "anime": "anime style, clean lines, cel shading",
    "3d-render": "3D render, global illumination",
    "watercolor": "watercolour painting on textured paper",
    "oil-painting": "oil painting, visible brush strokes",
    "pencil-sketch": "pencil sketch, hatching",
    "vivid": "vivid colours, dramatic light",
    "natural": "muted natural colours",
}
_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
_SCHNELL_SIZES = {
    "1024x1024": ("1:1", "1"),
    "1344x768": ("16:9", "1"),
    "768x1344": ("9:16", "1"),
    "1536x640": ("21:9", "1"),
    "512x512": ("1:1", "0.25"),
}


@dataclass(frozen=True, slots=True)
class ReplicateModel:
    """`to_input` makes the model's input of our parameters and file URLs, without the seed; it raises Refused
    for what the model cannot do. `units` counts what a successful run of an input delivered."""

    card: ModelCard
    slug: str
    to_input: Callable[[Given, Mapping[str, str]], Input]
    units: Callable[[Given, int], Mapping[str, Decimal]] | None = None
    """From the input and the number of files; None for models that are billed for their time."""
    version: str | None = None
    """The pinned version; None for official models."""
    file_fields: frozenset[str] = frozenset()
    """The fields of the model's input that hold URLs of files."""


def _prompt(given: Given) -> str:
    style = given.get("style")
    return f"{given['prompt']}, {_STYLES[style]}" if style else str(given["prompt"])


def _format(given: Given) -> str:
    wanted = given.get("format") or "webp"
    return "jpg" if wanted == "jpeg" else str(wanted)


def _optional(**fields: Any) -> Input:
    return {name: value for name, value in fields.items() if value is not None}


def _within(size: str, low: int, high: int) -> tuple[int, int]:
    """(width, height), each rounded to a multiple of 32. Raises Refused when a side is out of bounds."""
    width, height = parse_size(size)
    if not all(low <= side <= high for side in (width, height)):
        message = f"This model takes sides of {low} to {high} pixels"
        raise Refused(JobError("PROVIDER_REJECTED", message, details={"field": "input.size"}))
    return round(width / 32) * 32, round(height / 32) * 32


def _shape(given: Given, low: int, high: int) -> Input:
    if given.get("size") is None:
        return {"aspect_ratio": given.get("aspect_ratio") or "1:1"}
    width, height = _within(given["size"], low, high)
    return {"aspect_ratio": "custom", "width": width, "height": height}


def _flux_2(given: Given, _: Mapping[str, str]) -> Input:
    return {"prompt": _prompt(given), "output_format": _format(given), **_shape(given, 256, 2048)}


def _flux_2_flex(given: Given, files: Mapping[str, str]) -> Input:
    chosen = _optional(steps=given.get("steps"), guidance=given.get("guidance"))
    return {**_flux_2(given, files), **chosen}


def _flux_1_1(given: Given, files: Mapping[str, str]) -> Input:
    shape = _shape(given, 256, 1440)
    fixed = {"prompt": _prompt(given), "output_format": _format(given)}
    return {**fixed, **shape, **_optional(image_prompt=files.get("image"))}


def _flux_schnell(given: Given, _: Mapping[str, str]) -> Input:
    ratio, megapixels = given.get("aspect_ratio") or "1:1", "1"
    if given.get("size") is not None:
        ratio, megapixels = _SCHNELL_SIZES[given["size"]]
    return {
        "prompt": _prompt(given),
        "aspect_ratio": ratio,
        "megapixels": megapixels,
        "num_outputs": given.get("count") or 1,
        "output_format": _format(given),
        **_optional(num_inference_steps=given.get("steps")),
    }


def _stable_diffusion(given: Given, files: Mapping[str, str]) -> Input:
    width, height = dimensions(given.get("size"), given.get("aspect_ratio"), step=64)
    return {
        "prompt": _prompt(given),
        "width": round(width / 8) * 8,
        "height": round(height / 8) * 8,
        "num_outputs": given.get("count") or 1,
        "apply_watermark": False,
        **_optional(
            negative_prompt=given.get("negative_prompt"),
            num_inference_steps=given.get("steps"),
            guidance_scale=given.get("guidance"),
            image=files.get("image"),
        ),
    }


def _images(_: Given, files: int) -> Mapping[str, Decimal]:
    return {"image": Decimal(files)}


def _megapixels(sent: Given, files: int) -> Mapping[str, Decimal]:
    """FLUX.2 counts a custom size by its pixels, and a ratio as one megapixel."""
    if sent.get("aspect_ratio") != "custom":
        return {"run": Decimal(1), "megapixel": Decimal(files)}
    return {"run": Decimal(1), "megapixel": Decimal(sent["width"] * sent["height"] * files) / MEGAPIXEL}


def _price(effective_from: date, source: str, **usd: str) -> Price:
    units = {unit: Decimal(amount) * NANOS_PER_USD for unit, amount in usd.items()}
    return Price(units, effective_from, source)


_COMMON = frozenset({"prompt", "aspect_ratio", "size", "count", "seed", "style", "format"})
_ONE = {"count": {"maximum": 1}}
_FLUX_LIMITS = {**_ONE, "aspect_ratio": {"enum": list(_RATIOS)}}
_L40S = _price(
    date(2026, 11, 20), "$0.000975 per second of an L40S GPU; third-party list, unverified", compute_second="0.000975"
)  # fmt: skip


def _card(model: str, label: str, description: str, accepts: set[str], **more: Any) -> ModelCard:
    return ModelCard(
        provider="replicate",
        model=model,
        kind="image",
        label=label,
        description=description,
        accepts=_COMMON | accepts,
        rank=more.pop("rank", 50),
        **more,
    )


IMAGE_MODELS = (
    ReplicateModel(
        _card(
            "flux-2-pro",
            "FLUX.2 [pro]",
            "High-quality pictures with fixed settings, by Black Forest Labs.",
            set(),
            aliases=("flux-2",),
            limits=_FLUX_LIMITS,
            price=_price(
                date(2026, 11, 20),
                "docs.bfl.ai: $0.03 for the first megapixel, $0.015 for each further; Replicate's is unverified",
                run="0.015",
                megapixel="0.015",
            ),
            expected_s=8.0,
        ),
        "black-forest-labs/flux-2-pro",
        _flux_2,
        _megapixels,
    ),
    ReplicateModel(
        _card(
            "flux-2-flex",
            "FLUX.2 [flex]",
            "Pictures with a choice of steps and guidance; strong at lettering.",
            {"steps", "guidance"},
            limits={**_FLUX_LIMITS, "steps": {"maximum": 50}, "guidance": {"minimum": 1.5, "maximum": 10}},
            price=_price(
                date(2026, 11, 20),
                "third-party list: $0.06 per megapixel at Replicate; unverified",
                megapixel="0.06",
            ),
            expected_s=16.0,
        ),
        "black-forest-labs/flux-2-flex",
        _flux_2_flex,
        _megapixels,
    ),
    ReplicateModel(
        _card(
            "flux-2-dev",
            "FLUX.2 [dev]",
            "The open-weight FLUX.2: cheaper, a little less refined.",
            set(),
            limits=_FLUX_LIMITS,
            price=_price(
                date(2026, 11, 20),
                "$0.012 per megapixel elsewhere; Replicate's is unverified",
                megapixel="0.012",
            ),
            expected_s=6.0,
            licence="The weights are for non-commercial use; hosted use follows Replicate's terms.",
        ),
        "black-forest-labs/flux-2-dev",
        _flux_2,
        _megapixels,
    ),
    ReplicateModel(
        _card(
            "flux-1.1-pro",
            "FLUX1.1 [pro]",
            "Fast, detailed pictures, optionally led by a picture.",
            {"image"},
            limits=_FLUX_LIMITS,
            price=_price(date(2026, 10, 7), "replicate.com/pricing, read 2026-10-07", image="0.04"),
            expected_s=5.0,
        ),
        "black-forest-labs/flux-1.1-pro",
        _flux_1_1,
        _images,
        file_fields=frozenset({"image_prompt"}),
    ),
    ReplicateModel(
        _card(
            "flux-schnell",
            "FLUX.1 [schnell]",
            "Pictures within two seconds, for drafts.",
            {"steps"},
            limits={"steps": {"maximum": 4}, "size": {"enum": list(_SCHNELL_SIZES)}},
            price=_price(date(2026, 10, 7), "replicate.com/pricing, read 2026-10-07", image="0.003"),
            expected_s=2.0,
            licence="Apache-2.0",
            on_unknown="retry",
        ),
        "black-forest-labs/flux-schnell",
        _flux_schnell,
        _images,
    ),
    ReplicateModel(
        _card(
            "sdxl",
            "Stable Diffusion XL",
            "The open classic: negative prompts, steps, guidance, and pictures to start from.",
            {"negative_prompt", "steps", "guidance", "image"},
            aliases=("stable-diffusion",),
            limits={"guidance": {"minimum": 1}, "format": {"enum": ["png"]}},
            price=_L40S,
            typical_units={"compute_second": Decimal(8)},
            expected_s=8.0,
            licence="CreativeML Open RAIL++-M",
        ),
        "stability-ai/sdxl",
        _stable_diffusion,
        version="7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
        file_fields=frozenset({"image"}),
    ),
    ReplicateModel(
        _card(
            "dreamshaper",
            "DreamShaper XL Turbo",
            "Illustrations and portraits in a few steps.",
            {"negative_prompt", "steps", "guidance"},
            aliases=("dreamshaper-xl-turbo",),
            limits={"guidance": {"minimum": 1}, "steps": {"maximum": 50}, "format": {"enum": ["png"]}},
            price=_L40S,
            typical_units={"compute_second": Decimal(3)},
            expected_s=4.0,
        ),
        "lucataco/dreamshaper-xl-turbo",
        _stable_diffusion,
        version="0a1710e0187b01a255302738ca0158ff02a22f4638679533e111082f9dd1b615",
    ),
)

MODELS = {model.card.model: model for model in IMAGE_MODELS}
CARDS = tuple(model.card for model in IMAGE_MODELS)
