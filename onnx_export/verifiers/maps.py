"""What the verifiers share: positions, masks, and the order-blind scores of a similarity map."""

from __future__ import annotations

import math

import torch
from torch import Tensor

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
