"""Training pairs of grammars: the same meaning in two surface forms, and the near-miss in the same forms."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from onnx_export.generators.frames import Frame, Meaning, all_frames, answers, draw, near_miss
from onnx_export.pair import Pair

SAME_FORM = 1 / 3
PASSAGE = 0.15
RARE = 0.01
NAMES = (
    "the manager", "the report", "the newspaper", "the witness", "our records", "the diary", "the police",
    "the minutes", "a spokesman", "the archive", "the notes", "the log", "an old letter", "the survey", "the inspector",
    "a local guide",
)  # fmt: skip
ADJUNCTS: dict[str, tuple[str, ...]] = {
    "past": (
        "last spring", "yesterday", "last week", "in the end", "two days ago", "a year ago", "last night",
        "on that day", "during the holidays", "after the break", "in the early hours", "that evening", "last winter",
        "years ago", "at that time",
    ),
    "present": (
        "at the moment", "right now", "as things stand", "these days", "at present", "today", "as of now", "currently",
    ),
    "future": (
        "tomorrow", "next week", "next spring", "in a few days", "soon", "later this year", "after the holidays",
    ),
    "none": ("as far as we know", "in fact", "to be precise", "for the record"),
}  # fmt: skip
OPENINGS = (
    "we know that", "it is said that", "people say that", "I heard that", "it is reported that", "they say that",
)  # fmt: skip
TOPICS = frozenset(
    "person human animal vehicle company city country software happening building furniture small".split()
)
FILLERS = (
    "{0} had been mentioned before.", "Much has been written about {0}.", "There is more to say about {0}.",
    "Nothing else about {0} is recorded.", "The last page is about {0}.", "Some readers asked about {0}.",
    "A note in the margin mentions {0}.", "We will come back to {0}.", "The next chapter turns to {0}.",
)  # fmt: skip


@dataclass(frozen=True)
class Adjunct:
    """What surrounds the core of a sentence: words that may stand in front or at the end."""

    words: str
    front: bool

    def around(self, core: str) -> str:
        """`core` with the words.

        Example:
            >>> Adjunct("last week", front=True).around("the bank failed"), Adjunct("", front=True).around("it rained")
            ('last week, the bank failed', 'it rained')
        """
        if not self.words:
            return core
        if self.words.endswith(" that"):
            return f"{self.words} {core}"
        if self.front:
            return f"{self.words}, {core}"
        return f"{core}, {self.words}" if ", " in core else f"{core} {self.words}"


def finish(text: str, rng: Random, mark: str = ".") -> str:
    """`text` as a sentence: capital and mark, one of them or both missing now and then.

    Example:
        >>> finish("it rained", Random(1))
        'It rained.'
    """
    roll = rng.random()
    text = text if 0.92 <= roll < 0.97 else text[0].upper() + text[1:]
    text = text.lower() if roll >= 0.985 else text
    return text if roll >= 0.95 else text + mark


def grammar_pairs(count: int, seed: int) -> list[Pair]:
    """`count` pairs, every category about equally often, half of them positive; the same for the same seed.

    Example:
        >>> rows = grammar_pairs(200, seed=1)
        >>> len(rows), rows == grammar_pairs(200, seed=1), {row.source for row in rows}
        (200, True, {'grammar'})
    """
    rng = Random(seed)
    frames = all_frames()
    rows: list[Pair] = []
    while len(rows) < count:
        rows.extend(scene(frames, f"g{seed}-{len(rows)}", rng))
    return rows[:count]


def scene(frames: dict[str, tuple[Frame, ...]], group: str, rng: Random) -> list[Pair]:
    """The pairs of one scene: a positive and a negative, about one time in seven with passages."""
    choices = frames[rng.choice(list(frames))]
    frame = rng.choices(choices, [choice.weight for choice in choices])[0]
    truth = draw(frame, rng)
    other = near_miss(truth, rng)
    rows = [row for same in (True, False) for row in sentence_pair(truth, other, same, group, rng)]
    if rng.random() < PASSAGE:
        telling = [question for question in frame.questions if truth.part == 0 and not answers(question, other)]
        asked = rng.random() < 0.85 and bool(telling)
        query = rng.choice(telling if asked else truth.forms)
        for stated in (truth, other):
            rows.append(passage_pair(truth, stated, query, asked, choices, group, rng))
    return rows


def sentence_pair(truth: Meaning, other: Meaning, same: bool, group: str, rng: Random) -> list[Pair]:
    """A pair of sentences that say the same, or one the near-miss; empty when two equal texts came out."""
    first, second = (truth, other) if rng.random() < 0.5 else (other, truth)
    second = first if same else second
    same_form = rng.random() < SAME_FORM
    rare = rng.random() < RARE
    query, document, extra = "", "", False
    for attempt in range(6):
        form = rng.choice(first.forms)
        match = rng.choice(second.forms)
        shared = same_form and attempt < 3
        if shared and first.part == second.part:
            match = form
        elif len(second.forms) > 1 and first.part == second.part:
            match = rng.choice([m for m in second.forms if m != form])
        left, right, extra = surroundings(truth.frame.tense, shared and not rare, rng)
        query, document = left.around(first.say(form, rng)), right.around(second.say(match, rng))
        if query != document or rare:
            break
    query, document = finish(query, rng), finish(document, rng)
    if query == document and not (rare and same):
        return []
    label = int(same)
    return [Pair(query, document, None if extra else label, label, truth.frame.category, "grammar", group)]


def surroundings(tense: str, shared: bool, rng: Random) -> tuple[Adjunct, Adjunct, bool]:
    """The adjuncts of both sides, and whether only the document has one.

    Example:
        >>> left, right, extra = surroundings("past", True, Random(0))
        >>> left.words == right.words, left.front != right.front, extra
        (True, True, False)
    """
    source = rng.random()
    words = rng.choice(ADJUNCTS[tense]) if source < 0.7 else f"according to {rng.choice(NAMES)}"
    roll = rng.random()
    front = rng.random() < 0.5
    if shared or roll < 0.3:
        return Adjunct(words, front), Adjunct(words, not front if shared else rng.random() < 0.5), False
    if roll < 0.45:
        return Adjunct("", front), Adjunct(words, front), True
    if roll < 0.5:
        words = rng.choice(OPENINGS)
        return Adjunct(words, True), Adjunct(words, True), False
    return Adjunct("", True), Adjunct("", True), False


def passage_pair(
    truth: Meaning, stated: Meaning, query: str, asked: bool, frames: tuple[Frame, ...], group: str, rng: Random
) -> Pair:
    """A query about `truth` and a passage that states `stated` among other sentences."""
    said = finish(stated.say(rng.choice(stated.forms), rng), Random(1))
    around = []
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.35:
            named = [truth.values[name] for name, kind in truth.frame.slots.items() if kind in TOPICS]
            around += [finish(rng.choice(FILLERS).format(rng.choice(named)), Random(1), mark="")] if named else []
        if len(around) < 3:
            noise = draw(rng.choice(frames), rng)
            around.append(finish(noise.say(rng.choice(noise.forms), rng), Random(1)))
    sentences = [said, *around]
    rng.shuffle(sentences)
    text = finish(truth.say(query, rng), rng, "?" if asked else ".")
    label = int(stated is truth)
    return Pair(text, " ".join(sentences), None, label, truth.frame.category, "grammar", group)
