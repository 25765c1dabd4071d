"""What every model that `onnx_export.train` trains offers, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from onnx_export.base import base_folder
from onnx_export.batches import Batch
from onnx_export.config import WINDOW, Config
from onnx_export.recipe import Recipe

#: Parameters that are trained, and their highest learning rate.
Group: TypeAlias = "tuple[Iterable[nn.Parameter], float]"


class Trainable(nn.Module):
    """A model of pairs: logits for both profiles, and a loss.

    Attributes:
        config: what it was made from.
        folder: of the base model.
        window: tokens of a window: what the configuration says, else `WINDOW` or where the base model cuts a text.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.folder = base_folder(config.encoder.base)
        self.window = config.encoder.window or min(WINDOW, Recipe.read(self.folder).longest or WINDOW)

    def logits(self, batch: Batch) -> Tensor:
        """Logits (b, 2) float32, a column per profile."""
        raise NotImplementedError

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss to go down, and the one to tell."""
        raise NotImplementedError

    def groups(self) -> list[Group]:
        """The trained parameters by learning rate."""
        raise NotImplementedError

    def lighten(self) -> Self:
        """This model, made cheaper for training where nothing is lost by it."""
        return self

    def trained(self) -> dict[str, Tensor]:
        """The tensors that training changes, by name."""
        learning = {id(parameter) for parameters, _ in self.groups() for parameter in parameters}
        return {name: tensor.detach() for name, tensor in self.named_parameters() if id(tensor) in learning}


class ChannelDropout(nn.Dropout):
    """Dropout of a text's whole channels: one draw for all of its tokens (Gal & Ghahramani 2016, arXiv:1512.05287).

    Drawing a number for every token and channel took 28 % of a training step on 2 cores; this takes 1 %. Weights of
    attention (b, heads, t, t) are left whole, also where a layer reads ``p`` and drops them itself.
    """

    def __init__(self, rate: float) -> None:
        super().__init__(p=0.0)
        self.rate = rate

    @classmethod
    def put(cls, part: nn.Module, rate: float) -> None:
        """Nothing; every dropout within the part is one of channels afterwards."""
        for owner in [*part.modules()]:
            for name, child in owner.named_children():
                if isinstance(child, nn.Dropout):
                    setattr(owner, name, cls(rate))

    def forward(self, hidden: Tensor) -> Tensor:
        """The hidden states (b, t, c), some channels zero while training."""
        if not self.training or self.rate == 0 or hidden.ndim != 3:
            return hidden
        keep = torch.rand(hidden.shape[0], 1, hidden.shape[2], device=hidden.device) >= self.rate
        return hidden * (keep.to(hidden.dtype) / (1 - self.rate))


def pair_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the labels (b, 2) that are known; unknown ones are NaN."""
    known = ~labels.isnan()
    return F.binary_cross_entropy_with_logits(logits.float()[known], labels[known])


def ranking_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean of log(1 + exp(false - true)) over every true and false pair of a batch that share a text; 0 without any.

    What two pairs share, such as the words in common that near-misses of a kind have, falls out of the difference.
    """
    logits, labels = logits.float(), batch.labels
    texts = (batch.query_texts, batch.document_texts)
    shared = torch.stack([one[:, None] == other[None] for one in texts for other in texts]).any(0)
    terms = []
    for column in range(labels.shape[1]):
        true, false = labels[:, column] == 1, labels[:, column] == 0
        chosen = true[:, None] & false[None] & shared
        gaps = logits[None, :, column] - logits[:, None, column]
        terms.append(F.softplus(gaps[chosen]))
    every = torch.cat(terms)
    return every.mean() if len(every) else logits.sum() * 0
