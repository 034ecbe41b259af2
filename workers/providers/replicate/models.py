"""All of Replicate's models that we offer, by our names of them."""

from workers.providers.replicate.films import FILM_MODELS
from workers.providers.replicate.images import IMAGE_MODELS
from workers.providers.replicate.sound import MUSIC_MODELS, SPEECH_MODELS
from workers.providers.replicate.upscalers import UPSCALE_MODELS

MODELS = {
    model.card.model: model
    for model in (*IMAGE_MODELS, *SPEECH_MODELS, *MUSIC_MODELS, *FILM_MODELS, *UPSCALE_MODELS)
}
CARDS = tuple(model.card for model in MODELS.values())
