"""Pictures by FLUX, Stable Diffusion and DreamShaper."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.kinds.image import dimensions, parse_size
from workers.providers.base import Refused
from workers.providers.replicate.model import (
    L40S,
    READ_ON,
    Files,
    Given,
    Input,
    ReplicateModel,
    given_only,
    in_order,
    usd,
)
from workers.providers.styles import picture_prompt

MEGAPIXEL = 1_048_576

_RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
_SCHNELL_SIZES = {
    "1024x1024": ("1:1", "1"),
    "1344x768": ("16:9", "1"),
    "768x1344": ("9:16", "1"),
    "1536x640": ("21:9", "1"),
    "512x512": ("1:1", "0.25"),
}


def _format(given: Given) -> str:
    wanted = given.get("format") or "webp"
    return "jpg" if wanted == "jpeg" else str(wanted)


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


def _flux_2(given: Given, files: Files) -> Input:
    shape = _shape(given, 256, 2048)
    pictures = in_order(files)
    if pictures and given.get("size") is None and given.get("aspect_ratio") is None:
        shape = {"aspect_ratio": "match_input_image"}
    fixed = {"prompt": picture_prompt(given), "output_format": _format(given)}
    return {**fixed, **shape, **given_only(input_images=pictures or None)}


def _flux_2_flex(given: Given, files: Files) -> Input:
    chosen = given_only(steps=given.get("steps"), guidance=given.get("guidance"))
    return {**_flux_2(given, files), **chosen}


def _flux_1_1(given: Given, files: Files) -> Input:
    shape = _shape(given, 256, 1440)
    fixed = {"prompt": picture_prompt(given), "output_format": _format(given)}
    return {**fixed, **shape, **given_only(image_prompt=files.get("image"))}


def _flux_schnell(given: Given, _: Files) -> Input:
    ratio, megapixels = given.get("aspect_ratio") or "1:1", "1"
    if given.get("size") is not None:
        ratio, megapixels = _SCHNELL_SIZES[given["size"]]
    return {
        "prompt": picture_prompt(given),
        "aspect_ratio": ratio,
        "megapixels": megapixels,
        "num_outputs": given.get("count") or 1,
        "output_format": _format(given),
        **given_only(num_inference_steps=given.get("steps")),
    }


def _stable_diffusion(given: Given, files: Files) -> Input:
    width, height = dimensions(given.get("size"), given.get("aspect_ratio"), step=64)
    return {
        "prompt": picture_prompt(given),
        "width": round(width / 8) * 8,
        "height": round(height / 8) * 8,
        "num_outputs": given.get("count") or 1,
        "apply_watermark": False,
        **given_only(
            negative_prompt=given.get("negative_prompt"),
            num_inference_steps=given.get("steps"),
            guidance_scale=given.get("guidance"),
            image=files.get("image"),
        ),
    }


def _images(_: Given, files: int, __: Given) -> Mapping[str, Decimal]:
    return {"image": Decimal(files)}


def _megapixels(sent: Given, files: int, _: Given) -> Mapping[str, Decimal]:
    """FLUX.2 counts a custom size by its pixels, and a ratio as one megapixel, for each picture."""
    pixels = sent["width"] * sent["height"] if sent.get("aspect_ratio") == "custom" else MEGAPIXEL
    return {
        "run": Decimal(1),
        "megapixel": Decimal(pixels * files) / MEGAPIXEL,
        "input_image": Decimal(len(sent.get("input_images") or ())),
    }


_COMMON = frozenset({"prompt", "aspect_ratio", "size", "count", "seed", "style", "format"})
_ONE = {"count": {"maximum": 1}}
_PICTURES = frozenset({"input_images"})
_FLUX_LIMITS = {**_ONE, "aspect_ratio": {"enum": list(_RATIOS)}}


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
            {"image", "images"},
            aliases=("flux-2",),
            limits={**_FLUX_LIMITS, "images": {"maxItems": 7}},
            price=usd(
                READ_ON,
                "docs.bfl.ai: from $0.03, edits from $0.045, so $0.015 for a run, a megapixel and a picture to start "
                "from; Replicate's is unverified",
                run="0.015",
                megapixel="0.015",
                input_image="0.015",
            ),
            expected_s=8.0,
        ),
        "black-forest-labs/flux-2-pro",
        _flux_2,
        _megapixels,
        file_fields=_PICTURES,
    ),
    ReplicateModel(
        _card(
            "flux-2-flex",
            "FLUX.2 [flex]",
            "Pictures with a choice of steps and guidance; strong at lettering.",
            {"steps", "guidance", "image", "images"},
            limits={**_FLUX_LIMITS, "steps": {"maximum": 50}, "guidance": {"minimum": 1.5, "maximum": 10}},
            price=usd(
                READ_ON,
                "third-party list: $0.06 per megapixel at Replicate; unverified",
                megapixel="0.06",
                input_image="0.06",
            ),
            expected_s=16.0,
        ),
        "black-forest-labs/flux-2-flex",
        _flux_2_flex,
        _megapixels,
        file_fields=_PICTURES,
    ),
    ReplicateModel(
        _card(
            "flux-2-dev",
            "FLUX.2 [dev]",
            "The open-weight FLUX.2: cheaper, a little less refined.",
            {"image", "images"},
            limits={**_FLUX_LIMITS, "images": {"maxItems": 3}},
            price=usd(
                READ_ON,
                "$0.012 per megapixel elsewhere; Replicate's is unverified",
                megapixel="0.012",
                input_image="0.012",
            ),
            expected_s=6.0,
            licence="The weights are for non-commercial use; hosted use follows Replicate's terms.",
        ),
        "black-forest-labs/flux-2-dev",
        _flux_2,
        _megapixels,
        file_fields=_PICTURES,
    ),
    ReplicateModel(
        _card(
            "flux-1.1-pro",
            "FLUX1.1 [pro]",
            "Fast, detailed pictures, optionally led by a picture.",
            {"image"},
            limits=_FLUX_LIMITS,
            price=usd(date(2026, 10, 7), "replicate.com/pricing, read 2026-10-07", image="0.04"),
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
            price=usd(date(2026, 10, 7), "replicate.com/pricing, read 2026-10-07", image="0.003"),
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
            price=L40S,
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
            price=L40S,
            typical_units={"compute_second": Decimal(3)},
            expected_s=4.0,
        ),
        "lucataco/dreamshaper-xl-turbo",
        _stable_diffusion,
        version="0a1710e0187b01a255302738ca0158ff02a22f4638679533e111082f9dd1b615",
    ),
)
