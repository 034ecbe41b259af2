"""All models that the emulated Replicate knows."""

from tests.emulators.replicate_films import FILM_MODELS
from tests.emulators.replicate_images import IMAGE_MODELS
from tests.emulators.replicate_sound import SOUND_MODELS
from tests.emulators.replicate_upscalers import UPSCALE_MODELS

MODELS = (*IMAGE_MODELS, *SOUND_MODELS, *FILM_MODELS, *UPSCALE_MODELS)

BY_SLUG = {model.slug: model for model in MODELS}
BY_VERSION = {
    version: model
    for model in MODELS
    if model.version is not None
    for version in (model.version, *model.extra_versions)
}
