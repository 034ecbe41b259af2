"""What is played: scales, chord progressions and each genre's way with them."""

from dataclasses import dataclass, replace

MINOR, MAJOR, DORIAN = (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 9, 10)
PENTATONIC = (0, 2, 4, 7, 9)


@dataclass(frozen=True, slots=True)
class Genre:
    """How a genre sounds. Progressions are scale degrees, one a bar; levels are shares of full volume."""

    tempo: int
    scale: tuple[int, ...]
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
    "hip-hop": "hiphop", "hip hop": "hiphop", "rap": "hiphop", "trap": "hiphop", "lofi": "lo-fi", "chill": "lo-fi",
    "chillhop": "lo-fi", "techno": "electronic", "house": "electronic", "edm": "electronic", "synthwave": "electronic",
    "dance": "electronic", "orchestral": "cinematic", "soundtrack": "cinematic", "film": "cinematic",
    "trailer": "cinematic", "metal": "rock", "punk": "rock", "indie": "rock", "piano": "classical",
    "baroque": "classical", "bossa": "jazz", "swing": "jazz", "blues": "jazz", "acoustic": "folk",
    "country": "folk", "guitar": "folk", "drone": "ambient", "meditation": "ambient", "sleep": "ambient",
    "disco": "pop", "funk": "pop", "reggae": "pop",
}  # fmt: skip
MOODS = {
    "happy": (1.06, MAJOR, 1.1, 2), "sad": (0.86, MINOR, 0.75, -3), "energetic": (1.15, None, 1.25, 0),
    "calm": (0.85, None, 0.7, 0), "mysterious": (0.92, MINOR, 0.8, -2), "epic": (1.0, MINOR, 1.15, 0),
    "dark": (0.92, MINOR, 0.9, -4), "romantic": (0.92, MAJOR, 0.85, 0), "dreamy": (0.9, MAJOR, 0.75, 0),
}  # fmt: skip
"""Per mood: tempo factor, scale (None keeps the genre's), how many notes, transposition in semitones."""


def named(words: str, known: dict[str, object] | None = None) -> str | None:
    """The first genre, or entry of `known`, that the words name."""
    text = f" {words.lower().replace('_', ' ')} "
    found = [(text.find(name), name) for name in (known or {**GENRES, **SYNONYMS}) if name in text]
    return min(found)[1] if found else None


def choose(prompt: str, genre: str | None, mood: str | None) -> tuple[str, str | None]:
    """The genre and mood to play: as asked, else as the prompt says, else ambient and none."""
    name = named(genre or "") or named(prompt) or DEFAULT_GENRE
    moods: dict[str, object] = dict(MOODS)
    return SYNONYMS.get(name, name), named(mood or "", moods) or named(prompt, moods)


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


def pitch(scale: tuple[int, ...], degree: int, root: int) -> int:
    """The MIDI note of a degree of the scale on `root`; degrees run on through the octaves."""
    octave, step = divmod(degree, len(scale))
    return root + 12 * octave + scale[step]


def chord(genre: Genre, degree: int, root: int) -> list[int]:
    """Thirds on a degree, turned so that no note lies more than an octave above the root note."""
    degrees = [degree, degree + 2, degree + 4] + ([degree + 6] if genre.sevenths else [])
    notes = [pitch(genre.scale, step, root) for step in degrees]
    return sorted(note - 12 if note > root + 13 else note for note in notes)
