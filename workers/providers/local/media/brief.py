"""Reads a prompt: which scene it names, what is in it, at what hour, in which weather and colours."""

import hashlib
import re
from dataclasses import dataclass

_WORDS: dict[str, str] = {
    "sea": "sea ocean coast beach shore bay harbor harbour waves wave island lake river water sailing surf port",
    "mountains": "mountain mountains alps peak peaks valley canyon cliff cliffs fjord volcano ridge",
    "city": "city town skyline street streets building buildings skyscraper downtown urban tokyo paris york london"
    " cyberpunk metropolis rooftops village",
    "forest": "forest woods wood trees tree jungle pine pines woodland taiga",
    "desert": "desert dune dunes sahara sand mars oasis",
    "meadow": "meadow hill hills hillside field fields grass flower flowers garden tulip tulips poppies poppy"
    " lavender rose roses spring prairie sunflower sunflowers",
    "space": "space galaxy planet planets nebula cosmos cosmic universe spaceship astronaut orbit saturn rocket",
    "portrait": "portrait woman man girl boy face person queen king princess lady headshot selfie character human"
    " warrior wizard witch knight",
    "lighthouse": "lighthouse beacon",
    "boat": "boat boats ship sailboat yacht sailing sail",
    "house": "house cabin cottage hut barn castle tower farm",
    "moon": "moon moonlight moonlit crescent lunar",
    "sun": "sun sunlight sunny sunshine sunset sunrise sundown",
    "fog": "fog foggy mist misty haze hazy",
    "rain": "rain rainy storm stormy thunder",
    "snow": "snow snowy winter ice icy frozen glacier arctic",
    "clouds": "cloud clouds cloudy overcast",
    "birds": "bird birds gull gulls seagull seagulls crow raven flock geese",
    "stars": "star stars starry milky constellation",
    "aurora": "aurora borealis",
    "cat": "cat cats kitten kitty",
    "dog": "dog dogs puppy corgi wolf fox wolves",
    "deer": "deer stag elk reindeer moose",
    "horse": "horse horses pony unicorn stallion",
    "whale": "whale whales dolphin fish shark",
    "balloon": "balloon balloons",
}
_HOURS: dict[str, str] = {
    "night": "night midnight nocturnal moonlit moon starry neon dark cyberpunk aurora stars moonlight",
    "dusk": "sunset dusk evening twilight sundown golden",
    "dawn": "dawn sunrise morning",
    "day": "day noon midday sunny bright summer afternoon",
}
_HUES: dict[str, tuple[float, float, float]] = {
    "red": (0.84, 0.18, 0.16),
    "crimson": (0.70, 0.08, 0.18),
    "orange": (0.95, 0.52, 0.14),
    "golden": (0.95, 0.72, 0.25),
    "gold": (0.95, 0.72, 0.25),
    "yellow": (0.96, 0.82, 0.25),
    "green": (0.25, 0.62, 0.36),
    "emerald": (0.06, 0.52, 0.42),
    "teal": (0.10, 0.55, 0.58),
    "turquoise": (0.18, 0.70, 0.70),
    "blue": (0.18, 0.40, 0.82),
    "indigo": (0.28, 0.22, 0.66),
    "purple": (0.50, 0.26, 0.70),
    "violet": (0.54, 0.30, 0.78),
    "lavender": (0.64, 0.52, 0.86),
    "pink": (0.93, 0.48, 0.66),
    "magenta": (0.82, 0.20, 0.58),
    "neon": (0.90, 0.20, 0.72),
    "white": (0.93, 0.93, 0.92),
    "black": (0.08, 0.08, 0.10),
    "silver": (0.72, 0.75, 0.79),
    "brown": (0.46, 0.31, 0.20),
}
_PLACES = ("space", "portrait", "city", "forest", "desert", "mountains", "sea", "meadow")
"""Which scene wins where a prompt names several; the others may still appear in it."""
_AFLOAT = frozenset({"lighthouse", "boat", "whale"})
"""Where one of these is and no city or space, there is the sea, whatever else is in sight."""
_HOME = {
    "lighthouse": "sea",
    "boat": "sea",
    "whale": "sea",
    "house": "meadow",
    "deer": "forest",
    "horse": "meadow",
    "cat": "meadow",
    "dog": "meadow",
    "balloon": "mountains",
    "aurora": "mountains",
    "snow": "mountains",
    "birds": "sea",
    "stars": "mountains",
    "moon": "mountains",
    "sun": "sea",
    "fog": "mountains",
    "clouds": "mountains",
    "rain": "city",
}
"""Where a thing is shown when the prompt names no place."""


def _index(groups: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in groups.items() for word in words.split()}


_THING_OF, _HOUR_OF = _index(_WORDS), _index(_HOURS)


@dataclass(frozen=True, slots=True)
class Brief:
    """What is to be drawn. `seed` mixes the caller's seed with the prompt."""

    scene: str
    things: frozenset[str]
    hour: str
    tints: tuple[tuple[float, float, float], ...]
    seed: int

    def has(self, thing: str) -> bool:
        return thing in self.things

    @property
    def is_night(self) -> bool:
        return self.hour == "night"


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def read(prompt: str, seed: int, negative_prompt: str | None = None) -> Brief:
    """Words of `negative_prompt` take what they name out of the picture."""
    unwanted = {_THING_OF.get(word) for word in words_of(negative_prompt or "")}
    words = words_of(prompt)
    things = frozenset(_THING_OF[word] for word in words if word in _THING_OF) - unwanted
    digest = hashlib.sha256(f"{prompt.strip().lower()}\n{seed}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    return Brief(
        scene=_scene(things),
        things=frozenset(thing for thing in things if thing is not None),
        hour=next((_HOUR_OF[word] for word in words if word in _HOUR_OF), _default_hour(things, number)),
        tints=tuple(_HUES[word] for word in words if word in _HUES),
        seed=number,
    )


def _scene(things: frozenset[str]) -> str:
    places = [place for place in _PLACES if place in things]
    if things & _AFLOAT and not {"space", "portrait", "city"} & things:
        return "sea"
    if places:
        return places[0]
    return next((place for thing, place in _HOME.items() if thing in things), "abstract")


def _default_hour(things: frozenset[str], number: int) -> str:
    if "rain" in things:
        return "storm"
    if "fog" in things:
        return ("dawn", "dusk")[number % 2]
    if "city" in things:
        return ("dusk", "night")[number % 2]
    return ("dawn", "day", "dusk", "day")[number % 4]
