"""The models that the emulated Replicate knows: their input schemas, their outputs and what they cost.

Prices are the emulator's own, so that they are an account independent of Penstock's cards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

from tests.emulators import media

Input = Mapping[str, Any]
Schema = dict[str, Any]

T4, L40S, A100 = 225_000, 975_000, 1_400_000
"""Nano-dollars per second of use."""

_RATIOS = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4"]
_MEGAPIXEL = 1 << 20


def text(**more: Any) -> Schema:
    return {"type": "string", **more}


def integer(low: int, high: int, default: int | None = None) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def number(low: float, high: float, default: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "default": default}


def choice(*options: str) -> Schema:
    return {"type": "string", "enum": list(options), "default": options[0]}


def flag(default: bool) -> Schema:
    return {"type": "boolean", "default": default}


URI: Schema = {"type": "string", "format": "uri"}
SEED: Schema = {"type": "integer"}
PROMPT = text(minLength=1)


def urls(most: int) -> Schema:
    return {"type": "array", "items": URI, "maxItems": most}


@dataclass(frozen=True)
class EmulatedModel:
    """`output` gives (extension, bytes) of each file. Official models are billed for their output by
    `price`, in nano-dollars; community models, whose `price` is None, for their time on `hardware`."""

    slug: str
    inputs: Schema
    output: Callable[[Input], list[tuple[str, bytes]]]
    required: tuple[str, ...] = ("prompt",)
    as_list: bool = False
    version: str | None = None
    """None for official models, whose version is hidden."""
    price: Callable[[Input], int] | None = None
    hardware: int = L40S
    logs: bool = False
    steps_field: str = "num_inference_steps"
    extra_versions: tuple[str, ...] = field(default=())

    @property
    def official(self) -> bool:
        return self.version is None

    @cached_property
    def input_schema(self) -> Schema:
        return {
            "type": "object",
            "title": "Input",
            "required": list(self.required),
            "properties": self.inputs,
            "additionalProperties": False,
        }

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.input_schema)

    def complaints(self, given: Input) -> list[tuple[str, str]]:
        """(field, message) for each wrong input."""
        return [
            (".".join(map(str, error.absolute_path)) or "input", error.message)
            for error in self._validator.iter_errors(given)
        ]

    def bill(self, given: Input, status: str, predict_time: str | None) -> int:
        """Nano-dollars. A prediction that never ran costs nothing. One that ran costs an official model's
        caller only when it succeeded (there is nothing delivered, and no price for time), and a community
        model's caller the time that it used, whether it succeeded, failed or was canceled."""
        if self.price is not None:
            return self.price(given) if status == "succeeded" else 0
        exact = Decimal(predict_time or 0) * self.hardware
        return int(exact.to_integral_value(ROUND_HALF_EVEN))


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
    return Decimal(given.get("resolution", "1 MP").removesuffix(" MP"))


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
    return lambda given: int((run + megapixel * _megapixels(given)).to_integral_value(ROUND_HALF_EVEN))


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

MODELS = (
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
    EmulatedModel(
        "minimax/video-01",
        {
            "prompt": PROMPT,
            "prompt_optimizer": flag(True),
            "first_frame_image": URI,
            "subject_reference": URI,
        },
        lambda _: [("mp4", media.video())],
        price=_per_image(500_000_000),
    ),
    EmulatedModel(
        "meta/musicgen",
        {
            "prompt": text(),
            "duration": integer(1, 30, 8),
            "model_version": choice("stereo-melody-large", "stereo-large", "melody-large", "large"),
            "input_audio": URI,
            "continuation": flag(False),
            "normalization_strategy": choice("loudness", "clip", "peak", "rms"),
            "top_k": integer(0, 1000, 250),
            "top_p": number(0, 1, 0),
            "temperature": number(0, 5, 1),
            "classifier_free_guidance": integer(0, 20, 3),
            "output_format": choice("wav", "mp3"),
            "seed": SEED,
        },
        lambda given: [
            (extension := given.get("output_format", "wav"), media.sound(extension, given.get("duration", 8)))
        ],
        required=(),
        version="671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        hardware=A100,
        logs=True,
    ),
)

BY_SLUG = {model.slug: model for model in MODELS}
BY_VERSION = {
    version: model
    for model in MODELS
    if model.version is not None
    for version in (model.version, *model.extra_versions)
}
