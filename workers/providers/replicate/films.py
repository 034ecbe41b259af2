"""Video from text or from a first frame, by MiniMax, Wan, Kling, Veo and Seedance.

All are official models. They bill the seconds of film that they deliver, which the prediction reports, at a
rate that may depend on the resolution; MiniMax bills each film.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

from shared.catalog import ModelCard
from shared.kinds.video import Resolution, seconds_by_resolution
from workers.providers.replicate.model import READ_ON, Files, Given, Input, ReplicateModel, given_only, usd

_COMMON = frozenset({"prompt", "duration_s"})
_LISTED = "third-party lists of Replicate's prices per second of film; unverified"
_WAN_SIZES = {
    ("480p", "16:9"): "832*480",
    ("480p", "9:16"): "480*832",
    ("720p", "16:9"): "1280*720",
    ("720p", "9:16"): "720*1280",
    ("1080p", "16:9"): "1920*1080",
    ("1080p", "9:16"): "1080*1920",
}
_WAN_USD = {"output_second_480p": "0.05", "output_second_720p": "0.10", "output_second_1080p": "0.15"}


def _choices(*values: float | str, default: float | str | None = None) -> dict[str, Any]:
    """These values only; `default` where the kind's own is none of them."""
    return {"enum": list(values)} | ({} if default is None else {"default": default})


_FIVE_OR_TEN = _choices(5, 10)
_FAIR = _choices("480p", "720p", "1080p")
_HIGH = _choices("720p", "1080p", default="720p")
_FIXED_FPS = _choices(24)
_WIDE_OR_TALL = _choices("16:9", "9:16")


def _minimax(given: Given, files: Files) -> Input:
    return {
        "prompt": given["prompt"],
        "prompt_optimizer": True,
        **given_only(first_frame_image=files.get("image")),
    }


def _wan(given: Given, _: Files) -> Input:
    size = _WAN_SIZES[given["resolution"], given["aspect_ratio"]]
    return {"prompt": given["prompt"], "duration": int(given["duration_s"]), "size": size}


def _wan_from_picture(given: Given, files: Files) -> Input:
    return {
        "prompt": given["prompt"],
        "duration": int(given["duration_s"]),
        "resolution": given["resolution"],
        **given_only(image=files.get("image")),
    }


def _kling(given: Given, files: Files) -> Input:
    """A first frame decides the shape."""
    shape = {} if "image" in files else {"aspect_ratio": given["aspect_ratio"]}
    return {
        "prompt": given["prompt"],
        "duration": int(given["duration_s"]),
        **shape,
        **given_only(start_image=files.get("image")),
    }


def _veo(given: Given, files: Files) -> Input:
    return {
        "prompt": given["prompt"],
        "duration": int(given["duration_s"]),
        "resolution": given["resolution"],
        "aspect_ratio": given["aspect_ratio"],
        "generate_audio": True,
        **given_only(image=files.get("image")),
    }


def _seedance(given: Given, files: Files) -> Input:
    """A first frame decides the shape."""
    shape = {} if "image" in files else {"aspect_ratio": given["aspect_ratio"]}
    return {
        "prompt": given["prompt"],
        "duration": int(given["duration_s"]),
        "resolution": given["resolution"],
        **shape,
        **given_only(image=files.get("image")),
    }


def _films(_: Given, files: int, __: Given) -> Mapping[str, Decimal]:
    return {"run": Decimal(files)}


def _seconds(sent: Given, files: int, metrics: Given) -> Mapping[str, Decimal]:
    """What the prediction reports, else what was asked for. A resolution that nobody knows has no price."""
    seconds = Decimal(str(metrics.get("video_output_duration_seconds") or sent["duration"] * files))
    resolution = _resolution(sent, metrics)
    if resolution not in get_args(Resolution):
        return {"output_second": seconds}
    return seconds_by_resolution(seconds, resolution)


def _resolution(sent: Given, metrics: Given) -> str:
    told = metrics.get("resolution_target") or sent.get("resolution")
    if told is None and "size" in sent:
        told = next(name for (name, _), size in _WAN_SIZES.items() if size == sent["size"])
    return str(told).lower()


def _card(model: str, label: str, description: str, accepts: set[str], **more: Any) -> ModelCard:
    return ModelCard(
        provider="replicate",
        model=model,
        kind="video",
        label=label,
        description=description,
        accepts=_COMMON | accepts,
        **more,
    )


FILM_MODELS = (
    ReplicateModel(
        _card(
            "seedance-1-lite",
            "Seedance 1 Lite",
            "Two to twelve seconds of film at a low price, from text or a first frame.",
            {"aspect_ratio", "resolution", "fps", "seed", "image"},
            aliases=("seedance",),
            limits={"duration_s": _choices(*range(2, 13)), "resolution": _FAIR, "fps": _FIXED_FPS},
            price=usd(
                READ_ON,
                _LISTED,
                output_second_480p="0.018",
                output_second_720p="0.036",
                output_second_1080p="0.072",
            ),
            expected_s=40.0,
            rank=50,
        ),
        "bytedance/seedance-1-lite",
        _seedance,
        _seconds,
        file_fields=frozenset({"image"}),
    ),
    ReplicateModel(
        _card(
            "seedance-1-pro",
            "Seedance 1 Pro",
            "Several shots in one film of up to twelve seconds, from text or a first frame.",
            {"aspect_ratio", "resolution", "fps", "seed", "image"},
            limits={"duration_s": _choices(*range(2, 13)), "resolution": _FAIR, "fps": _FIXED_FPS},
            price=usd(
                READ_ON,
                _LISTED,
                output_second_480p="0.03",
                output_second_720p="0.06",
                output_second_1080p="0.15",
            ),
            expected_s=60.0,
            rank=51,
        ),
        "bytedance/seedance-1-pro",
        _seedance,
        _seconds,
        file_fields=frozenset({"image"}),
    ),
    ReplicateModel(
        _card(
            "wan-2.5-t2v",
            "Wan 2.5",
            "Five or ten seconds of film with sound, from text.",
            {"aspect_ratio", "resolution", "seed"},
            aliases=("wan",),
            limits={"duration_s": _FIVE_OR_TEN, "resolution": _FAIR, "aspect_ratio": _WIDE_OR_TALL},
            price=usd(READ_ON, _LISTED, **_WAN_USD),
            expected_s=90.0,
            rank=52,
        ),
        "wan-video/wan-2.5-t2v",
        _wan,
        _seconds,
    ),
    ReplicateModel(
        _card(
            "wan-2.5-i2v",
            "Wan 2.5 from a picture",
            "Five or ten seconds of film with sound, from a first frame, which gives it its shape.",
            {"resolution", "seed", "image"},
            aliases=("wan",),
            limits={"duration_s": _FIVE_OR_TEN, "resolution": _FAIR},
            requires=frozenset({"image"}),
            price=usd(READ_ON, _LISTED, **_WAN_USD),
            expected_s=100.0,
            rank=53,
        ),
        "wan-video/wan-2.5-i2v",
        _wan_from_picture,
        _seconds,
        file_fields=frozenset({"image"}),
    ),
    ReplicateModel(
        _card(
            "kling-v2.5-turbo-pro",
            "Kling 2.5 Turbo Pro",
            "Five or ten seconds of smooth camera work at 1080p, from text or a first frame.",
            {"aspect_ratio", "resolution", "image"},
            aliases=("kling",),
            limits={
                "duration_s": _FIVE_OR_TEN,
                "resolution": _choices("1080p", default="1080p"),
                "aspect_ratio": _choices("16:9", "9:16", "1:1"),
            },
            price=usd(READ_ON, _LISTED, output_second="0.07"),
            expected_s=120.0,
            rank=54,
        ),
        "kwaivgi/kling-v2.5-turbo-pro",
        _kling,
        _seconds,
        file_fields=frozenset({"start_image"}),
        seeded=False,
    ),
    ReplicateModel(
        _card(
            "video-01",
            "MiniMax Video-01",
            "Six seconds of film at 720p, from text or a first frame.",
            {"resolution", "image"},
            aliases=("minimax", "minimax-video-01"),
            limits={
                "duration_s": _choices(6, default=6),
                "resolution": _choices("720p", default="720p"),
            },
            price=usd(READ_ON, "third-party lists: $0.50 for a film; unverified", run="0.50"),
            expected_s=200.0,
            rank=55,
        ),
        "minimax/video-01",
        _minimax,
        _films,
        file_fields=frozenset({"first_frame_image"}),
        seeded=False,
    ),
    *(
        ReplicateModel(
            _card(
                model,
                label,
                description,
                {"aspect_ratio", "resolution", "seed", "image"},
                aliases=aliases,
                limits={
                    "duration_s": _choices(4, 6, 8, default=8),
                    "resolution": _HIGH,
                    "aspect_ratio": _WIDE_OR_TALL,
                },
                price=usd(READ_ON, _LISTED, output_second=rate),
                expected_s=expected_s,
                rank=rank,
            ),
            f"google/{model}",
            _veo,
            _seconds,
            file_fields=frozenset({"image"}),
        )
        for model, label, description, aliases, rate, expected_s, rank in (
            ("veo-3-fast", "Veo 3 Fast", "Film with sound, from text or a first frame, within a minute or so.",
             ("veo",), "0.15", 70.0, 56),
            ("veo-3", "Veo 3", "Google's best film, with sound, from text or a first frame.",
             (), "0.40", 120.0, 57),
        )
    ),
)  # fmt: skip
