"""Near-misses and rewritings of any sentences, each with its category, in blocks of four pairs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from onnx_export.generators.misses_amounts import AMOUNTS
from onnx_export.generators.misses_bindings import BINDINGS
from onnx_export.generators.misses_degrees import DEGREE
from onnx_export.generators.misses_negation import NEGATION
from onnx_export.generators.misses_places import PLACES_AND_TIMES
from onnx_export.generators.misses_questions import ASKED
from onnx_export.generators.misses_roles import ROLES
from onnx_export.generators.misses_words import WORDS
from onnx_export.generators.relations import RELATIONS
from onnx_export.generators.rewordings_order import ORDER
from onnx_export.generators.rewordings_questions import QUESTIONS
from onnx_export.generators.rewordings_voice import VOICE
from onnx_export.generators.rule import Rule
from plugin_server.corpus import text_id

RULES: tuple[Rule, ...] = (
    *NEGATION,
    *ROLES,
    *BINDINGS,
    *PLACES_AND_TIMES,
    *AMOUNTS,
    *DEGREE,
    *WORDS,
    *ASKED,
    *VOICE,
    *ORDER,
    *RELATIONS,
    *QUESTIONS,
)
#: Categories of near-misses, and of rewritings.
MISSES = tuple(dict.fromkeys(rule.category for rule in RULES if rule.label == 0))
REWRITINGS = tuple(dict.fromkeys(rule.category for rule in RULES if rule.label == 1))
CATEGORIES = (*MISSES, *REWRITINGS)
#: Categories that most sentences allow; the others go first where a sentence allows both.
COMMON = frozenset({"negation", "antonym", "number", "entity", "cleft", "synonym"})


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two texts, and whether they say the same.

    Attributes:
        label: 1 the same meaning, 0 a near-miss.
        category: what kind of difference, or of rewriting, it is.
        rule: that made it.
        group: the same for all pairs made from one sentence; 16 hexadecimal digits.
    """

    query: str
    document: str
    label: int
    category: str
    rule: str
    group: str

    def fields(self) -> dict[str, Any]:
        """The line that ``simgate negatives`` writes."""
        return asdict(self)


def steps(sentence: str, seed: int, label: int, categories: Collection[str] = CATEGORIES) -> list[tuple[Rule, str]]:
    """Every rule of the label that applies to the sentence, with what it makes; rare categories first.

    Example:
        >>> [(rule.category, text) for rule, text in steps("The dog chased the cat.", 1, 0)]
        [('role', 'The cat chased the dog.'), ('negation', 'The dog did not chase the cat.')]
    """
    rng = Random(f"{seed}/{label}/{sentence}")
    rules = [rule for rule in RULES if rule.label == label and rule.category in categories]
    rules.sort(key=lambda rule: (rng.random() + (rule.category in COMMON), rule.name))
    made = [(rule, rule.made(sentence, seed)) for rule in rules]
    return [(rule, text) for rule, text in made if text]


def blocks(
    sentence: str, seed: int, most: int = 1, categories: Collection[str] = CATEGORIES
) -> list[tuple[LabelledPair, ...]]:
    """At most `most` blocks of four pairs: a rewriting, a near-miss, and the same rewriting of the near-miss; no
    rewriting serves twice.

    Two pairs of a block are true and two false; its two queries and its two documents each stand once in a true and
    once in a false one, so neither side alone tells the label. The same for the same sentence and seed, whatever else
    is in the corpus.

    Args:
        categories: those that may be used; where none of them is a near-miss (a rewriting), any may.

    Example:
        >>> for pair in blocks("The dog chased the cat.", 1, categories=["role", "passive"])[0]:
        ...     print(pair.label, pair.category, pair.query, pair.document, sep=" | ")
        1 | passive | The cat was chased by the dog. | The dog chased the cat.
        1 | passive | The cat chased the dog. | The dog was chased by the cat.
        0 | role | The cat chased the dog. | The dog chased the cat.
        0 | role | The cat was chased by the dog. | The dog was chased by the cat.
    """
    chosen = [set(categories) & set(kinds) or set(kinds) for kinds in (MISSES, REWRITINGS)]
    misses = steps(sentence, seed, 0, chosen[0])
    rewritings = steps(sentence, seed, 1, chosen[1]) if misses else []
    found: list[tuple[LabelledPair, ...]] = []
    for rule, miss in misses:
        if len(found) == most:
            break
        made = ((_block(sentence, rule, miss, *rewriting, seed), rewriting) for rewriting in rewritings)
        for block, rewriting in made:
            if block:
                found.append(block)
                rewritings.remove(rewriting)  # with it again, the sentence's true pair would come twice
                break
    return found


def singles(sentence: str, seed: int, categories: Collection[str] = CATEGORIES) -> list[LabelledPair]:
    """Every near-miss and every rewriting of the sentence on its own, without a counterpart.

    Example:
        >>> [(pair.document, pair.label) for pair in singles("She left before the meeting.", 1)]
        [('She left after the meeting.', 0), ('She did not leave before the meeting.', 0)]
    """
    made = [*steps(sentence, seed, 0, categories), *steps(sentence, seed, 1, categories)]
    return [_pair(sentence, text, rule, text_id(sentence)) for rule, text in made]


def _block(sentence: str, rule: Rule, miss: str, way: Rule, told: str, seed: int) -> tuple[LabelledPair, ...] | None:
    """The four pairs, None where the near-miss cannot be rewritten as the sentence is."""
    retold = way.made(miss, seed)
    if retold is None or len({sentence, miss, told, retold}) < 4:
        return None
    group = text_id(sentence)
    true, false = ((sentence, told), (retold, miss)), ((sentence, miss), (retold, told))
    turned = Random(f"{seed}/{rule.name}/{sentence}").random() < 0.5
    return tuple(
        _pair(*(pair[::-1] if turned else pair), made_by, group)
        for made_by, two in ((way, true), (rule, false))
        for pair in two
    )


def _pair(query: str, document: str, rule: Rule, group: str) -> LabelledPair:
    return LabelledPair(query, document, rule.label, rule.category, rule.name, group)
