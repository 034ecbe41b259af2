"""fal's models and their cards.

Prices are those of stored copies of fal's model pages, or of third-party lists, and say so; where sources
contradict each other, or tell of seconds on a machine that is not named, there is no price.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from shared.catalog import ModelCard, Price
from shared.money import NANOS_PER_USD
from workers.providers.fal import inputs
from workers.providers.fal.inputs import Given, ToInput, Units

SEEN_ON: Final = date(2026, 11, 20)
BEHIND_REPLICATE: Final = 60
"""The rank: of one product name, Replicate's card goes first."""


@dataclass(frozen=True, slots=True)
class FalModel:
    """`endpoint` is where a request is sent, `image_endpoint` where one with a picture to start from is; status
    and result are asked for at the first two parts of either."""

    card: ModelCard
    endpoint: str
    to_input: ToInput
    """Makes the model's input of our parameters and file URLs, without the seed; raises Refused."""
    units: Units
    image_endpoint: str | None = None
    billed_in: str | None = None
    """The unit that fal's own count of billable units is in; None where its price is not one rate."""
    seeded: bool = True
    """Whether the model takes a seed."""

    @property
    def app(self) -> str:
        return "/".join(self.endpoint.split("/")[:2])

    def endpoint_for(self, given: Given) -> str:
        if self.image_endpoint is None or given.get("image") is None:
            return self.endpoint
        return self.image_endpoint


def _price(source: str, **usd: str) -> Price:
    units = {unit: Decimal(amount) * NANOS_PER_USD for unit, amount in usd.items()}
    return Price(units, SEEN_ON, source)


def _card(kind: str, model: str, label: str, description: str, accepts: set[str], **more: Any) -> ModelCard:
    common = {"image": {"prompt", "size", "aspect_ratio", "seed", "style", "format"}, "upscale": {"image"}}
    return ModelCard(
        provider="fal",
        model=model,
        kind=kind,
        label=label,
        description=description,
        accepts=frozenset(common.get(kind, {"prompt"}) | accepts),
        rank=more.pop("rank", BEHIND_REPLICATE),
        **more,
    )


_FORMATS = {"format": {"enum": ["png", "jpeg"]}}

IMAGE_MODELS = (
    FalModel(
        _card(
            "image",
            "flux-2-pro",
            "FLUX.2 [pro]",
            "High-quality pictures with fixed settings, by Black Forest Labs.",
            set(),
            aliases=("flux-2",),
            limits=_FORMATS,
            price=_price(
                "third-party list: $0.03 for the first megapixel, $0.015 for each further begun one; unverified",
                run="0.015",
                megapixel="0.015",
            ),
            expected_s=10.0,
        ),
        "fal-ai/flux-2-pro",
        inputs.picture,
        inputs.whole_megapixels,
    ),
    FalModel(
        _card(
            "image",
            "flux-2-flex",
            "FLUX.2 [flex]",
            "Pictures with a choice of steps and guidance; strong at lettering.",
            {"steps", "guidance"},
            limits={
                **_FORMATS,
                "steps": {"minimum": 2, "maximum": 50},
                "guidance": {"minimum": 1.5, "maximum": 10},
            },
            price=_price("fal.ai model page of flux-2-flex: per begun megapixel", megapixel="0.05"),
            expected_s=18.0,
        ),
        "fal-ai/flux-2-flex",
        inputs.tuned,
        inputs.whole_megapixels,
        billed_in="megapixel",
    ),
    FalModel(
        _card(
            "image",
            "flux-1.1-pro",
            "FLUX1.1 [pro]",
            "Fast, detailed pictures.",
            {"count"},
            limits=_FORMATS,
            # Lists say $0.04 and $0.055 a megapixel.
            price=None,
            expected_s=6.0,
        ),
        "fal-ai/flux-pro/v1.1",
        inputs.pictures,
        inputs.whole_megapixels,
    ),
    FalModel(
        _card(
            "image",
            "flux-dev",
            "FLUX.1 [dev]",
            "The open-weight FLUX.1, with a choice of steps and guidance.",
            {"count", "steps", "guidance"},
            aliases=("flux-1-dev",),
            limits={
                **_FORMATS,
                "steps": {"maximum": 50},
                "guidance": {"minimum": 1},
            },
            price=_price("fal.ai model page of flux-1/dev: per begun megapixel", megapixel="0.025"),
            expected_s=4.0,
        ),
        "fal-ai/flux/dev",
        inputs.tuned_pictures,
        inputs.whole_megapixels,
        billed_in="megapixel",
    ),
    FalModel(
        _card(
            "image",
            "flux-schnell",
            "FLUX.1 [schnell]",
            "Pictures within two seconds, for drafts.",
            {"count", "steps"},
            limits={**_FORMATS, "steps": {"maximum": 4}},
            price=_price("third-party lists: per begun megapixel; unverified", megapixel="0.003"),
            expected_s=2.0,
            licence="Apache-2.0",
            on_unknown="retry",
        ),
        "fal-ai/flux/schnell",
        inputs.tuned_pictures,
        inputs.whole_megapixels,
        billed_in="megapixel",
    ),
    FalModel(
        _card(
            "image",
            "fast-sdxl",
            "Stable Diffusion XL",
            "The open classic: negative prompts, steps, guidance, and pictures to start from.",
            {"count", "negative_prompt", "steps", "guidance", "image"},
            aliases=("sdxl", "stable-diffusion"),
            limits={**_FORMATS, "steps": {"maximum": 50}},
            price=None,
            expected_s=4.0,
            licence="CreativeML Open RAIL++-M",
        ),
        "fal-ai/fast-sdxl",
        inputs.stable_diffusion,
        inputs.whole_megapixels,
        image_endpoint="fal-ai/fast-sdxl/image-to-image",
    ),
)

_RATIOS = {"aspect_ratio": {"enum": ["16:9", "9:16", "1:1"]}, "duration_s": {"enum": [5, 10]}}
_WAN = {"480p": "0.05", "720p": "0.10", "1080p": "0.15"}


def _wan(resolution: str, usd: str, place: int) -> FalModel:
    """One card for each resolution, because each has its price."""
    return FalModel(
        _card(
            "video",
            f"wan-2.5-{resolution}",
            f"Wan 2.5 ({resolution})",
            "Clips of five or ten seconds with sound, from words or a first frame.",
            {"duration_s", "aspect_ratio", "resolution", "seed", "image"},
            aliases=("wan", "wan-2.5"),
            limits={**_RATIOS, "prompt": {"maxLength": 800}, "resolution": {"enum": [resolution]}},
            price=_price("fal.ai model page of wan-25-preview", output_second=usd),
            expected_s=90.0,
            rank=BEHIND_REPLICATE + place,
        ),
        "fal-ai/wan-25-preview/text-to-video",
        inputs.clip_of(resolution),
        inputs.output_seconds,
        image_endpoint="fal-ai/wan-25-preview/image-to-video",
    )


VIDEO_MODELS = (
    *(_wan(resolution, usd, place) for place, (resolution, usd) in enumerate(_WAN.items())),
    FalModel(
        _card(
            "video",
            "kling-2.5-turbo",
            "Kling 2.5 Turbo Pro",
            "Fluid, cinematic clips of five or ten seconds, from words or a first frame.",
            {"duration_s", "aspect_ratio", "image"},
            aliases=("kling",),
            limits={**_RATIOS, "prompt": {"maxLength": 2500}},
            price=_price("fal.ai model page of kling-video/v2.5-turbo/pro", output_second="0.07"),
            expected_s=120.0,
        ),
        "fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
        inputs.clip,
        inputs.output_seconds,
        image_endpoint="fal-ai/kling-video/v2.5-turbo/pro/image-to-video",
        billed_in="output_second",
        seeded=False,
    ),
)

_SAID = {"genre", "mood", "tempo", "duration_s", "seed", "instrumental"}

MUSIC_MODELS = (
    FalModel(
        _card(
            "music",
            "stable-audio-2.5",
            "Stable Audio 2.5",
            "Instrumental music and sound of up to three minutes, at one price whatever the length.",
            _SAID,
            aliases=("stable-audio",),
            limits={"duration_s": {"maximum": 190}, "instrumental": {"enum": [True]}},
            price=_price("fal.ai model page of stable-audio-25: per piece", run="0.20"),
            expected_s=12.0,
        ),
        "fal-ai/stable-audio-25/text-to-audio",
        inputs.stable_audio,
        inputs.one_run,
        billed_in="run",
    ),
    FalModel(
        _card(
            "music",
            "ace-step",
            "ACE-Step",
            "Songs and instrumentals of up to four minutes for a few cents.",
            _SAID,
            limits={"duration_s": {"minimum": 5, "maximum": 240}},
            price=_price("fal.ai model page of ace-step/prompt-to-audio", output_second="0.0002"),
            expected_s=15.0,
            on_unknown="retry",
        ),
        "fal-ai/ace-step/prompt-to-audio",
        inputs.ace_step,
        inputs.output_seconds,
        billed_in="output_second",
    ),
)

UPSCALE_MODELS = (
    FalModel(
        _card(
            "upscale",
            "clarity-upscaler",
            "Clarity Upscaler",
            "Enlarges up to four times and invents fitting detail.",
            {"scale"},
            aliases=("clarity",),
            limits={"scale": {"maximum": 4}},
            price=_price("fal.ai model page of clarity-upscaler", megapixel="0.03"),
            # A picture of one megapixel at four times its width and height.
            typical_units={"megapixel": Decimal(16)},
            expected_s=30.0,
        ),
        "fal-ai/clarity-upscaler",
        inputs.clarity,
        inputs.whole_megapixels,
        billed_in="megapixel",
        seeded=False,
    ),
    FalModel(
        _card(
            "upscale",
            "esrgan",
            "Real-ESRGAN",
            "Enlarges up to eight times and stays true to the picture; mends faces on request.",
            {"scale", "face_restore", "format"},
            aliases=("real-esrgan",),
            limits=_FORMATS,
            price=None,
            expected_s=8.0,
            licence="BSD-3-Clause",
        ),
        "fal-ai/esrgan",
        inputs.esrgan,
        inputs.one_run,
        seeded=False,
    ),
)

MODELS = {model.card.model: model for model in (*IMAGE_MODELS, *VIDEO_MODELS, *MUSIC_MODELS, *UPSCALE_MODELS)}
CARDS = tuple(model.card for model in MODELS.values())
