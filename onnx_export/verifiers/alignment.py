"""Ours: a token per query word, carrying the document word it aligns with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onnx_export.verifiers.attention import Block, through
from onnx_export.verifiers.maps import LONGEST, far, late_scores, positions, strengths
from plugin_server.bundle import PROFILES


class Alignment(nn.Module):
    """A token per query word, carrying the document word it aligns with, reading the document's words likewise aligned.

    Each side's words are soft-aligned to the other side's by the map (decomposable attention, Parikh et al. 2016,
    arXiv:1606.01933); a word's token holds its vector, its counterpart's, their product and both positions. Only the
    query's tokens pass through the layers, so a long document costs one narrow projection a word. The order-blind
    scores enter the first token and, linearly, the logits: the layers correct them.
    """

    def __init__(
        self,
        dimension: int,
        width: int = 128,
        narrow: int = 64,
        layers: int = 2,
        place: int = 24,
        heads: int = 4,
        hidden: int = 256,
        longest: int = LONGEST,
    ) -> None:
        super().__init__()
        self.places: Tensor
        self.register_buffer("places", positions(longest, place), persistent=False)
        self.sharpness = nn.Parameter(torch.tensor([10.0, 10.0]))
        self.query_in = nn.Linear(4 * dimension + 2 * place + 2, width)
        self.document_own = nn.Linear(dimension, narrow)
        self.document_match = nn.Linear(dimension + place, narrow, bias=False)
        self.document_place = nn.Linear(place, narrow, bias=False)
        self.document_strength = nn.Parameter(torch.randn(2, narrow))
        for part in (self.document_own, self.document_match):
            nn.init.normal_(part.weight)  # unit rows have small entries; no norm follows
        self.first = nn.Linear(4 + 3 * dimension, width)
        self.blocks = nn.ModuleList(Block(width, narrow, heads, hidden) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(PROFILES)))
        self.linear = nn.Linear(4, len(PROFILES))

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), a column per profile, from unit rows (b, m, d), (b, n, d) and masks of 0 and 1."""
        far_query, far_document = far(query_mask), far(document_mask)
        query_place = self.places[: query.shape[1]]
        document_place = self.places[: document.shape[1]]
        similarity = query @ document.transpose(1, 2)
        turned = similarity.transpose(1, 2)
        scores = late_scores(similarity, query_mask, document_mask)

        weights = (similarity * self.sharpness[0] + far_document).softmax(2)
        match = weights @ document
        strength = strengths(similarity, far_document, weights)
        here = query_place.expand(query.shape[0], -1, -1)
        own = [query, match, query * match, (query - match).abs(), here, weights @ document_place, strength]
        words = F.gelu(self.query_in(torch.cat(own, dim=2)))

        # a long document is touched as little as can be: what its words take from the query is projected there
        back = (turned * self.sharpness[1] + far_query).softmax(2)
        strength = strengths(turned, far_query, back)
        told = self.document_match(torch.cat([query, here], dim=2))
        told = torch.cat([told, self.document_strength.expand(query.shape[0], -1, -1)], dim=1)
        taken = torch.cat([back, strength], dim=2) @ told
        source = F.relu(self.document_own(document) + taken + self.document_place(self.places)[: document.shape[1]])

        ends = [query[:, 0], document[:, 0], query[:, 0] * document[:, 0], scores]
        tokens = torch.cat([self.first(torch.cat(ends, dim=1))[:, None], words], dim=1)
        first = through(self.blocks, tokens, F.pad(far_query, (1, 0)), source, far_document)
        logits: Tensor = self.head(first) + self.linear(scores)
        return logits

    def hint(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2) of the order-blind scores alone: trained beside, they teach the tokens by the shortest way."""
        similarity = query @ document.transpose(1, 2)
        logits: Tensor = self.linear(late_scores(similarity, query_mask, document_mask))
        return logits
