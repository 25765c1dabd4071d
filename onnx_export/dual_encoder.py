"""The dual encoder: one vector a text, the base model's own or trained further; what the recall vector would become."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from onnx_export.batches import Batch
from onnx_export.config import Config
from onnx_export.recipe import Recipe
from onnx_export.trainable import Group, Trainable
from onnx_export.whole_encoder import whole_encoder

#: Cosines are divided by this in the softmax over a batch's documents.
TEMPERATURE = 0.05


class DualEncoder(Trainable):
    """Unit vectors, pooled as the base model's own; logits are their cosine, the same for both profiles.

    Training contrasts each true pair's document with every other document of the batch, near-misses among them
    (InfoNCE, van den Oord et al. 2018, arXiv:1807.03748). Word embeddings stay frozen.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.base: Any = whole_encoder(self.folder, config.training.dropout)
        self.recipe = Recipe.read(self.folder)

    def vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (b, h) of texts (b, t)."""
        return self.recipe.vector(self.base(input_ids=ids, attention_mask=mask).last_hidden_state.float(), mask)

    def cosines(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Unit vectors (b, h) of queries and of documents."""
        return self.vectors(batch.query, batch.query_mask), self.vectors(batch.document, batch.document_mask)

    def logits(self, batch: Batch) -> Tensor:
        """The cosine of each pair, twice: (b, 2)."""
        query, document = self.cosines(batch)
        return (query * document).sum(1, keepdim=True).expand(-1, 2)

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The cross-entropy of finding each true pair's document among those of the batch, twice."""
        query, document = self.cosines(batch)
        true = (batch.labels == 1).any(1)
        # another row with the same document, or that is true of the same query, is no negative
        same = batch.document_texts[:, None] == batch.document_texts[None]
        same |= (batch.query_texts[:, None] == batch.query_texts[None]) & true[None]
        same &= ~torch.eye(len(true), dtype=torch.bool, device=same.device)
        scores = (query @ document.T / TEMPERATURE).masked_fill(same, -1e4)
        target = torch.arange(len(true), device=scores.device)
        loss = F.cross_entropy(scores[true], target[true]) if true.any() else scores.sum() * 0
        return loss, loss

    def groups(self) -> list[Group]:
        """The layers."""
        learning = [tensor for tensor in self.base.parameters() if tensor.requires_grad]
        return [(learning, self.config.training.encoder_rate)]
