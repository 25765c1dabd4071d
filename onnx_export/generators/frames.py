"""Frames: sentence patterns read from the blocks of text in the frames_… files.

A block is a header (category, tense, slots `name:kind`, near-misses) and one surface form a line; every form of a
block says the same. `{a.past}` is a form of what fills the slot, `[x|y]` a free choice, a line with `?` a question
that the meaning answers. A line `==` parts meanings that exclude one another. Near-misses, `*3` three times as often:

- `a<>b` exchanges two slots;
- `a~` replaces one by another of its kind;
- `v!` takes the opposite;
- `@` takes another part.

In the header, `*6` is the weight of the frame in its category, and `&` marks two facts of one kind: exchanged, they
still answer every question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from onnx_export.generators.frames_bindings import BINDING
from onnx_export.generators.frames_comparisons import COMPARATIVES, comparative
from onnx_export.generators.frames_numbers import NUMBER
from onnx_export.generators.frames_opposites import ANTONYM, NEGATION, QUANTIFIER
from onnx_export.generators.frames_places import SPATIAL
from onnx_export.generators.frames_reasons import CAUSE, CONDITION
from onnx_export.generators.frames_relations import ENTITY, SYMMETRIC
from onnx_export.generators.frames_roles import ROLES, transitive
from onnx_export.generators.frames_times import TEMPORAL
from onnx_export.generators.slots import NUMBERS, Value, fill

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)")


@dataclass(frozen=True)
class Frame:
    """A pattern: its slots, its surface forms by meaning, its questions, its near-misses.

    Example:
        >>> frame = read_block("role past a:person b:person a<>b *2\\n{a} saw {b}\\n{b} was seen by {a}")
        >>> frame.slots, frame.forms, frame.misses, frame.weight
        ({'a': 'person', 'b': 'person'}, (('{a} saw {b}', '{b} was seen by {a}'),), ('a<>b',), 2)
    """

    category: str
    tense: str
    slots: dict[str, str]
    misses: tuple[str, ...]
    weight: int
    forms: tuple[tuple[str, ...], ...]
    questions: tuple[str, ...]
    two_facts: bool = False


@dataclass(frozen=True)
class Meaning:
    """What is said: the frame's part and what fills its slots; of a near-miss also the exchange that made it."""

    frame: Frame
    part: int
    values: dict[str, Value]
    exchange: str = ""

    def say(self, form: str, rng: Random) -> str:
        """The text of `form`, its free choices drawn.

        Example:
            >>> Meaning(read_block("x past a:day\\n{a}"), 0, {"a": "Monday"}).say("[on|on] {a}", Random(0))
            'on Monday'
        """
        plain = _CHOICE.sub(lambda found: rng.choice(found.group(1).split("|")), form)
        return plain.format(**self.values)

    @property
    def forms(self) -> tuple[str, ...]:
        """The surface forms that say this."""
        return self.frame.forms[self.part]


def read_block(block: str) -> Frame:
    """The frame that one block of text describes."""
    head, *lines = block.strip().split("\n")
    category, tense, *marks = head.split()
    slots = dict(mark.split(":", 1) for mark in marks if ":" in mark)
    weight = next((int(m[1:]) for m in marks if m.startswith("*")), 1)
    misses = [m.split("*") for m in marks if ":" not in m and not m.startswith(("*", "&"))]
    for name in [name for name, kind in slots.items() if kind in NUMBERS]:
        lines = [re.sub(rf"\{{{name}\}}", f"[{{{name}.d}}|{{{name}.w}}]", line) for line in lines]
    parts = "\n".join(line for line in lines if not line.startswith("?")).split("\n==\n")
    questions = tuple(line[2:] for line in lines if line.startswith("?"))
    forms = tuple(tuple(part.split("\n")) for part in parts)
    repeated = tuple(m[0] for m in misses for _ in range(int(m[1]) if len(m) > 1 else 1))
    return Frame(category, tense, slots, repeated, weight, forms, questions, "&" in marks)


@lru_cache(maxsize=1)
def all_frames() -> dict[str, tuple[Frame, ...]]:
    """Every frame, by category.

    Example:
        >>> {"role", "binding", "spatial", "condition"} <= set(all_frames())
        True
    """
    text = (
        transitive(), ROLES, SYMMETRIC, ENTITY, BINDING, SPATIAL, comparative(), COMPARATIVES, NUMBER,
        TEMPORAL, CAUSE, CONDITION, NEGATION, QUANTIFIER, ANTONYM,
    )  # fmt: skip
    frames = [read_block(block) for part in text for block in re.split(r"\n\s*\n", part.strip())]
    return {name: tuple(f for f in frames if f.category == name) for name in dict.fromkeys(f.category for f in frames)}


def draw(frame: Frame, rng: Random) -> Meaning:
    """A meaning of the frame; no two slots hold the same word, no name holds another.

    Example:
        >>> meaning = draw(all_frames()["role"][0], Random(3))
        >>> meaning.values["a"] != meaning.values["b"]
        True
    """
    values: dict[str, Value] = {}
    for name, kind in frame.slots.items():
        values[name] = fresh(kind, values, rng)
    return Meaning(frame, rng.randrange(len(frame.forms)), values)


def fresh(kind: str, taken: dict[str, Value], rng: Random) -> Value:
    """A value for a slot that none of `taken` holds already."""
    heads = {str(value).rsplit(" ", 1)[-1] for value in taken.values()}
    firsts = {str(value).split(" ", 1)[0] for value in taken.values()} - {"the"}
    for _ in range(50):
        value = fill(kind, rng)
        if str(value).rsplit(" ", 1)[-1] not in heads and str(value).split(" ", 1)[0] not in firsts:
            return value
    return value


def near_miss(meaning: Meaning, rng: Random) -> Meaning:
    """Another meaning, one exchange away.

    Example:
        >>> frame = read_block("role past a:person b:person a<>b\\n{a} saw {b}")
        >>> near_miss(Meaning(frame, 0, {"a": "Ann", "b": "Bo"}), Random(0)).values
        {'a': 'Bo', 'b': 'Ann'}
    """
    frame, values, part = meaning.frame, dict(meaning.values), meaning.part
    kind = rng.choice(frame.misses)
    if "<>" in kind:
        left, right = kind.split("<>")
        values[left], values[right] = values[right], values[left]
    elif kind.endswith("!"):
        values[kind[:-1]] = getattr(values[kind[:-1]], "anti")  # noqa: B009 (every opposite-bearing word has it)
    elif kind.endswith("~"):
        values[kind[:-1]] = fresh(frame.slots[kind[:-1]], values, rng)
    else:
        part = rng.choice([other for other in range(len(frame.forms)) if other != part])
    return Meaning(frame, part, values, kind)


def answers(question: str, miss: Meaning) -> bool:
    """Whether a near-miss answers the question as well as the truth does, only with something else.

    Example:
        >>> frame = read_block("role past a:person b:person a<>b b~\\n{a} saw {b}")
        >>> miss = Meaning(frame, 0, {"a": "Ann", "b": "Bo"}, exchange="b~")
        >>> answers("who did {a} see", miss), answers("who saw {b}", miss)
        (True, False)
    """
    asked = set(_SLOT.findall(question))
    kind = miss.exchange
    if kind.endswith("~"):
        return kind[:-1] not in asked
    if kind == "@":
        return False
    choice = " or " in question
    if kind.endswith("!"):
        return choice or kind[:-1] not in asked
    named = len(asked & set(kind.split("<>")))
    return choice or named == 0 or (named == 1 and miss.frame.two_facts)
