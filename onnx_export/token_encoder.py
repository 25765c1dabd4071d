"""The encoder in torch: one pass gives the base model's recall vector and the trained token matrix.

::

    input ids ─▶ shared lower layers (frozen) ─┬▶ the base's upper layers (frozen) ─▶ pooling ─▶ recall vector
                                               └▶ trained copies of them ─▶ projection ─▶ token matrix
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from onnx_export.anatomy import layers_of
from onnx_export.backbone import load_encoder, split
from onnx_export.errors import BadConfig
from onnx_export.recipe import Recipe
from onnx_export.stem import Call, begin, calls_of, through


class TokenEncoder(nn.Module):
    """An encoder of transformers with a frozen recall branch and a trained token branch.

    Args:
        base: folder of the base model.
        shared_layers: how many lower layers both branches share, all of them at most; they stay frozen.
        dimension: width of a token row.

    Attributes:
        own_layers: how many layers each branch has.
        recall_width: numbers of a recall vector.
        recipe: how the base model's own embedding is made.
        positions: tokens of the longest text that the base model takes.

    Raises:
        BaseModelUnsupported: the folder holds no encoder, or one that cannot be split.
        BadConfig: the base model has too few layers.
    """

    def __init__(self, base: Path, shared_layers: int, dimension: int) -> None:
        super().__init__()
        backbone = split(load_encoder(base, fused=True), base)
        if not 0 <= shared_layers <= backbone.layers:
            raise BadConfig(f"encoder: shared_layers: {shared_layers}: the base model has {backbone.layers} layers")
        norms = copy.deepcopy(backbone.steps[backbone.layers :])
        self.embeddings = backbone.embeddings
        self.shared = nn.ModuleList(backbone.steps[:shared_layers])
        self.recall = nn.ModuleList(backbone.steps[shared_layers:])
        self.branch = nn.ModuleList([*layers_of(load_encoder(base), base)[shared_layers:], *norms]).requires_grad_(True)
        self.own_layers = backbone.layers - shared_layers
        self.recall_width: int = backbone.config.hidden_size
        self.projection: nn.Module = nn.Linear(self.recall_width, dimension)
        self.recipe = Recipe.read(base)
        self.positions = backbone.positions
        self.config = backbone.config
        self._form = backbone.form

    def lower(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, list[Call]]:
        """Hidden states (b, t, hidden) after the shared layers, and what each step above is called with."""
        hidden, calls = begin(self.embeddings, input_ids, attention_mask, len(self.shared) + len(self.recall))
        own = len(self.shared)
        return through(self.shared, hidden, calls[:own], self._form), calls[own:]

    def calls(self, hidden: Tensor, attention_mask: Tensor) -> list[Call]:
        """What each step above the shared layers is called with: masks, positions.

        Args:
            hidden: (b, t, hidden) that `lower` gave before, float32 or bfloat16.
            attention_mask: (b, t) of 0 and 1, as `lower` was given it.
        """
        return calls_of(self.embeddings, hidden, attention_mask, len(self.shared) + len(self.recall))[
            len(self.shared) :
        ]

    def token_rows(self, hidden: Tensor, calls: list[Call]) -> Tensor:
        """Unit token rows (b, t, dimension) from the shared layers' output."""
        hidden = through(self.branch, hidden, calls, self._form, cast=True)
        return F.normalize(self.projection(hidden).float(), dim=-1)

    def recall_vector(self, hidden: Tensor, calls: list[Call], attention_mask: Tensor) -> Tensor:
        """The base model's sentence embedding (b, hidden): pooled over the words, unit length."""
        return self.recipe.vector(through(self.recall, hidden, calls, self._form), attention_mask)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Recall vectors (b, hidden) and token matrices (b, t, dimension); rows of padding are zero."""
        hidden, calls = self.lower(input_ids, attention_mask)
        tokens = self.token_rows(hidden, calls) * attention_mask[:, :, None].to(hidden.dtype)
        return self.recall_vector(hidden, calls, attention_mask), tokens
