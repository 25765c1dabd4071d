"""How separable a collection is in the space of recall vectors, before and beside the verifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plugin_server.bundle import PROFILES
from plugin_server.corpus import Document
from plugin_server.reranker import Reranker
from plugin_server.thresholds.auroc import auroc
from plugin_server.thresholds.bounds import percent
from plugin_server.thresholds.labelled import Labelled, probabilities, scored
from plugin_server.thresholds.neighbours import closest, nearest

SHARES = (5, 25, 50, 75, 95)
#: From these cosines on a neighbour is near, and very near.
NEAR, NEARER = 0.9, 0.95
RANDOM = 10_000
#: AUROC from which scores tell two kinds of pairs apart, and up to which it is little better than guessing.
TELLS, GUESSES = 0.9, 0.65
#: Share of documents with a near neighbour from which a collection is crowded.
CROWDED = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """How cosines are spread: their number, mean, and the quantiles `SHARES`."""

    count: int
    mean: float
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, cosines: ArrayLike) -> Spread:
        """The spread of some cosines; of none all is 0.

        Example:
            >>> Spread.of([0.0, 1.0, 0.5])
            Spread(count=3, mean=0.5, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95))
        """
        values = np.asarray(cosines, np.float64)
        if not len(values):
            return cls(0, 0.0, (0.0,) * len(SHARES))
        quantiles = np.percentile(values, SHARES).round(4).tolist()
        return cls(len(values), round(float(values.mean()), 4), tuple(quantiles))


@dataclass(frozen=True, slots=True)
class Close:
    """Two documents of a collection near each other, and whether the verifier takes them for the same.

    Attributes:
        probability: that both say the same, by the bundle's profile ``pairs``; None if it cannot be told, as for a
            text too long for a query.
    """

    cosine: float
    left: Document
    right: Document
    probability: float | None


@dataclass(frozen=True, slots=True)
class Crowd:
    """How near the documents of a collection are to each other.

    Attributes:
        documents: how many there are.
        identical: those whose very text another one has.
        nearest: cosines of each document's nearest other one.
        near, nearer: shares of documents whose nearest one is at `NEAR` and at `NEARER` or above.
        random: cosines of two documents drawn at random.
        closest: pairs that are no two identical texts, nearest first.
    """

    documents: int
    identical: int
    nearest: Spread
    near: float
    nearer: float
    random: Spread
    closest: tuple[Close, ...]


@dataclass(frozen=True, slots=True)
class Separation:
    """How well labelled pairs part.

    Attributes:
        true, near_misses: their cosines.
        margin: median cosine of true pairs minus that of near-misses; below 0 the near-misses are nearer.
        above: share of near-misses at least as near as the median true pair.
        cosine, verifier: AUROC of cosine and of the verifier; None without both labels.
    """

    true: Spread
    near_misses: Spread
    margin: float
    above: float
    cosine: float | None
    verifier: float | None


def crowd(
    reranker: Reranker, documents: Sequence[Document], vectors: Sequence[NDArray[np.float32]], count: int
) -> Crowd:
    """How near the documents are to each other.

    Args:
        documents: at least two.
        vectors: of each, as `plugin_server.thresholds.neighbours.nearest` takes them.
        count: of the closest pairs.
    """
    found, times = nearest(vectors), Counter(document.text for document in documents)
    identical = np.array([times[document.text] > 1 for document in documents])
    pairs = closest(found, count, identical & (found.cosines > 1 - 1e-4))
    chances = _same(reranker, [(documents[left].text, documents[right].text) for left, right in pairs])
    listed = [
        Close(round(float((vectors[left] @ vectors[right].T).max()), 4), documents[left], documents[right], chance)
        for (left, right), chance in zip(pairs, chances, strict=True)
    ]
    near, nearer = (float((found.cosines >= cosine).mean()) for cosine in (NEAR, NEARER))
    spreads = Spread.of(found.cosines), Spread.of(_random(vectors))
    return Crowd(len(documents), int(identical.sum()), spreads[0], near, nearer, spreads[1], tuple(listed))


def separation(pairs: Sequence[Labelled], profile: str) -> Separation:
    """How well the pairs part; they have been read by the graphs."""
    labels, cosines = np.array([pair.label for pair in pairs]), np.array([pair.cosine for pair in pairs])
    true, near = cosines[labels == 1], cosines[labels == 0]
    both = len(true) > 0 and len(near) > 0
    place = PROFILES.index(profile)
    return Separation(
        Spread.of(true),
        Spread.of(near),
        round(float(np.median(true) - np.median(near)), 4) if both else 0.0,
        float((near >= np.median(true)).mean()) if both else 0.0,
        auroc(labels, cosines),
        auroc(labels, [pair.logits[place] for pair in pairs]),
    )


def conclusion(found: Crowd, parted: Separation | None) -> str:
    """One sentence on what to do."""
    if parted and parted.cosine is not None and parted.verifier is not None:
        figures = f"AUROC {parted.cosine:.2f}, where 0.5 is guessing"
        if parted.cosine >= TELLS:
            return (
                f"The recall vectors tell your true pairs from your near-misses by themselves ({figures}); the "
                f"verifier has {parted.verifier:.2f}."
            )
        words = "hardly tell" if parted.cosine <= GUESSES else "only partly tell"
        better = "does better" if parted.verifier > parted.cosine else "cannot either"
        help_ = "can" if parted.verifier >= TELLS else better
        return (
            f"The recall vectors {words} your true pairs from your near-misses ({figures}), so that no threshold on "
            f"the cosine will; the verifier {help_} ({parted.verifier:.2f})."
        )
    if found.near >= CROWDED:
        return (
            f"{percent(found.near)} of the documents have another one at a cosine of {NEAR} or more, among which "
            "recall vectors cannot tell duplicates from near-misses: label some of the closest pairs and give them as "
            "--pairs."
        )
    return (
        f"The documents lie apart: only {percent(found.near)} have another one at a cosine of {NEAR} or more. "
        "Near-misses will come from queries rather than from the collection: label some and give them as --pairs."
    )


def _random(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Cosines of first windows of two different documents, the same draw every time."""
    generator = np.random.default_rng(0)
    left = generator.integers(len(vectors), size=RANDOM)
    right = (left + generator.integers(1, len(vectors), size=RANDOM)) % len(vectors)
    return np.array([float(vectors[one][0] @ vectors[other][0]) for one, other in zip(left, right, strict=True)])


def _same(reranker: Reranker, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
    """The probability that both texts of each pair say the same; None for one that cannot be verified."""
    own, place = reranker.manifest.profile("pairs"), PROFILES.index("pairs")
    asked = [Labelled(left, right, 0) for left, right in pairs]
    read = [item for part in scored(reranker, asked) for item in part]
    logits = [item.logits[place] if isinstance(item, Labelled) else np.nan for item in read]
    chances = probabilities(np.array(logits), own.scale, own.bias).tolist()
    return [None if np.isnan(chance) else chance for chance in chances]
