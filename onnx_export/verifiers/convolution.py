"""The paper's F3: a small convolutional network over the similarity map."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onnx_export.verifiers.maps import MASKED
from plugin_server.bundle import PROFILES


class Convolution(nn.Module):
    """Three convolutions over the map, its row maxima and its column maxima; maximum and mean over all places."""

    def __init__(self, dimension: int, width: int = 64) -> None:
        super().__init__()
        del dimension  # the map has the same channels whatever the tokens' width
        self.first = nn.Conv2d(3, width, kernel_size=5, padding=2)
        self.second = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.third = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.head = nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, len(PROFILES)))

    def forward(self, query: Tensor, query_mask: Tensor, document: Tensor, document_mask: Tensor) -> Tensor:
        """Logits (b, 2), as `Alignment.forward`."""
        similarity = query @ document.transpose(1, 2)
        both = (query_mask[:, :, None] * document_mask[:, None, :])[:, None]
        blocked = similarity[:, None] + (1 - both) * MASKED
        maxima = [blocked.amax(side, keepdim=True).expand_as(both) for side in (3, 2)]
        grid = torch.cat([similarity[:, None], *maxima], dim=1) * both
        for layer in (self.first, self.second):  # what lies outside a text stays zero
            grid, both = _halved(F.relu(layer(grid)) * both, both)
        grid = F.relu(self.third(grid)) * both
        peak = (grid + (1 - both) * MASKED).amax((2, 3))
        mean = grid.sum((2, 3)) / both.sum((2, 3))
        logits: Tensor = self.head(torch.cat([peak, mean], dim=1))
        return logits


def _halved(grid: Tensor, both: Tensor) -> tuple[Tensor, Tensor]:
    """The grid and its mask, the maximum of every square of four; padded to whole squares."""
    right, down = grid.shape[3] % 2, grid.shape[2] % 2
    return (
        F.max_pool2d(F.pad(grid, (0, right, 0, down)), 2),
        F.max_pool2d(F.pad(both, (0, right, 0, down)), 2),
    )
