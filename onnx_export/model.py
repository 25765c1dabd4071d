"""Token encoder and verifier as one trainable model."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn

from onnx_export.backbone import base_shape
from onnx_export.batches import Batch
from onnx_export.config import Config
from onnx_export.errors import BadConfig
from onnx_export.lower_cache import LowerCache
from onnx_export.token_encoder import TokenEncoder
from onnx_export.trainable import ChannelDropout, Group, Trainable, pair_loss, ranking_loss
from onnx_export.verifiers import KINDS, Alignment
from plugin_server.windows import BUCKET


class Model(Trainable):
    """What a bundle is made of: the token branch and the verifier, trained end to end.

    With a frozen encoder the token rows are the base model's own, without projection, and only the verifier learns.

    Raises:
        BadConfig: the verifier's shape names something that its kind does not have, the base model has too few
            layers, or the window does not fit base model or verifier.
        BaseModelMissing, BaseModelUnsupported: there is no such base model, or it cannot be used.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        shape = config.encoder
        if shape.frozen:
            layers, width = base_shape(self.folder)
            self.encoder = TokenEncoder(self.folder, layers, width)
            self.encoder.projection = nn.Identity()
            self.encoder.branch.requires_grad_(False)  # final norms, if the base model has any
        else:
            width = shape.dimension
            self.encoder = TokenEncoder(self.folder, shape.shared_layers, width)
            if self.encoder.own_layers < 1:
                raise BadConfig(
                    f"encoder: shared_layers: {shape.shared_layers}: every layer of the base model, where the token "
                    f"branch needs one of its own: give 0 to {shape.shared_layers - 1}"
                )
        try:
            self.verifier = KINDS[config.verifier.kind](width, **config.verifier.shape)
        except TypeError as error:
            raise BadConfig(f"verifier: shape does not fit kind {config.verifier.kind!r}: {error}") from error
        self.cache: LowerCache | None = None
        self.window = self._window()
        ChannelDropout.put(self.encoder.branch, config.training.dropout)

    def _window(self) -> int:
        """Tokens of a window, which base model and verifier must have positions for."""
        shape, encoder = self.config.encoder, self.encoder
        longest = encoder.positions // BUCKET * BUCKET  # serving pads to whole buckets
        window = shape.window or min(self.window, longest)
        places = getattr(self.verifier, "places", None)
        if not 3 <= window <= longest:
            raise BadConfig(
                f"encoder: window: {window} tokens: the base model has positions for {encoder.positions}: give 3 to "
                f"{longest}"
            )
        if places is not None and window > len(places):
            raise BadConfig(
                f"encoder: window: {window} tokens: the verifier has positions for {len(places)}: give fewer, or "
                f"shape.longest = {window} in [verifier]"
            )
        if not 0 <= shape.overlap < window - 2:
            raise BadConfig(
                f"encoder: overlap: {shape.overlap} tokens: give 0 to {window - 3}, for windows of {window}"
            )
        return window

    def matrices(self, ids: Tensor, mask: Tensor, texts: Tensor | None = None) -> Tensor:
        """Unit token rows (b, t, d), with a gradient to the token branch only.

        Args:
            texts: (b,) numbers of the texts in the cache of the shared layers' outputs, if the model has one.
        """
        with torch.no_grad():
            if self.cache is not None and texts is not None:
                hidden, calls = self.cache.lower(self.encoder, ids, mask, texts)
            else:
                hidden, calls = self.encoder.lower(ids, mask)
        return self.encoder.token_rows(hidden, calls)

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
        loss = main = pair_loss(logits, batch.labels)
        rates = self.config.training
        if hint is not None and rates.hint:
            loss = loss + rates.hint * pair_loss(hint, batch.labels)
        if rates.ranking:
            loss = loss + rates.ranking * ranking_loss(logits, batch)
        return loss, main

    def groups(self) -> list[Group]:
        """The token branch; projection and verifier."""
        rates, encoder = self.config.training, self.encoder
        new = [*encoder.projection.parameters(), *self.verifier.parameters()]
        branch = [tensor for tensor in encoder.branch.parameters() if tensor.requires_grad]
        return [(branch, rates.encoder_rate), (new, rates.verifier_rate)]

    def train(self, mode: bool = True) -> Self:
        """This model, its trained parts in that mode; the frozen ones always without dropout."""
        super().train(mode)
        for part in self._frozen():
            part.eval()
        return self

    def lighten(self) -> Self:
        """This model with its frozen layers in bfloat16, for training only: it saves a cast of every weight a step."""
        for part in self._frozen():
            for tensor in part.parameters():  # not the buffers: frequencies of rotary positions need their digits
                tensor.data = tensor.data.to(torch.bfloat16)
        return self

    def _frozen(self) -> tuple[nn.Module, nn.Module]:
        """The parts that training runs and does not change."""
        return self.encoder.embeddings, self.encoder.shared


def rounded(rows: Tensor, bits: int = 8) -> Tensor:
    """The rows as a blob of so many bits holds them, unit length again; the gradient passes as if nothing was done."""
    scaled = rows / rows.detach().abs().amax(-1, keepdim=True).clamp_min(1e-12) * (2 ** (bits - 1) - 1)
    kept = nn.functional.normalize(scaled.detach().round(), dim=-1)
    return rows + (kept - rows).detach()
