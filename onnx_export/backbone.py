"""A transformers encoder taken apart: embeddings, layers, final norms, and what each of them is called with."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MODEL_MAPPING, AutoConfig, AutoModel
from transformers.utils import logging

from onnx_export.anatomy import after_layers, form_of, layers_of, positions_of
from onnx_export.errors import BaseModelUnsupported
from onnx_export.stem import Form, Stem, begin, through

#: Kinds whose layers take nothing but an additive mask, which suits every kind of attention.
PLAIN = ("bert",)
#: How far the parts may be from the whole, as a share of its largest number.
AGREEMENT = 1e-4
#: What the last word of ten changes in the first at least, unless words do not see what follows.
CAUSAL = 1e-6


@dataclass(frozen=True, slots=True)
class Backbone:
    """The parts of an encoder; together they compute what it computes.

    Attributes:
        embeddings: what comes before the layers: a `Stem`, or plain embeddings.
        steps: layers from the lowest up, then what the encoder does to the last one's output (its final norms).
        layers: how many of the steps are layers.
        form: how a layer gives its output.
        positions: tokens of the longest text that it takes.
        config: the model's own.
    """

    embeddings: nn.Module
    steps: list[nn.Module]
    layers: int
    form: Form
    positions: int
    config: Any


def load_encoder(folder: Path, fused: bool = False) -> Any:
    """The encoder without its pooler, in float32, frozen.

    Args:
        fused: whether attention is torch's fused kernel, for kinds that are `PLAIN`. It is quick forward and slow
            backward: on CPU its backward pass took a third of a training step.

    Raises:
        BaseModelUnsupported: the folder holds no encoder that transformers itself can load: no code from it is run.
    """
    told = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns that the pooler's weights are not used, as asked
    try:
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
        pooler = {"add_pooling_layer": False} if "add_pooling_layer" in signature(_kind(config)).parameters else {}
        if hasattr(config, "reference_compile"):
            config.reference_compile = False  # ModernBERT would compile its layers on a GPU
        model, report = AutoModel.from_pretrained(
            str(folder),
            config=config,
            trust_remote_code=False,
            attn_implementation="sdpa" if fused and config.model_type in PLAIN else "eager",
            output_loading_info=True,
            **pooler,
        )
    except Exception as error:  # transformers, safetensors and `_kind` share no root below Exception
        raise BaseModelUnsupported(f"base: {folder}: transformers has no encoder for it: {_line(error)}") from error
    finally:
        logging.set_verbosity(told)
    if report["missing_keys"]:
        raise BaseModelUnsupported(f"base: {folder}: its weights lack {sorted(report['missing_keys'])[0]}")
    return model.float().requires_grad_(False)


def base_shape(folder: Path) -> tuple[int, int]:
    """How many layers a base model has, and how many numbers a token has between them."""
    model = load_encoder(folder)
    return len(layers_of(model, folder)), model.config.hidden_size


def split(model: Any, folder: Path) -> Backbone:
    """The model's parts, its layers taken out of it; checked against the whole on two short texts.

    Args:
        folder: where the model is from, for error messages.

    Raises:
        BaseModelUnsupported: it is no encoder, or its parts do not compute what it computes.
    """
    config, layers = model.config, layers_of(model, folder)
    ids = (torch.arange(20).reshape(2, 10) + config.vocab_size // 2) % config.vocab_size
    mask = (torch.arange(10) < torch.tensor([[10], [6]])).long()
    other = (ids + (torch.arange(10) == 9)) % config.vocab_size  # another last word
    try:
        with torch.no_grad():
            norms, form = after_layers(model, layers, ids, mask), form_of(model, layers, ids, mask)
            wanted, changed = (model(input_ids=part, attention_mask=mask).last_hidden_state for part in (ids, other))
            positions, steps = positions_of(model), [*layers, *norms]
            embeddings = model.embeddings if config.model_type in PLAIN else Stem(model, layers, len(norms), form)
            found = through(steps, *begin(embeddings, ids, mask, len(steps)), form)
            gap, seen = _difference(found, wanted, mask), _difference(changed, wanted, torch.eye(2, 10)[:1])
    except Exception as error:  # whatever a foreign model raises
        raise BaseModelUnsupported(f"base: {folder}: a {config.model_type} cannot be split: {_line(error)}") from error
    if seen < CAUSAL:
        raise BaseModelUnsupported(
            f"base: {folder}: a {config.model_type} is a decoder, its words do not see what follows: give an encoder"
        )
    if not gap < AGREEMENT:
        raise BaseModelUnsupported(
            f"base: {folder}: a {config.model_type} does more than layer upon layer: parts and whole are {gap:.0e} of "
            "the largest number apart"
        )
    return Backbone(embeddings, steps, len(layers), form, positions, config)


def _kind(config: Any) -> type:
    """The class of the encoder."""
    if getattr(config, "is_encoder_decoder", False):
        raise TypeError(f"a {config.model_type} has encoder and decoder")
    kind = MODEL_MAPPING.get(type(config), None)
    if not isinstance(kind, type) or not getattr(config, "vocab_size", 0):
        raise TypeError(f"a {config.model_type} reads no text")
    return kind


def _difference(one: Tensor, other: Tensor, mask: Tensor) -> float:
    """The largest difference where the mask (b, t) is 1, as a share of the largest number."""
    return float(((one - other) * mask[:, :, None]).abs().max() / other.abs().max())


def _line(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
