"""Attention of a few tokens over a source that is touched twice only, and the layers made of it."""

from __future__ import annotations

import math

from torch import Tensor, nn


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
