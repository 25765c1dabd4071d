"""Token encoder and verifier as one trainable model."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from onnx_export.batches import Batch
from onnx_export.config import Config
from onnx_export.errors import BadConfig
from onnx_export.lower_cache import LowerCache
from onnx_export.token_encoder import TokenEncoder, base_folder, base_shape
from onnx_export.trainable import ChannelDropout, Group, Trainable, pair_loss
from onnx_export.verifiers import KINDS, Alignment


class Model(Trainable):
    """What a bundle is made of: the token branch and the verifier, trained end to end.

    With a frozen encoder the token rows are the base model's own, without projection, and only the verifier learns.

    Raises:
        BadConfig: the verifier's shape names something that its kind does not have.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        shape = config.encoder
        base = base_folder(shape.base)
        if shape.frozen:
            layers, width = base_shape(base)
            self.encoder = TokenEncoder(base, layers, width)
            self.encoder.projection = nn.Identity()
        else:
            width = shape.dimension
            self.encoder = TokenEncoder(base, shape.shared_layers, width)
        try:
            self.verifier = KINDS[config.verifier.kind](width, **config.verifier.shape)
        except TypeError as error:
            raise BadConfig(f"verifier: shape does not fit kind {config.verifier.kind!r}: {error}") from error
        self.cache: LowerCache | None = None
        branch: list[Any] = list(self.encoder.branch)
        for layer in branch:
            layer.attention.self.dropout.p = 0.0
            layer.attention.output.dropout = ChannelDropout(config.training.dropout)
            layer.output.dropout = ChannelDropout(config.training.dropout)

    def matrices(self, ids: Tensor, mask: Tensor, texts: Tensor | None = None) -> Tensor:
        """Unit token rows (b, t, d), with a gradient to the token branch only.

        Args:
            texts: (b,) numbers of the texts in the cache of the shared layers' outputs, if the model has one.
        """
        with torch.no_grad():
            if self.cache is not None and texts is not None:
                hidden, additive = self.cache.lower(self.encoder, ids, mask, texts)
            else:
                hidden, additive = self.encoder.lower(ids, mask)
        return self.encoder.token_rows(hidden, additive)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Logits (b, 2) of a batch, as the served graphs give them, rounding of the rows included; and the order-blind
        scores' own logits, if the verifier has them."""
        bits = self.config.training.token_bits
        query = rounded(self.matrices(batch.query, batch.query_mask, batch.query_texts), bits)
        document = rounded(self.matrices(batch.document, batch.document_mask, batch.document_texts), bits)
        inputs = (query, batch.query_mask.float(), document, batch.document_mask.float())
        with torch.autocast(query.device.type, enabled=False):
            logits: Tensor = self.verifier(*inputs)
            hint: Tensor | None = self.verifier.hint(*inputs) if isinstance(self.verifier, Alignment) else None
        return logits, hint

    def logits(self, batch: Batch) -> Tensor:
        """Logits (b, 2) of a batch of pairs."""
        logits: Tensor = self(batch)[0]
        return logits

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The verifier's cross-entropy with the order-blind scores' own beside it, and the verifier's alone."""
        logits, hint = self(batch)
        main = pair_loss(logits, batch.labels)
        weight = self.config.training.hint
        if hint is None or not weight:
            return main, main
        return main + weight * pair_loss(hint, batch.labels), main

    def groups(self) -> list[Group]:
        """The token branch; projection and verifier."""
        rates, encoder = self.config.training, self.encoder
        new = [*encoder.projection.parameters(), *self.verifier.parameters()]
        return [(encoder.branch.parameters(), rates.encoder_rate), (new, rates.verifier_rate)]

    def train(self, mode: bool = True) -> Self:
        """This model, its trained parts in that mode; the frozen ones always without dropout."""
        super().train(mode)
        self.encoder.embeddings.eval()
        self.encoder.shared.eval()
        return self

    def lighten(self) -> Self:
        """This model with its frozen layers in bfloat16, for training only: it saves a cast of every weight a step."""
        self.encoder.embeddings.to(torch.bfloat16)
        self.encoder.shared.to(torch.bfloat16)
        return self


def rounded(rows: Tensor, bits: int = 8) -> Tensor:
    """The rows as a blob of so many bits holds them, unit length again; the gradient passes as if nothing was done."""
    scaled = rows / rows.detach().abs().amax(-1, keepdim=True).clamp_min(1e-12) * (2 ** (bits - 1) - 1)
    kept = nn.functional.normalize(scaled.detach().round(), dim=-1)
    return rows + (kept - rows).detach()
