"""The one row every data source yields and every trainer and evaluator reads."""

from __future__ import annotations

from dataclasses import dataclass

#: A label: 1 true, 0 false, None when the source does not say.
Label = int | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, a candidate document, and what is known about the two.

    Attributes:
        query: the shorter or asked side: a question, a claim, a sentence, an NLI hypothesis.
        document: the candidate: a passage, a sentence, an NLI premise.
        pairs: label of profile ``pairs``: 1 when both say the same (either can stand for the other), 0 when not.
        passages: label of profile ``passages``: 1 when the document answers, supports or entails the query, 0 when not.
        category: what kind of difference is tested: ``role``, ``binding``, ``spatial``, ``temporal``, ``negation``,
            ``number``, ``quantifier``, ``comparative``, ``antonym``, ``entity``, ``retrieval``, ``general``, …
        source: the data set, for example ``paws_wiki``.
        group: rows of one group (same anchor sentence, same passage) never part between training and held-out rows.

    Example:
        >>> row = Pair("a red car", "a blue car", pairs=0, passages=0, category="binding", source="doc", group="1")
        >>> row.pairs
        0
    """

    query: str
    document: str
    pairs: Label
    passages: Label
    category: str
    source: str
    group: str

    def label(self, column: int) -> Label:
        """The label for a profile's column, in the order of `plugin_server.bundle.PROFILES`."""
        return (self.pairs, self.passages)[column]
