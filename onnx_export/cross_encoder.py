"""The cross-encoder: query and document read together by the whole base model; the ceiling, and its price."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AutoModel
from transformers.utils import logging

from onnx_export.batches import Batch
from onnx_export.config import Config
from onnx_export.token_encoder import base_folder
from onnx_export.trainable import ChannelDropout, Group, Trainable, pair_loss
from plugin_server.bundle import PROFILES


class CrossEncoder(Trainable):
    """Logits (b, 2) from the first token of "[CLS] query [SEP] document [SEP]"; word embeddings stay frozen."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        told = logging.get_verbosity()
        logging.set_verbosity_error()  # it warns that the pooler's weights are not used, as asked
        # plain attention: on CPU the fused kernel's backward pass takes a third of a training step
        self.base = AutoModel.from_pretrained(
            str(base_folder(config.encoder.base)), add_pooling_layer=False, attn_implementation="eager"
        )
        logging.set_verbosity(told)
        self.base.embeddings.requires_grad_(False)
        for layer in self.base.encoder.layer:
            layer.attention.self.dropout.p = 0.0
            layer.attention.output.dropout = ChannelDropout(config.training.dropout)
            layer.output.dropout = ChannelDropout(config.training.dropout)
        self.base.embeddings.dropout.p = 0.0
        self.head = nn.Linear(self.base.config.hidden_size, len(PROFILES))

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """Logits (b, 2) of joined texts (b, t): ids, 1 where there is a token, 1 where it is the document's."""
        hidden = self.base(input_ids=ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state
        logits: Tensor = self.head(hidden[:, 0]).float()
        return logits

    def logits(self, batch: Batch) -> Tensor:
        """Logits (b, 2) of a batch of pairs."""
        logits: Tensor = self(*joined(batch))
        return logits

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Cross-entropy, twice."""
        loss = pair_loss(self.logits(batch), batch.labels)
        return loss, loss

    def groups(self) -> list[Group]:
        """The layers, and the head."""
        rates = self.config.training
        return [(self.base.encoder.parameters(), rates.encoder_rate), (self.head.parameters(), rates.verifier_rate)]


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
