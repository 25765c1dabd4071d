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


def positions(length: int, dimension: int, device: torch.device) -> Tensor:
    """Sinusoids (length, dimension) of the positions 0 to length - 1; the longest period is 256 tokens."""
    half = dimension // 2
    periods = torch.exp(torch.linspace(math.log(4.0), math.log(256.0), half, device=device))
    angle = torch.arange(length, device=device)[:, None] * (2 * math.pi / periods)[None, :]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def late_scores(similarity: Tensor, query_mask: Tensor, document_mask: Tensor) -> Tensor:
    """Four order-blind scores (b, 4): cosine of the first tokens, MaxSim both ways, the worst-matched query word."""
    blocked = (1 - query_mask[:, :, None] * document_mask[:, None, :]) * MASKED
    row_best = (similarity + blocked).amax(2)
    column_best = (similarity + blocked).amax(1)
    forward = (row_best * query_mask).sum(1) / query_mask.sum(1)
    backward = (column_best * document_mask).sum(1) / document_mask.sum(1)
    worst = (row_best * query_mask + (1 - query_mask)).amin(1)
    return torch.stack([similarity[:, 0, 0], forward, backward, worst], dim=1)


class Attention(nn.Module):
    """Multi-head attention of ``width``-wide tokens over ``source``-wide ones, with ``inner`` channels in all."""

    def __init__(self, width: int, source: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, inner)
        self.keyvalue = nn.Linear(source, 2 * inner)
        self.out = nn.Linear(inner, width)

    def forward(self, tokens: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """(b, n, width) from tokens (b, n, width), source (b, s, source) and additive mask (b, 1, 1, s)."""
        query = self.query(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = self.keyvalue(source).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + mask).softmax(-1)
        mixed: Tensor = self.out((weights @ value).transpose(1, 2).flatten(2))
        return mixed

    def absorbed(self, tokens: Tensor, source: Tensor, mask: Tensor) -> Tensor:
        """The same as `forward`, key and value projections moved to the side of the tokens.

        Cheaper where the source is much longer than the tokens: the source is read as it is, by all heads at once. A
        key's bias adds the same to every score of a row, so the softmax does not see it; a value's passes through.
        """
        inner = self.query.out_features
        each = inner // self.heads
        key, value = self.keyvalue.weight.view(2, self.heads, each, -1).unbind(0)
        query = self.query(tokens).unflatten(2, (self.heads, each)).transpose(1, 2)
        reading = (query @ (key / math.sqrt(each))).flatten(1, 2)
        scores = (reading @ source.transpose(1, 2)).unflatten(1, (self.heads, -1)) + mask
        seen = (scores.softmax(-1).flatten(1, 2) @ source).unflatten(1, (self.heads, -1))
        values = seen @ value.transpose(1, 2)
        mixed: Tensor = self.out(values.transpose(1, 2).flatten(2) + self.keyvalue.bias[inner:])
        return mixed


class Block(nn.Module):
    """Self-attention, attention to the document's tokens when ``source`` is not 0, and a feed-forward step."""

    def __init__(self, width: int, source: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own = Attention(width, width, width, heads)
        self.cross = Attention(width, source, source, heads) if source else None
        self.feed = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: Tensor, mask: Tensor, source: Tensor | None, source_mask: Tensor | None) -> Tensor:
        """The tokens (b, n, width) after one layer."""
        normed = self.norms[0](tokens)
        tokens = tokens + self.own(normed, normed, mask)
        if self.cross is not None and source is not None and source_mask is not None:
            tokens = tokens + self.cross.absorbed(self.norms[1](tokens), source, source_mask)
        fed: Tensor = tokens + self.feed(self.norms[2](tokens))
        return fed


class Alignment(nn.Module):
    """A token per query word, carrying the document word it aligns with, reading the document's words likewise aligned.

    Each side's words are soft-aligned to the other side's by the map (decomposable attention, Parikh et al. 2016,
    arXiv:1606.01933); a word's token holds its vector, its counterpart's, their product and both positions. Only the
    query's tokens pass through the layers, so a long document costs one narrow projection a word. The order-blind
    scores enter the first token and, linearly, the logits: the layers correct them.
    """

    def __init__(self, dimension: int, width: int = 128, narrow: int = 64, layers: int = 2, place: int = 24) -> None:
        super().__init__()
        self.place = place
        self.sharpness = nn.Parameter(torch.tensor([10.0, 10.0]))
        self.query_in = nn.Linear(4 * dimension + 2 * place + 2, width)
        self.document_in = nn.Linear(3 * dimension + 2 * place + 2, narrow)
        self.document_norm = nn.LayerNorm(narrow)
        self.first = nn.Linear(4 + 3 * dimension, width)
        self.blocks = nn.ModuleList(Block(width, narrow, 4, 2 * width) for _ in range(layers))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(PROFILES)))
        self.linear = nn.Linear(4, len(PROFILES))

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), a column per profile, from unit rows (b, m, d), (b, n, d) and masks of 0 and 1."""
        similarity = query @ document.transpose(1, 2)
        scores = late_scores(similarity, query_mask, document_mask)
        far_query = (1 - query_mask)[:, None, :] * MASKED
        far_document = (1 - document_mask)[:, None, :] * MASKED
        query_place = positions(query.shape[1], self.place, query.device).expand(query.shape[0], -1, -1)
        document_place = positions(document.shape[1], self.place, query.device).expand(query.shape[0], -1, -1)

        rows = similarity + far_document
        weights = (similarity * self.sharpness[0] + far_document).softmax(2)
        match, match_place = weights @ document, weights @ document_place
        strength = torch.stack([rows.amax(2), (weights * similarity).sum(2)], dim=2)
        own = [query, match, query * match, (query - match).abs(), query_place, match_place, strength]
        words = F.gelu(self.query_in(torch.cat(own, dim=2)))

        columns = similarity.transpose(1, 2) + far_query
        back = (similarity.transpose(1, 2) * self.sharpness[1] + far_query).softmax(2)
        match = back @ query
        strength = torch.stack([columns.amax(2), (back * similarity.transpose(1, 2)).sum(2)], dim=2)
        # document_in over [document, match, document * match, document_place, match_place, strength], term by term: the
        # document is long, so nothing is put side by side, and what comes from the query is projected there
        wide = [query.shape[2]] * 3 + [self.place] * 2 + [2]
        alone, there, both, here, away, strong = torch.split(self.document_in.weight.t(), wide)
        other = document @ alone + (document * match) @ both + strength @ strong
        other = (
            other + back @ (query @ there + query_place @ away) + (document_place[:1] @ here + self.document_in.bias)
        )
        source = self.document_norm(F.gelu(other))

        ends = [query[:, 0], document[:, 0], query[:, 0] * document[:, 0], scores]
        tokens = torch.cat([self.first(torch.cat(ends, dim=1))[:, None], words], dim=1)
        mask = F.pad(far_query, (1, 0))[:, None]
        for block in self.blocks:
            tokens = block(tokens, mask, source, far_document[:, None])
        logits: Tensor = self.head(tokens[:, 0]) + self.linear(scores)
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
        mask = F.pad((1 - seen) * MASKED, (1, 0))[:, None, None]
        for block in self.blocks:
            tokens = block(tokens, mask, None, None)
        head: Tensor = self.head(tokens[:, 0])
        return head


KINDS: dict[str, type[nn.Module]] = {"alignment": Alignment, "patches": Patches}
