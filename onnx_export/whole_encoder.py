"""A base model all of whose layers are trained, for the systems that a bundle is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from onnx_export.anatomy import layers_of
from onnx_export.backbone import load_encoder
from onnx_export.trainable import ChannelDropout


def whole_encoder(folder: Path, rate: float) -> Any:
    """The base model of that folder; its layers learn, with that rate of dropout, what is around them stays.

    Raises:
        BaseModelUnsupported: the folder holds no encoder that can be used.
    """
    model = load_encoder(folder)
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    for layer in layers_of(model, folder):
        ChannelDropout.put(layer.requires_grad_(True), rate)
    return model
