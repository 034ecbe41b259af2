"""What each of Replicate's models is sent, what it may be asked for, and what its output is reckoned at."""

from decimal import Decimal
from typing import Any

import pytest

from shared.kinds import KINDS
from shared.kinds.image import ImageParameters
from tests.emulators.replicate_models import BY_SLUG
from workers.providers.replicate.answers import progress
from workers.providers.replicate.identity import model_input
from workers.providers.replicate.models import MODELS
from workers.providers.replicate.sound import DEFAULT_SPEAKER

FILE = "https://files.example/one"


def sent(model: str, files: dict[str, str] | None = None, **given: Any) -> dict[str, Any]:
    """The model's input, which the emulated model finds nothing wrong with."""
    card = MODELS[model].card
    assert card.refusal({**given, **(files or {})}) is None
    kind = KINDS[card.kind]
    named = {kind.prompt_field: "a fox", **given, **(files or {})}
    body = model_input(MODELS[model], kind.parameters(**named).model_dump(), files or {})
    assert BY_SLUG[MODELS[model].slug].complaints(body) == []
    return body


@pytest.mark.parametrize(
    ("model", "given", "body"),
    [
        ("musicgen", {"genre": "jazz", "tempo": 150, "duration_s": 7.2, "format": "wav"},
         {"prompt": "a fox, jazz, fast tempo, 150 bpm", "duration": 8, "output_format": "wav"}),
        ("musicgen", {}, {"duration": 30, "output_format": "mp3"}),
        ("xtts-v2", {"language": "de"}, {"language": "de", "speaker": DEFAULT_SPEAKER, "cleanup_voice": False}),
        ("wan-2.5-t2v", {"resolution": "1080p", "aspect_ratio": "9:16", "duration_s": 10},
         {"size": "1080*1920", "duration": 10}),
        ("wan-2.5-t2v", {}, {"size": "832*480", "duration": 5}),
        ("kling-v2.5-turbo-pro", {"aspect_ratio": "1:1"}, {"aspect_ratio": "1:1", "duration": 5}),
        ("veo-3-fast", {}, {"resolution": "720p", "duration": 8, "aspect_ratio": "16:9"}),
        ("veo-3", {"duration_s": 4, "resolution": "1080p"}, {"resolution": "1080p", "duration": 4}),
        ("seedance-1-pro", {"duration_s": 12}, {"resolution": "480p", "duration": 12, "aspect_ratio": "16:9"}),
        ("video-01", {"duration_s": 6}, {"prompt": "a fox", "prompt_optimizer": True}),
    ],
)  # fmt: skip
def test_parameters_become_input(model: str, given: dict[str, Any], body: dict[str, Any]) -> None:
    assert body.items() <= sent(model, **given).items()


@pytest.mark.parametrize(
    ("model", "given", "field", "value"),
    [
        ("xtts-v2", {"consent": True}, "speaker", FILE),
        ("real-esrgan", {"scale": 8, "face_restore": True}, "image", FILE),
        ("gfpgan", {"scale": 2}, "img", FILE),
        ("wan-2.5-i2v", {"resolution": "720p"}, "image", FILE),
        ("kling-v2.5-turbo-pro", {}, "start_image", FILE),
        ("video-01", {}, "first_frame_image", FILE),
        ("veo-3", {}, "image", FILE),
        ("seedance-1-lite", {"seed": 3}, "image", FILE),
        ("sdxl", {}, "image", FILE),
        ("flux-1.1-pro", {}, "image_prompt", FILE),
        ("flux-2-pro", {"size": "512x512"}, "input_images", [FILE]),
        ("flux-2-dev", {}, "input_images", [FILE]),
    ],
)
def test_a_file_goes_where_the_model_takes_it(
    model: str, given: dict[str, Any], field: str, value: object
) -> None:
    name = next(iter(KINDS[MODELS[model].card.kind].file_fields))
    assert sent(model, {name: FILE}, **given)[field] == value
    assert field in MODELS[model].file_fields


def test_several_pictures_keep_their_order() -> None:
    names = ["images.10", "image", "images.2"]
    given = ImageParameters(prompt="a fox", image="a", images=["b", "c"]).model_dump()
    body = model_input(MODELS["flux-2-pro"], given, {name: name for name in names})
    assert body["input_images"] == ["image", "images.2", "images.10"]
    assert MODELS["flux-2-pro"].card.refusal({"images": ["a"] * 8}) is not None


def test_an_edit_has_the_shape_of_what_it_starts_from() -> None:
    assert sent("flux-2-pro", {"image": FILE})["aspect_ratio"] == "match_input_image"
    assert sent("flux-2-pro", {"image": FILE}, aspect_ratio="16:9")["aspect_ratio"] == "16:9"


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        ("musicgen", {"duration_s": 30.5}, "duration_s"),
        ("musicgen", {"instrumental": False}, "instrumental"),
        ("xtts-v2", {"language": "ja"}, "language"),
        ("xtts-v2", {"format": "ogg"}, "format"),
        ("xtts-v2", {"speed": 2.0}, "speed"),
        ("gfpgan", {"image": FILE, "scale": 8}, "scale"),
        ("real-esrgan", {"image": FILE, "format": "webp"}, "format"),
        ("video-01", {"duration_s": 10.0}, "duration_s"),
        ("video-01", {"resolution": "1080p"}, "resolution"),
        ("veo-3", {"duration_s": 7.0}, "duration_s"),
        ("veo-3", {"aspect_ratio": "1:1"}, "aspect_ratio"),
        ("wan-2.5-t2v", {"image": FILE}, "image"),
        ("wan-2.5-i2v", {}, "image"),
        ("seedance-1-lite", {"resolution": "360p"}, "resolution"),
        ("seedance-1-lite", {"duration_s": 2.5}, "duration_s"),
        ("kling-v2.5-turbo-pro", {"seed": 1}, "seed"),
    ],
)
def test_what_a_model_cannot_do_is_refused_by_name(model: str, given: dict[str, Any], field: str) -> None:
    refusal = MODELS[model].card.refusal(given)
    assert refusal is not None
    assert refusal[0] == field


@pytest.mark.parametrize(
    ("model", "given", "nanos"),
    [
        ("video-01", {}, 500_000_000),
        ("veo-3", {}, 8 * 400_000_000),
        ("veo-3-fast", {"duration_s": 4.0}, 4 * 150_000_000),
        ("kling-v2.5-turbo-pro", {"duration_s": 10.0}, 10 * 70_000_000),
        ("wan-2.5-t2v", {"resolution": "1080p"}, 5 * 150_000_000),
        ("seedance-1-lite", {"duration_s": 12.0, "resolution": "720p"}, 12 * 36_000_000),
        ("flux-2-pro", {"image": FILE}, 45_000_000),
        ("musicgen", {"duration_s": 10.0}, 8 * 1_400_000),
    ],
)
def test_an_estimate_is_for_what_the_model_will_make(model: str, given: dict[str, Any], nanos: int) -> None:
    card = MODELS[model].card
    assert card.estimate(KINDS[card.kind].parameters(**{"prompt": "a fox", **given})) == nanos


@pytest.mark.parametrize(
    ("metrics", "seconds", "rate"),
    [
        ({}, 5, "output_second_720p"),
        ({"video_output_duration_seconds": 3.5}, Decimal("3.5"), "output_second_720p"),
        ({"video_output_duration_seconds": 5, "resolution_target": "480P"}, 5, "output_second_480p"),
        ({"resolution_target": "8k"}, 5, None),
    ],
)
def test_film_is_reckoned_as_reported(metrics: dict[str, Any], seconds: Any, rate: str | None) -> None:
    model = MODELS["seedance-1-lite"]
    assert model.units is not None
    assert model.card.price is not None
    units = model.units({"duration": 5, "resolution": "720p"}, 1, metrics)
    assert units["output_second"] == seconds
    if rate is None:
        # A resolution without a price makes the bill unknown, not nothing.
        assert not units.keys() & model.card.price.units.keys()
    else:
        assert {unit: count for unit, count in units.items() if count and unit != "output_second"} == {
            rate: seconds
        }


@pytest.mark.parametrize(
    ("logs", "share"),
    [
        ("Using seed: 1\n 40%|████      | 20/50 [00:01<00:02]\n 60%|██████    | 30/50 [00:02<00:01]", 0.6),
        ("Sampling:  25%|██▌  | 1/4", 0.25),
        ("Downloading weights\n  7%\n 12.5%\n", 0.12),
        ("\tTile 1/9\n\tTile 4/9", 3 / 9),
        ("loss 40% smaller than before", None),
        ("GPU memory: 93% in use", None),
        ("", None),
        (None, None),
    ],
)
def test_how_far_it_is_stands_in_the_logs(logs: str | None, share: float | None) -> None:
    assert progress(logs) == share
