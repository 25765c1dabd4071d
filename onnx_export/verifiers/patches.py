"""The paper's F4: a Transformer that reads the similarity map patch by patch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onnx_export.verifiers.attention import Block, through
from onnx_export.verifiers.maps import MASKED, positions
from plugin_server.bundle import PROFILES


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
