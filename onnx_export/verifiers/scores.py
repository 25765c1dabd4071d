"""The paper's F0 to F2: one or two numbers of the map, and a line through them for each profile."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from onnx_export.verifiers.maps import MASKED, far, late_scores
from plugin_server.bundle import PROFILES


class Mean(nn.Module):
    """F0: the mean cosine of all words with all words."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        del dimension
        self.line = _line(1)

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`."""
        cells = (query @ document.transpose(1, 2)) * query_mask[:, :, None] * document_mask[:, None, :]
        count = query_mask.sum(1, keepdim=True) * document_mask.sum(1, keepdim=True)
        logits: Tensor = self.line(cells.flatten(1).sum(1, keepdim=True) / count)
        return logits


class MaxSim(nn.Module):
    """F1: the mean of the best cosines, of the query's words and of the document's (Khattab & Zaharia 2020)."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        del dimension
        self.line = _line(2)

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`."""
        scores = late_scores(query @ document.transpose(1, 2), query_mask, document_mask)
        logits: Tensor = self.line(scores[:, 1:3])
        return logits


class Monotone(nn.Module):
    """F2: soft monotone alignment: the smooth maximum, over all ways of going through the document without a step back,
    of the mean cosine of each query word with the word it stands at; and the same with the sides exchanged.

    The sum over all such ways is one pass over the words with a cumulative sum, as in soft dynamic time warping
    (Cuturi & Blondel 2017, arXiv:1703.01541). A map of zeros is subtracted, so that long documents, which have more
    ways, gain nothing.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        del dimension
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.line = _line(2)

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`."""
        similarity = query @ document.transpose(1, 2)
        down = self.alignment(similarity, query_mask, document_mask)
        across = self.alignment(similarity.transpose(1, 2), document_mask, query_mask)
        logits: Tensor = self.line(torch.stack([down, across], dim=1))
        return logits

    def alignment(self, similarity: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """(b,) the smooth best monotone way through a map (b, m, n) with masks (b, m), (b, n)."""
        best = self._ways(similarity * self.sharpness + far(columns), rows)
        none = self._ways(torch.zeros_like(similarity) + far(columns), rows)
        return (best - none) / self.sharpness / rows.sum(1)

    @staticmethod
    def _ways(cells: Tensor, rows: Tensor) -> Tensor:
        """(b,) logarithm of the sum, over all monotone ways, of the exponential of the cells on it."""
        way = cells[:, 0]
        for number in range(1, cells.shape[1]):
            top = way.amax(1, keepdim=True)
            reached = ((way - top).exp().cumsum(1) + 1e-30).log() + top
            way = torch.where(rows[:, number, None] > 0, reached + cells[:, number], way)
        return way.logsumexp(1)


def _line(scores: int) -> nn.Linear:
    """A linear layer from scores to logits that starts with more being better."""
    line = nn.Linear(scores, len(PROFILES))
    nn.init.constant_(line.weight, 10.0 / scores)
    nn.init.constant_(line.bias, -5.0)
    return line


class Unordered(nn.Module):
    """Any verifier fed the map without its order: each side's words sorted by how well they are matched.

    Every order of the words gives the same map, so this is the most that statistics of a shuffled map can tell.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`; the same whatever the order of either side's rows."""
        similarity = query @ document.transpose(1, 2)
        row_best = (similarity + far(document_mask)).amax(2) + (1 - query_mask) * MASKED
        column_best = (similarity.transpose(1, 2) + far(query_mask)).amax(2) + (1 - document_mask) * MASKED
        query, document = _sorted(query, row_best), _sorted(document, column_best)
        logits: Tensor = self.inner(query, query_mask, document, document_mask)
        return logits


def _sorted(rows: Tensor, by: Tensor) -> Tensor:
    """Rows (b, n, d) in falling order of their numbers (b, n); padding has the lowest and stays last."""
    order = by.argsort(dim=1, descending=True)
    return rows.gather(1, order[:, :, None].expand_as(rows))
