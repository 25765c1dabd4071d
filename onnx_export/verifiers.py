"""The verifiers in torch: two token matrices in, one accept logit per profile out.

Every kind builds the similarity map itself and has the same signature, so that a bundle can carry any of them:
``patches`` is the paper's F4 (arXiv:2604.16351), ``alignment`` is ours.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from plugin_server.bundle import PROFILES

#: Added to what must not be chosen by a maximum or a softmax. Masking by zero would let padding beat a true negative.
MASKED = -1e4
#: Tokens of the longest window that a verifier knows positions for, unless its shape says more.
LONGEST = 512


def positions(length: int, dimension: int, device: torch.device | None = None) -> Tensor:
    """Sinusoids (length, dimension) of the positions 0 to length - 1; the longest period is 256 tokens."""
    half = dimension // 2
    periods = torch.exp(torch.linspace(math.log(4.0), math.log(256.0), half, device=device))
    angle = torch.arange(length, device=device)[:, None] * (2 * math.pi / periods)[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def far(mask: Tensor) -> Tensor:
    """What to add to scores over a side's words (b, n): 0 for words, `MASKED` for padding, as (b, 1, n)."""
    return (1 - mask)[:, None, :] * MASKED


def late_scores(similarity: Tensor, query_mask: Tensor, document_mask: Tensor) -> Tensor:
    """Four order-blind scores (b, 4): cosine of the first tokens, MaxSim both ways, the worst-matched query word."""
    row_best = (similarity + far(document_mask)).amax(2) * query_mask
    column_best = (similarity.transpose(1, 2) + far(query_mask)).amax(2) * document_mask
    forward = row_best.sum(1, keepdim=True) / query_mask.sum(1, keepdim=True)
    backward = column_best.sum(1, keepdim=True) / document_mask.sum(1, keepdim=True)
    worst = (row_best + (1 - query_mask)).amin(1, keepdim=True)
    return torch.cat([similarity[:, 0, :1], forward, backward, worst], dim=1)


def strengths(similarity: Tensor, padding: Tensor, weights: Tensor) -> Tensor:
    """How well each word (b, n, 2) is matched: its best cosine, and its mean one under an alignment's weights."""
    best, mean = (similarity + padding).amax(2, keepdim=True), (weights * similarity).sum(2, keepdim=True)
    return torch.cat([best, mean], dim=2)


class Attention(nn.Module):
    """Multi-head attention of a few tokens over a source that all heads read as it is.

    Key and value projections stand on the side of the tokens: (x Wq)(s Wk)ᵀ is (x Wq Wkᵀ) sᵀ, and so for the values.
    What would be a linear step a source word and head is one a token, and a long source is touched twice only.
    """

    def __init__(self, width: int, source: int, heads: int) -> None:
        super().__init__()
        self.source = source
        self.look = nn.Linear(width, heads * source)
        self.out = nn.Linear(heads * source, width)
        self.scale = 1 / math.sqrt(source)

    def forward(self, tokens: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """(b, n, width) from tokens (b, n, width), source (b, s, source) and additive mask (b, 1, s)."""
        look = self.look(tokens)
        by_head = look.reshape(look.shape[0], -1, self.source)
        weights = (by_head @ source.transpose(1, 2) * self.scale + mask).softmax(-1)
        seen = weights @ source
        mixed: Tensor = self.out(seen.reshape(seen.shape[0], -1, self.out.in_features))
        return mixed


class Block(nn.Module):
    """Self-attention, attention to the document's words when ``source`` is not 0, and a feed-forward step."""

    def __init__(self, width: int, source: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if source else 2))
        self.own = Attention(width, width, heads)
        self.cross = Attention(width, source, heads) if source else None
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(
        self, tokens: Tensor, mask: Tensor, source: Tensor | None, source_mask: Tensor | None, kept: int | None = None
    ) -> Tensor:
        """The first `kept` tokens (b, kept, width) after one layer, or all of them."""
        normed = self.norms[0](tokens)
        tokens = tokens[:, :kept] + self.own(normed[:, :kept], normed, mask)
        if self.cross is not None and source is not None and source_mask is not None:
            tokens = tokens + self.cross(self.norms[1](tokens), source, source_mask)
        fed: Tensor = tokens + self.feed(self.norms[-1](tokens))
        return fed


def through(
    blocks: nn.ModuleList, tokens: Tensor, mask: Tensor, source: Tensor | None, source_mask: Tensor | None
) -> Tensor:
    """The first token (b, width) after all blocks; the last one computes no other."""
    for number, block in enumerate(blocks, 1):
        tokens = block(tokens, mask, source, source_mask, kept=1 if number == len(blocks) else None)
    return tokens[:, 0]


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


class Patches(nn.Module):
    """The paper's F4: a Transformer over square patches of the map, its row maxima and its column maxima."""

    def __init__(self, dimension: int, width: int = 128, patch: int = 4, layers: int = 2) -> None:
        super().__init__()
        del dimension  # the map has the same three channels whatever the tokens' width
        self.patch = patch
        self.embed = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.place = nn.Linear(2 * 24, width)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.ModuleList(Block(width, 0, 4, 2 * width) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(PROFILES)))

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`."""
        similarity = query @ document.transpose(1, 2)
        both = query_mask[:, :, None] * document_mask[:, None, :]
        blocked = similarity + (1 - both) * MASKED
        best_row = (blocked.amax(2, keepdim=True) * both).expand_as(similarity)
        best_column = (blocked.amax(1, keepdim=True) * both).expand_as(similarity)
        channels = torch.stack([similarity * both, best_row * both, best_column * both], dim=1)
        right, down = -similarity.shape[2] % self.patch, -similarity.shape[1] % self.patch
        grid = self.embed(F.pad(channels, (0, right, 0, down)))
        seen = F.max_pool2d(F.pad(both, (0, right, 0, down))[:, None], self.patch).flatten(1)
        rows = positions(grid.shape[2], 24, query.device)[:, None].expand(-1, grid.shape[3], -1)
        columns = positions(grid.shape[3], 24, query.device)[None].expand(grid.shape[2], -1, -1)
        tokens = grid.flatten(2).transpose(1, 2) + self.place(torch.cat([rows, columns], dim=2)).flatten(0, 1)
        tokens = torch.cat([self.first.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        mask = F.pad((1 - seen) * MASKED, (1, 0))[:, None]
        head: Tensor = self.head(through(self.blocks, tokens, mask, None, None))
        return head


KINDS: dict[str, type[nn.Module]] = {"alignment": Alignment, "patches": Patches}
