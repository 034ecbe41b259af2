"""What a prompt asks for and what it is about, in the words of the prompt."""

import re
from dataclasses import dataclass

FORMS = {
    "haiku": r"haiku",
    "poem": r"poems?|verses?|sonnet|song|lyrics|rhyme|limerick|ballad|ode",
    "letter": r"letter|e-?mail|message to|note to|reply to|invitation",
    "outline": r"outline|plan|agenda|structure|table of contents|syllabus",
    "list": r"lists?|steps|ideas|bullets?|checklist|tips|ways to|names for|recipe",
    "story": r"story|stories|tale|chapter|novel|scene|fable|once upon",
}
"""Words that ask for a form, in this order; a prompt without any gets an answer."""
ANSWER = "answer"
LENGTHS = {"short": 110, "brief": 110, "long": 550, "detailed": 550}
USUAL_WORDS, MOST_WORDS = 230, 20_000
SUBJECT_WORDS = 9
COUNTS = {
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
}
QUESTION_WORDS = 20
USUAL_ITEMS, MOST_ITEMS = 5, 50
_STOP_WORDS = """
a about all also am an and any are as at be been but by can could did do does for from get give had has have he
her his how i if in into is it its just like list make me my no not of on one or our out over please she should
so some tell that the their them then there these they this those to too two three four five six seven eight
nine ten up us very was we were what when where which who why will with words would write you your explain
describe email letter essay outline poem haiku short long story summary summarise summarize draft compose create
"""
_STOP = frozenset(_STOP_WORDS.split())
_ASKING = re.compile(
    r"^(?:(?:hi|hello|hey|please|can you|could you|would you|i want|i need|kindly)[,!]?\s+)*"
    r"(?:(?:write|tell|give|explain|describe|make|create|list|draft|compose|summari[sz]e|show|name|suggest|send)\s+)?"
    r"(?:(?:me|us|some|down|\d+|one|two|three|four|five|six|seven|eight|nine|ten)\s+)*"
    r"(?:(?:what|who|why|how|when|where|which)\s+)?"
    r"(?:(?:is|are|was|were|do|does|did|can|should|to|would|will)\s+)?",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:why|how|when|where|which|can|could|should|do|does|did|is|are|will)\s", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(?:about|regarding|concerning|on the subject of)\s+(.+)", re.IGNORECASE | re.DOTALL)
_OF = re.compile(r"\b(?:on|of|for)\s+(.+)", re.IGNORECASE | re.DOTALL)
_END = re.compile(
    r"[.?!;:\n\"]|,|\s(?:with|in|under|using|that|who|and (?:make|keep|write|use))\s", re.IGNORECASE
)
_TO = re.compile(r"\b(?:[Tt]o|[Ff]or|[Dd]ear)\s+((?:my|our|the)\s+\w+|[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)?)")


@dataclass(frozen=True, slots=True)
class Topic:
    """`subject` is a phrase of the prompt, `words` its content words in order, `form` one of FORMS or ANSWER."""

    subject: str
    words: tuple[str, ...]
    form: str
    length: int
    """In words, as far as the form has a length."""
    count: int
    """Of items, as far as the form has them."""
    recipient: str | None
    """Whom a letter is to."""

    @classmethod
    def of(cls, asked: str) -> "Topic":
        subject = _subject(asked)
        found = re.findall(r"[^\W\d_][\w'’-]+", subject) + re.findall(r"[^\W\d_][\w'’-]+", asked[:4000])
        named = dict.fromkeys(word for word in found if word.lower() not in _STOP and not _is_form(word))
        recipient = _TO.search(asked)
        return cls(
            subject,
            tuple(named)[:12] or ("this",),
            _form(asked),
            _length(asked),
            _count(asked),
            re.sub(r"^(?:my|our|the) ", "", recipient[1]) if recipient else None,
        )


def _form(asked: str) -> str:
    lowered = asked.lower()
    return next((form for form, words in FORMS.items() if re.search(rf"\b(?:{words})\b", lowered)), ANSWER)


def _is_form(word: str) -> bool:
    return any(re.fullmatch(words, word.lower()) for words in FORMS.values())


def _length(asked: str) -> int:
    stated = re.search(r"(\d{1,5})[\s-]*words?\b", asked.lower())
    if stated:
        return min(MOST_WORDS, int(stated[1]))
    return next((words for word, words in LENGTHS.items() if word in asked.lower().split()), USUAL_WORDS)


def _count(asked: str) -> int:
    stated = re.search(rf"\b(\d{{1,2}}|{'|'.join(COUNTS)})\b(?![\s-]*words?\b)", asked.lower())
    if stated is None:
        return USUAL_ITEMS
    return COUNTS.get(stated[1]) or min(MOST_ITEMS, max(1, int(stated[1])))


def _subject(asked: str) -> str:
    """A question as it is, in quotes; else what stands after "about" and its like; else what the words of asking
    leave over: one clause of it."""
    opening = asked[:600].strip()
    rest = _ASKING.sub("", opening, count=1)
    if _QUESTION.match(opening):
        return f"“{' '.join(_turned(_END.split(opening, maxsplit=1)[0]).split()[:QUESTION_WORDS])}”"
    found = _ABOUT.search(opening) or (_OF.search(rest) if _form(opening) != ANSWER else None)
    clause = _END.split((found[1] if found else rest).strip(), maxsplit=1)[0]
    words = _turned(clause).split()[:SUBJECT_WORDS]
    while words and words[-1].lower() in ("a", "an", "the", "of", "and", "or", "to", "for"):
        words.pop()
    return " ".join(words).strip("'“”‘’()[]{} ") or "this"


def _turned(phrase: str) -> str:
    """From the asker's side to the writer's: "my" is "your"; without a capital at its start."""
    turns = {"my": "your", "me": "you", "i": "you", "our": "your", "us": "you"}
    first, *rest = [turns.get(word.lower(), word) for word in phrase.split()] or [""]
    return " ".join([first.lower() if _QUESTION.match(phrase) else first, *rest])
