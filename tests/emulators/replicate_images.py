"""The emulated Replicate's models for pictures."""

from collections.abc import Callable
from decimal import Decimal

from tests.emulators import media
from tests.emulators.replicate_model import (
    PROMPT,
    SEED,
    URI,
    EmulatedModel,
    Input,
    Schema,
    choice,
    flag,
    integer,
    number,
    text,
    urls,
    whole,
)

_RATIOS = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4"]
_MEGAPIXEL = 1 << 20


def _pictures(given: Input, extension: str, width: int, height: int) -> list[tuple[str, bytes]]:
    return [(extension, media.picture(extension, width, height))] * given.get("num_outputs", 1)


def _shape(given: Input, area: float = _MEGAPIXEL) -> tuple[int, int]:
    ratio = given.get("aspect_ratio", "1:1")
    if ratio == "custom":
        return round(given.get("width", 1024) / 32) * 32, round(given.get("height", 1024) / 32) * 32
    across, down = map(int, (ratio if ":" in ratio else "1:1").split(":"))
    width = (area * across / down) ** 0.5
    return round(width / 32) * 32, round(width * down / across / 32) * 32


def _megapixels(given: Input) -> Decimal:
    """What a FLUX.2 model counts: its nominal resolution, or the pixels of a custom size."""
    if given.get("aspect_ratio") == "custom":
        width, height = _shape(given)
        return Decimal(width * height) / _MEGAPIXEL
    resolution = given.get("resolution", "1 MP")
    return Decimal(resolution.removesuffix(" MP")) if resolution.endswith(" MP") else Decimal(1)


def _flux_2(given: Input) -> list[tuple[str, bytes]]:
    area = float(_megapixels(given)) * _MEGAPIXEL
    return _pictures(given, given.get("output_format", "webp"), *_shape(given, area))


def _flux(given: Input) -> list[tuple[str, bytes]]:
    area = float(given.get("megapixels", "1")) * _MEGAPIXEL
    return _pictures(given, given.get("output_format", "webp"), *_shape(given, area))


def _stable_diffusion(given: Input) -> list[tuple[str, bytes]]:
    return _pictures(given, "png", given.get("width", 1024), given.get("height", 1024))


def _per_image(nanos: int) -> Callable[[Input], int]:
    return lambda given: nanos * int(given.get("num_outputs", 1))


def _per_megapixel(run: int, megapixel: int) -> Callable[[Input], int]:
    def price(given: Input) -> int:
        """A picture to start from counts as one more megapixel."""
        return whole(run + megapixel * (_megapixels(given) + len(given.get("input_images", ()))))

    return price


def _flux_2_inputs(images: int, **more: Schema) -> Schema:
    return {
        "prompt": PROMPT,
        "input_images": urls(images),
        "aspect_ratio": choice("1:1", "match_input_image", "custom", *_RATIOS[1:]),
        "resolution": choice("1 MP", "0.5 MP", "2 MP", "4 MP", "match_input_image"),
        "width": integer(256, 2048),
        "height": integer(256, 2048),
        "seed": SEED,
        "output_format": choice("webp", "jpg", "png"),
        "output_quality": integer(0, 100, 80),
        **more,
    }


def _stable_diffusion_inputs(steps: int, guidance: float, **more: Schema) -> Schema:
    return {
        "prompt": PROMPT,
        "negative_prompt": text(),
        "width": {"type": "integer", "multipleOf": 8, "default": 1024},
        "height": {"type": "integer", "multipleOf": 8, "default": 1024},
        "num_outputs": integer(1, 4, 1),
        "num_inference_steps": integer(1, 500, steps),
        "guidance_scale": number(1, 50, guidance),
        "scheduler": choice("K_EULER", "DDIM", "DPMSolverMultistep", "HeunDiscrete", "KarrasDPM",
                            "K_EULER_ANCESTRAL", "PNDM"),
        "seed": SEED,
        "apply_watermark": flag(True),
        "disable_safety_checker": flag(False),
        **more,
    }  # fmt: skip


_FLUX_2_SAFETY = {"safety_tolerance": integer(1, 5, 2)}

IMAGE_MODELS = (
    EmulatedModel(
        "black-forest-labs/flux-2-pro",
        _flux_2_inputs(8, **_FLUX_2_SAFETY),
        _flux_2,
        price=_per_megapixel(15_000_000, 15_000_000),
    ),
    EmulatedModel(
        "black-forest-labs/flux-2-flex",
        _flux_2_inputs(
            10,
            **_FLUX_2_SAFETY,
            prompt_upsampling=flag(True),
            steps=integer(1, 50, 30),
            guidance=number(1.5, 10, 4.5),
        ),
        _flux_2,
        price=_per_megapixel(0, 60_000_000),
    ),
    EmulatedModel(
        "black-forest-labs/flux-2-dev",
        {
            name: schema
            for name, schema in _flux_2_inputs(
                4, go_fast=flag(True), disable_safety_checker=flag(False)
            ).items()
            if name != "resolution"
        },
        _flux_2,
        price=_per_megapixel(0, 12_000_000),
    ),
    EmulatedModel(
        "black-forest-labs/flux-1.1-pro",
        {
            "prompt": PROMPT,
            "image_prompt": URI,
            "aspect_ratio": choice("1:1", "custom", *_RATIOS[1:]),
            "width": integer(256, 1440),
            "height": integer(256, 1440),
            "safety_tolerance": integer(1, 6, 2),
            "seed": SEED,
            "prompt_upsampling": flag(False),
            "output_format": choice("webp", "jpg", "png"),
            "output_quality": integer(0, 100, 80),
        },
        _flux,
        price=_per_image(40_000_000),
    ),
    EmulatedModel(
        "black-forest-labs/flux-schnell",
        {
            "prompt": PROMPT,
            "aspect_ratio": choice(*_RATIOS, "21:9", "9:21"),
            "num_outputs": integer(1, 4, 1),
            "num_inference_steps": integer(1, 4, 4),
            "seed": SEED,
            "output_format": choice("webp", "jpg", "png"),
            "output_quality": integer(0, 100, 80),
            "disable_safety_checker": flag(False),
            "go_fast": flag(True),
            "megapixels": choice("1", "0.25"),
        },
        _flux,
        as_list=True,
        logs=True,
        price=_per_image(3_000_000),
    ),
    EmulatedModel(
        "stability-ai/sdxl",
        _stable_diffusion_inputs(
            50,
            7.5,
            image=URI,
            mask=URI,
            prompt_strength=number(0, 1, 0.8),
            refine=choice("no_refiner", "expert_ensemble_refiner", "base_image_refiner"),
            lora_scale=number(0, 1, 0.6),
        ),
        _stable_diffusion,
        as_list=True,
        logs=True,
        version="7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc",
        extra_versions=("39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b",),
    ),
    EmulatedModel(
        "lucataco/dreamshaper-xl-turbo",
        _stable_diffusion_inputs(6, 2.0),
        _stable_diffusion,
        as_list=True,
        logs=True,
        version="0a1710e0187b01a255302738ca0158ff02a22f4638679533e111082f9dd1b615",
    ),
)
