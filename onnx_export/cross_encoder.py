"""The cross-encoder: query and document read together by the whole base model; the ceiling, and its price."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from onnx_export.batches import Batch
from onnx_export.config import Config
from onnx_export.trainable import Group, Trainable, pair_loss, ranking_loss
from onnx_export.whole_encoder import whole_encoder
from plugin_server.bundle import PROFILES


class CrossEncoder(Trainable):
    """Logits (b, 2) from the first token of "[CLS] query [SEP] document [SEP]"; word embeddings stay frozen."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.base: Any = whole_encoder(self.folder, config.training.dropout)
        self.sided = getattr(self.base.config, "type_vocab_size", 0) > 1  # else the marks alone part the texts
        self.head = nn.Linear(self.base.config.hidden_size, len(PROFILES))

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """Logits (b, 2) of joined texts (b, t): ids, 1 where there is a token, 1 where it is the document's."""
        types = {"token_type_ids": kinds} if self.sided else {}
        hidden = self.base(input_ids=ids, attention_mask=mask, **types).last_hidden_state
        logits: Tensor = self.head(hidden[:, 0]).float()
        return logits

    def logits(self, batch: Batch) -> Tensor:
        """Logits (b, 2) of a batch of pairs."""
        logits: Tensor = self(*joined(batch))
        return logits

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cross-entropy with the ranking's loss beside it, and cross-entropy alone."""
        logits = self.logits(batch)
        main = pair_loss(logits, batch.labels)
        weight = self.config.training.ranking
        return (main + weight * ranking_loss(logits, batch) if weight else main), main

    def groups(self) -> list[Group]:
        """The layers, and the head."""
        rates = self.config.training
        learning = [tensor for tensor in self.base.parameters() if tensor.requires_grad]
        return [(learning, rates.encoder_rate), (self.head.parameters(), rates.verifier_rate)]


def joined(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and kinds (b, t): each query with both its marks, its document behind it without the first mark.

    Example:
        >>> parts = [1, 5, 2], [1, 1, 1], [1, 7, 2, 0], [1, 1, 1, 0], [1, 1], 0, 1
        >>> row = Batch(*(torch.tensor([part]) for part in parts))
        >>> [part.tolist() for part in joined(row)]
        [[[1, 5, 2, 7, 2]], [[1, 1, 1, 1, 1]], [[0, 0, 0, 1, 1]]]
    """
    own, other = batch.query_mask.sum(1, keepdim=True), batch.document_mask.sum(1, keepdim=True)
    place = torch.arange(int((own + other).max()) - 1, device=own.device).expand(len(own), -1)
    mask, kinds = place < own + other - 1, place >= own
    left = batch.query.gather(1, place.clamp(max=batch.query.shape[1] - 1))
    right = batch.document.gather(1, (place - own + 1).clamp(0, batch.document.shape[1] - 1))
    return torch.where(kinds, right, left) * mask, mask.long(), (kinds & mask).long()
