"""The sentences that the local model's texts are put together from.

Slots: subject (a phrase of the prompt), word and other (content words of it), adjective, place, person, clause.
No slot is the subject of a verb that would have to agree with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """A text in paragraphs: one opening, middles as the length asks, one closing."""

    opening: tuple[str, ...]
    middle: tuple[str, ...]
    closing: tuple[str, ...]


ADJECTIVES = (
    "quiet", "bright", "patient", "early", "distant", "careful", "open", "slow", "small", "steady", "plain", "clear",
    "narrow", "late", "pale", "gentle",
)  # fmt: skip
PLACES = (
    "the harbour", "the old market", "the hill above town", "the long road north", "the reading room", "the shore",
    "the bridge", "the last station", "the inn", "the orchard",
)  # fmt: skip
PEOPLE = ("Mara", "Tomas", "Ines", "Jonah", "Leila", "Anders", "Noor", "Petra", "Ruben", "Sunniva")
CLAUSES = (
    "what matters is seen late and kept long",
    "each part depends on the one before it",
    "the simple version is the one that lasts",
    "there is more to it than the first look shows",
    "a small change early saves a large one later",
    "what is written down can be checked",
    "nobody gets it right the first time",
    "the order of things counts for as much as the things",
    "patience does more than force",
)
STORY = Shape(
    (
        "{person} first heard of {subject} on a {adjective} morning, halfway to {place}. Nobody else on the road had"
        " a word to say about it.",
        "People at {place} had long stopped talking about {subject}, and yet everyone listened when the wind turned.",
        "It began, as such things do, with {subject} and a door that should have been shut. {person} was the one who"
        " had left it open.",
        "That year the days were {adjective}, and there was little for people to talk of but {subject}.",
    ),
    (
        "{person} walked down to {place} and waited there until the light changed.",
        "“You came because of {subject},” said {person}, “but that is not what you will take home.”",
        "Nothing was where it had been the day before, and that was the first surprise.",
        "Somebody had drawn {subject} on the wall, in a {adjective} hand, and signed it with a date to come.",
        "They spoke little on the way; {clause}.",
        "By evening {place} was empty, and only the thought of {subject} was left to prove that it had been a day"
        " at all.",
        "{person} kept the note, folded it twice, and told nobody what it said about {subject}.",
        "A {adjective} sound came from {place}, once, and then again.",
        "There was a {adjective} smell of rain, and the clock over {place} had stopped.",
        "{person} asked three people about “{word}” and got four answers.",
        "Later, everyone would remember the hour differently; but they all remembered {person}.",
        "In the book that lay open at {place} there was one line: {clause}.",
        "The dog at {place} got up, looked at {person}, and lay down again.",
        "“Tell me about {subject} once more,” said {person}, “and this time leave nothing out.”",
        "It took until the {adjective} end of the week before anyone dared to say it aloud.",
        "Behind {place} there was a path that no map showed, and it led, of course, to {subject}.",
    ),
    (
        "In the end it was {person} who understood: {clause}. And so the matter of {subject} was settled.",
        "When the lamps were lit at {place}, the matter of {subject} had become a thing that one could tell.",
        "They went home by the {adjective} way, and nobody spoke of {subject} again until the spring.",
    ),
)
ANSWER = Shape(
    (
        "You ask about {subject}. What follows shows the shape of an answer; the facts have to come from elsewhere.",
        "Here is a page where an answer about {subject} would stand, with an opening, a middle and an end.",
        "On {subject} there is a short answer and a longer one; this is the frame for the longer one.",
    ),
    (
        "A good start is to say plainly what is meant by “{word}”, because {clause}.",
        "Seen from a {adjective} distance, {clause}; that holds for {subject} too.",
        "An example helps: {person} comes to {place}, asks about {subject}, and has an hour to spare.",
        "The usual mistake is to begin with the details and to come to {subject} too late.",
        "It is worth saying early what is not part of it, so that nobody looks for it there.",
        "Those who deal with {subject} every day tend to say the same: {clause}.",
        "A {adjective} test is to explain it to somebody at {place} who has never heard of it.",
        "Numbers belong here, with their sources; this text has none, and makes none up.",
        "Where two accounts of {subject} differ, the older one is not always wrong.",
        "What would change the answer? Another place, another season, another meaning of “{other}”.",
        "The next question is mostly about cost: in time, in money, in attention.",
        "Somebody who disagrees would point out that {clause}.",
        "It also matters who is asking: {person} at {place} needs a different answer from yours.",
        "At this point a drawing would say more about {subject} than another paragraph.",
    ),
    (
        "In short: {clause}. For {subject} in earnest, pick a model that knows about it.",
        "So much for {subject}; the next step is to try it on a small case.",
        "If one thing is kept from this, let it be that {clause}.",
    ),
)
LETTER = Shape(
    (
        "I am writing to you about {subject}.",
        "Thank you for your time. This is about {subject}.",
        "I hope that you are well. There is one thing to settle: {subject}.",
    ),
    (
        "As you know, {clause}, and so I would rather raise it now than later.",
        "I have put down what I know of {subject} and can send it to you.",
        "Could you tell me by [date] how you would like to go on?",
        "If it is easier to talk, I can be reached at [telephone], best in the {adjective} hours of the morning.",
        "I would be glad to agree on a next step with you, and on a day for it.",
        "Should I have missed something about {subject}, please let me know.",
    ),
    (
        "Thank you for looking into {subject}.",
        "I look forward to hearing from you about {subject}.",
    ),
)
HEADS = (
    "Why it matters", "What it is, and what it is not", "First steps", "Common mistakes", "How to tell that it works",
    "What comes after", "Who decides", "What it costs", "Where it came from", "Open questions",
)  # fmt: skip
POINTS = (
    "Say what “{word}” means here",
    "Collect two {adjective} examples of {subject}",
    "Note what is known about {subject}, and from whom",
    "Remember that {clause}",
    "Agree on who looks after it",
    "Set a date to come back to {subject}",
    "Ask {person} at {place}, who has seen it before",
    "Leave out what does not concern “{other}”",
    "Write down one thing that would change the plan",
)
ITEMS = (
    "Begin with what is {adjective} about {subject}",
    "Take “{word}” literally for once",
    "Ask somebody at {place} what they would do",
    "Do it early, because {clause}",
    "Do half of it, and do it well",
    "Turn {subject} upside down and see what falls out",
    "Borrow from “{other}” what can be borrowed",
    "Keep it {adjective}, and tell nobody but {person}",
    "Move the whole thing to {place}",
    "Put a number on it, then halve the number",
    "Leave room for a {adjective} ending",
    "Write to {person} about {subject}",
)
STANZAS = (
    "A {adjective} light lies over {place},\nand someone speaks of {subject};\nthe hour goes by at its own pace,\n"
    "and leaves us to reflect.",
    "I said the word, I said it low,\n“{word}”, and the wind stood still;\nthere are some things one cannot know\n"
    "from here, beneath the hill.",
    "Of {subject} I had been told\nby those who never stay;\nthe cup was warm, the room was cold,\n"
    "the road ran on its way.",
    "O {adjective} day, O {adjective} night,\nwhat did you want of me?\nI set “{word}” down, in black on white,\n"
    "for anyone to see.",
    "And {person} came, and {person} went,\nand left the door ajar;\nand nobody knew what it meant,\n"
    "or where the others are.",
    "So let it be, so let it go,\nthe {adjective}, the late;\nof {subject}, all that we know\n"
    "is how it made us wait.",
)
HAIKU = (
    ("{subject} –", "a {adjective} hour at {place}", "and no one in sight"),
    ("a {adjective} morning", "somebody thinks of {subject}", "the kettle goes cold"),
    ("at {place}, again,", "the whole long day: {subject}", "then a {adjective} rain"),
    ("not a word for it –", "{subject}, and after that", "only the {adjective} wind"),
)
