"""BM25, and BM25 beside dense vectors: same words, same score."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import bm25s
import numpy as np

from onnx_export.lab.scorers import Scores, Texts, VectorScorer


class WordScorer:
    """BM25 with the defaults of bm25s (Lucene's formula), over the documents at hand."""

    def matrix(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        """(q, d) scores of every query with every document."""
        index = bm25s.BM25()
        index.index(bm25s.tokenize(list(documents), show_progress=False), show_progress=False)
        words = bm25s.tokenize(list(queries), return_ids=False, show_progress=False)
        return np.stack([index.get_scores(part) if part else np.zeros(len(documents)) for part in words]).astype(float)

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) scores in the collection of all pairs' documents, both columns the same."""
        return _of_pairs(pairs, self.matrix)


class HybridScorer:
    """Half cosine, half BM25, the latter as a share of the query's best in the collection."""

    def __init__(self, dense: VectorScorer) -> None:
        self._dense, self._words, self.width = dense, WordScorer(), dense.width

    def matrix(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        """(q, d) scores of every query with every document."""
        words = self._words.matrix(queries, documents)
        best = words.max(1, keepdims=True)
        both: Scores = (self._dense.matrix(queries, documents) + words / np.where(best > 0, best, 1)) / 2
        return both

    def scores(self, pairs: Sequence[Texts]) -> Scores:
        """(n, 2) scores in the collection of all pairs' documents, both columns the same."""
        return _of_pairs(pairs, self.matrix)


def _of_pairs(pairs: Sequence[Texts], matrix: Callable[[list[str], list[str]], Scores]) -> Scores:
    queries = {text: number for number, text in enumerate(dict.fromkeys(left for left, _ in pairs))}
    documents = {text: number for number, text in enumerate(dict.fromkeys(right for _, right in pairs))}
    every = matrix([*queries], [*documents])
    found = every[[queries[left] for left, _ in pairs], [documents[right] for _, right in pairs]]
    return np.repeat(found[:, None], 2, axis=1)
