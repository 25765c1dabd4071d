"""One rule: a step from a sentence to one that says the same, or that no longer does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from onnx_export.generators.spans import settled
from onnx_export.generators.tagging import Tokens, tag, text_of

#: A step from tagged tokens to others; None where it does not apply.
Step = Callable[[Tokens, Random], Tokens | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A step with its name, what it makes, and a sentence that shows it.

    Attributes:
        name: of the rule, unique.
        category: what kind of difference, or of rewriting, it makes.
        label: 0 for a near-miss, 1 for the same meaning.
        step: None where it does not apply; the same for the same tokens and the same state of the random source.
        before, after: the example of the documentation; `step` turns one into the other.

    Example:
        >>> shout = Rule("shout", "case", 1, lambda tokens, rng: tag(text_of(tokens).upper()), "It rains.", "IT RAINS.")
        >>> shout.made("Stop it.", 1)
        'STOP IT.'
    """

    name: str
    category: str
    label: int
    step: Step
    before: str
    after: str

    def made(self, sentence: str, seed: int) -> str | None:
        """The sentence after the step; None where it does not apply. It hangs on rule, sentence and seed alone."""
        tokens = settled(tag(sentence))
        found = self.step(tokens, Random(f"{seed}/{self.name}/{sentence}")) if tokens else None
        text = text_of(found) if found else ""
        text = text.replace(" ' s ", " 's ") if " ' s " not in sentence else text
        return text if text and text != sentence else None
