"""What the emulated models make, log, report and cost."""

import base64
import io
from typing import Any

import av
import pytest
from PIL import Image

from tests.emulators.media import picture
from tests.emulators.replicate_films import FILM_MODELS
from tests.emulators.replicate_models import BY_SLUG, MODELS
from tests.emulators.replicate_predictions import Prediction

FILE = "https://files.example/a"


def run(slug: str, run_s: float = 10.0, **given: Any) -> Prediction:
    model = BY_SLUG[slug]
    assert model.complaints(given) == []
    return Prediction("p", model, model.version or "hidden", given, 0.0, 0.0, run_s, 3600.0)


@pytest.mark.parametrize(
    ("slug", "given", "nanos"),
    [
        ("minimax/video-01", {"prompt": "fog"}, 500_000_000),
        ("google/veo-3", {"prompt": "fog"}, 3_200_000_000),
        ("google/veo-3-fast", {"prompt": "fog", "duration": 4}, 600_000_000),
        ("kwaivgi/kling-v2.5-turbo-pro", {"prompt": "fog", "duration": 10}, 700_000_000),
        ("wan-video/wan-2.5-t2v", {"prompt": "fog", "size": "1080*1920"}, 750_000_000),
        ("wan-video/wan-2.5-i2v", {"prompt": "fog", "image": FILE}, 500_000_000),
        ("bytedance/seedance-1-lite", {"prompt": "fog", "duration": 3, "resolution": "480p"}, 54_000_000),
        ("bytedance/seedance-1-pro", {"prompt": "fog"}, 750_000_000),
        ("black-forest-labs/flux-2-pro", {"prompt": "fog", "input_images": [FILE] * 2}, 60_000_000),
        ("nightmareai/real-esrgan", {"image": FILE}, 10 * 225_000),
        ("tencentarc/gfpgan", {"img": FILE}, 10 * 225_000),
        ("lucataco/xtts-v2", {"speaker": FILE, "text": "hello"}, 10 * 1_400_000),
        ("meta/musicgen", {"prompt": "fog"}, 10 * 1_400_000),
    ],
)
def test_what_a_run_costs(slug: str, given: dict[str, Any], nanos: int) -> None:
    line = run(slug, **given).bill(11.0)
    assert (line.status, line.amount_nanos) == ("succeeded", nanos)


@pytest.mark.parametrize("model", FILM_MODELS, ids=lambda model: model.slug)
def test_film_lasts_as_long_as_it_is_reported(model: Any) -> None:
    assert model.metrics is not None
    [(extension, content)] = model.output({"prompt": "fog"})
    with av.open(io.BytesIO(content), "r") as container:
        seconds = (container.duration or 0) / av.time_base
    assert extension == "mp4"
    assert seconds == pytest.approx(model.metrics({}).get("video_output_duration_seconds", 6), abs=0.1)


def test_an_enlarged_picture_is_larger() -> None:
    content = base64.b64encode(picture("png", 20, 30)).decode()
    [(_, larger)] = BY_SLUG["nightmareai/real-esrgan"].output(
        {"image": f"data:image/png;base64,{content}", "scale": 3}
    )
    assert Image.open(io.BytesIO(larger)).size == (60, 90)


def test_an_upscaler_logs_its_tiles() -> None:
    half_way = run("nightmareai/real-esrgan", image=FILE).as_json(5.0, "")
    assert half_way["logs"].splitlines()[-1].strip() == "Tile 5/9"


def test_slugs_and_versions_are_each_somebodys_own() -> None:
    assert len(BY_SLUG) == len(MODELS)
