"""What is played: scales, chord progressions and each genre's way with them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

Scale = tuple[int, ...]
MINOR, MAJOR, DORIAN = (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 9, 10)


@dataclass(frozen=True, slots=True)
class Genre:
    """How a genre sounds. Progressions are scale degrees, one a bar; levels are shares of full volume."""

    tempo: int
    scale: Scale
    progressions: tuple[tuple[int, ...], ...]
    lead: str
    pad: float = 0.5
    keys: float = 0.0
    bass: str = "sub"
    drums: str | None = None
    arpeggio: float = 0.0
    melody: float = 0.6
    swing: float = 0.0
    sevenths: bool = False
    reverb: float = 0.25
    density: float = 0.5
    tape: bool = False


GENRES: dict[str, Genre] = {
    "ambient": Genre(
        70,
        MAJOR,
        ((0, 4, 5, 3), (0, 2, 3, 3), (5, 3, 0, 4)),
        "bell",
        0.9,
        bass="sub",
        melody=0.35,
        reverb=0.55,
        density=0.22,
        sevenths=True,
    ),
    "classical": Genre(
        96,
        MAJOR,
        ((0, 4, 5, 3, 0, 3, 4, 0), (0, 3, 4, 0, 5, 1, 4, 0)),
        "strings",
        0.35,
        0.7,
        "pluck",
        None,
        0.5,
        0.6,
        reverb=0.32,
        density=0.6,
    ),
    "electronic": Genre(
        124,
        MINOR,
        ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6)),
        "saw",
        0.5,
        0.0,
        "saw",
        "four",
        0.55,
        0.45,
        reverb=0.2,
        density=0.5,
    ),
    "jazz": Genre(
        116,
        MAJOR,
        ((1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4)),
        "reed",
        0.12,
        0.65,
        "walk",
        "swing",
        0.0,
        0.6,
        0.62,
        True,
        0.22,
        0.62,
    ),
    "rock": Genre(
        128,
        MINOR,
        ((0, 5, 2, 6), (0, 6, 5, 4), (0, 2, 6, 3)),
        "guitar",
        0.15,
        0.0,
        "drive",
        "rock",
        0.0,
        0.5,
        reverb=0.16,
        density=0.5,
    ),
    "pop": Genre(
        110,
        MAJOR,
        ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4)),
        "pluck",
        0.45,
        0.5,
        "pulse",
        "pop",
        0.3,
        0.6,
        reverb=0.2,
        density=0.55,
    ),
    "cinematic": Genre(
        84,
        MINOR,
        ((0, 5, 2, 6), (0, 3, 5, 4), (0, 2, 5, 6)),
        "strings",
        0.95,
        0.25,
        "sub",
        "toms",
        0.35,
        0.5,
        reverb=0.45,
        density=0.35,
    ),
    "lo-fi": Genre(
        78,
        DORIAN,
        ((1, 4, 0, 5), (0, 3, 1, 4), (3, 2, 1, 0)),
        "bell",
        0.25,
        0.75,
        "pulse",
        "boombap",
        0.0,
        0.4,
        0.58,
        True,
        0.22,
        0.35,
        True,
    ),
    "hiphop": Genre(
        88,
        MINOR,
        ((0, 0, 5, 4), (0, 5, 3, 4), (0, 2, 5, 4)),
        "bell",
        0.3,
        0.45,
        "sub",
        "boombap",
        0.0,
        0.4,
        0.54,
        True,
        0.16,
        0.35,
    ),
    "folk": Genre(
        104,
        MAJOR,
        ((0, 3, 0, 4), (0, 5, 3, 4)),
        "pluck",
        0.2,
        0.0,
        "pluck",
        None,
        0.7,
        0.6,
        reverb=0.22,
        density=0.55,
    ),
}
DEFAULT_GENRE = "ambient"
SYNONYMS = {
    "hip hop": "hiphop", "rap": "hiphop", "trap": "hiphop", "drill": "hiphop", "boom bap": "hiphop", "r&b": "hiphop",
    "lofi": "lo-fi", "chill": "lo-fi", "chillhop": "lo-fi", "study beats": "lo-fi", "techno": "electronic",
    "house music": "electronic", "deep house": "electronic", "tech house": "electronic", "edm": "electronic",
    "trance": "electronic", "dubstep": "electronic", "drum & bass": "electronic", "drum and bass": "electronic",
    "synthwave": "electronic", "chiptune": "electronic", "8 bit": "electronic", "synth": "electronic",
    "dance": "electronic", "orchestral": "cinematic", "orchestra": "cinematic", "soundtrack": "cinematic",
    "film music": "cinematic", "film score": "cinematic", "trailer": "cinematic", "metal": "rock", "punk": "rock",
    "grunge": "rock", "indie": "rock", "electric guitar": "rock", "piano": "classical", "baroque": "classical",
    "waltz": "classical", "symphony": "classical", "string quartet": "classical", "violin": "classical",
    "bossa": "jazz", "bossa nova": "jazz", "swing": "jazz", "blues": "jazz", "saxophone": "jazz", "acoustic": "folk",
    "country music": "folk", "celtic": "folk", "banjo": "folk", "guitar": "folk", "drone": "ambient",
    "meditation": "ambient", "sleep": "ambient", "new age": "ambient", "disco": "pop", "funk": "pop",
    "reggae": "pop", "soul": "pop", "latin": "pop",
}  # fmt: skip
"""Words that mean one of GENRES. What a prompt may say of other things (house, film, country) stands with
the word that makes it a genre."""
MOODS = {
    "happy": (1.06, MAJOR, 1.1, 2), "sad": (0.86, MINOR, 0.75, -3), "energetic": (1.15, None, 1.25, 0),
    "calm": (0.85, None, 0.7, 0), "mysterious": (0.92, MINOR, 0.8, -2), "epic": (1.0, MINOR, 1.15, 0),
    "dark": (0.92, MINOR, 0.9, -4), "romantic": (0.92, MAJOR, 0.85, 0), "dreamy": (0.9, MAJOR, 0.75, 0),
}  # fmt: skip
"""Per mood: tempo factor, scale (None keeps the genre's), how many notes, transposition in semitones."""
MOOD_WORDS = {
    "happy": "cheerful joyful uplifting upbeat fun playful sunny bright optimistic summer",
    "sad": "melancholic melancholy sorrow sorrowful nostalgic lonely bittersweet grief wistful tearful",
    "energetic": "energy intense driving powerful aggressive exciting workout lively",
    "calm": "peaceful relaxing relaxed quiet gentle soothing soft serene tranquil mellow",
    "mysterious": "mystery eerie spooky suspense suspenseful tense haunting strange",
    "epic": "heroic triumphant grand dramatic majestic battle victory",
    "dark": "gloomy ominous sinister horror brooding",
    "romantic": "love tender warm intimate wedding",
    "dreamy": "ethereal floating dream dreamlike hazy magical",
}
_MOOD_SYNONYMS = {word: mood for mood, words in MOOD_WORDS.items() for word in words.split()}
_GENRE_OF_MOOD = {
    "happy": "pop", "sad": "classical", "energetic": "electronic", "calm": "ambient", "mysterious": "cinematic",
    "epic": "cinematic", "dark": "cinematic", "romantic": "jazz", "dreamy": "ambient",
}  # fmt: skip
SLOWEST, FASTEST = 40, 220
_NOTE_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_SCALE_NAMES: dict[Scale, str] = {MINOR: "minor", MAJOR: "major", DORIAN: "dorian"}


def _spoken(words: str) -> str:
    """Lower case, single spaces, a space around: so that whole words are found, and hyphens do not matter."""
    return f" {' '.join(re.findall(r'[\w&]+', words.lower().replace('_', ' ')))} "


def _named(words: str, names: Iterable[str]) -> str | None:
    """The one of `names` that the words say first; of two at one place, the longer."""
    text = _spoken(words)
    found = [(at, -len(name), name) for name in names if (at := text.find(_spoken(name))) >= 0]
    return min(found)[2] if found else None


def _genre(words: str) -> str | None:
    name = _named(words, [*GENRES, *SYNONYMS])
    return SYNONYMS.get(name, name) if name else None


def _mood(words: str) -> str | None:
    name = _named(words, [*MOODS, *_MOOD_SYNONYMS])
    return _MOOD_SYNONYMS.get(name, name) if name else None


def choose(prompt: str, genre: str | None, mood: str | None) -> tuple[str, str | None]:
    """The genre and mood to play: as asked, else as the prompt says, else what suits the mood, or ambient."""
    feeling = _mood(mood or "") or _mood(prompt)
    asked = genre or ""
    name = _genre(asked) or _genre(f"{asked} music") or _genre(prompt)
    return name or _GENRE_OF_MOOD.get(feeling or "", DEFAULT_GENRE), feeling


def tempo(prompt: str, usual: int) -> int:
    """Beats per minute: the number that the prompt says with "bpm", else `usual`, faster or slower in its words."""
    stated = re.search(r"(?<!\d)(\d{2,3})\s*bpm", prompt.lower())
    if stated:
        return min(FASTEST, max(SLOWEST, int(stated[1])))
    manner = _named(prompt, ("fast", "quick", "rapid", "uptempo", "slow", "slowly", "downtempo"))
    factor = {None: 1.0, "slow": 0.8, "slowly": 0.8, "downtempo": 0.8}.get(manner, 1.2)
    return min(FASTEST, max(SLOWEST, round(usual * factor)))


def key_name(scale: Scale, root: int) -> str:
    """Such as "Eb minor"."""
    return f"{_NOTE_NAMES[root % 12]} {_SCALE_NAMES[scale]}"


def in_mood(genre: Genre, mood: str | None) -> tuple[Genre, int]:
    """The genre as a mood bends it, and the transposition."""
    if mood is None:
        return genre, 0
    factor, scale, density, transpose = MOODS[mood]
    bent = replace(
        genre,
        tempo=round(genre.tempo * factor),
        scale=scale or genre.scale,
        density=min(0.85, genre.density * density),
        drums=genre.drums or ("toms" if mood == "epic" else None),
    )
    return bent, transpose


def pitch(scale: Scale, degree: int, root: int) -> int:
    """The MIDI note of a degree of the scale on `root`; degrees run on through the octaves."""
    octave, step = divmod(degree, len(scale))
    return root + 12 * octave + scale[step]


def chord(genre: Genre, degree: int, root: int) -> list[int]:
    """Thirds on a degree, turned so that no note lies more than an octave above the root note."""
    degrees = [degree, degree + 2, degree + 4] + ([degree + 6] if genre.sevenths else [])
    notes = [pitch(genre.scale, step, root) for step in degrees]
    return sorted(note - 12 if note > root + 13 else note for note in notes)
