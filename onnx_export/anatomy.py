"""What an encoder of transformers is made of: found by looking at it, and by watching it run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from onnx_export.errors import BaseModelUnsupported
from onnx_export.stem import Form, parted
from plugin_server.blob import MAX_ROWS


def layers_of(model: Any, folder: Path) -> list[nn.Module]:
    """The layers, from the lowest up.

    Raises:
        BaseModelUnsupported: no list in the model has as many modules as its configuration says it has layers.
    """
    count = getattr(model.config, "num_hidden_layers", None)
    lists = [part for part in model.modules() if isinstance(part, nn.ModuleList) and len(part) == count]
    if not lists:
        raise BaseModelUnsupported(
            f"base: {folder}: a {model.config.model_type} has no list of its {count} layers: give an encoder that has"
        )
    return [*max(lists, key=lambda part: sum(tensor.numel() for tensor in part.parameters()))]


def positions_of(model: Any) -> int:
    """Tokens of the longest text that the model has positions for; those of a blob where nothing limits it."""
    said = int(getattr(model.config, "max_position_embeddings", 0) or MAX_ROWS)
    tables = [part for part in model.modules() if isinstance(part, nn.Embedding) and part.num_embeddings == said]
    # RoBERTa's kind numbers positions from behind the padding's
    return said - max((table.padding_idx + 1 for table in tables if table.padding_idx is not None), default=0)


def form_of(model: Any, layers: list[nn.Module], ids: Tensor, mask: Tensor) -> Form:
    """How the layers give their output, seen by running the model."""
    forms = []

    def look(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        shape = parted(args, kwargs)[0].shape
        parts = [] if isinstance(output, Tensor) else list(output)
        places = [place for place, part in enumerate(parts) if isinstance(part, Tensor) and part.shape == shape]
        forms.append(Form(len(parts), places[0] if places else 0))

    hook = layers[0].register_forward_hook(look, with_kwargs=True)
    try:
        model(input_ids=ids, attention_mask=mask)
    finally:
        hook.remove()
    return forms[0]


def after_layers(model: Any, layers: list[nn.Module], ids: Tensor, mask: Tensor) -> list[nn.Module]:
    """The modules that the model runs behind its last layer and that keep the hidden states' shape: its final norms."""
    found: list[nn.Module] = []
    inner = {part for layer in layers for part in layer.modules()}
    outer = {part for part in model.modules() if layers[0] in {*part.modules()}}
    hooks = []

    def note(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if args and isinstance(output, Tensor) and isinstance(args[0], Tensor) and output.shape == args[0].shape:
            found[:] = [part for part in found if part not in {*module.modules()}] + [module]

    hooks.append(layers[-1].register_forward_hook(lambda *_: found.clear()))
    hooks += [part.register_forward_hook(note) for part in model.modules() if part not in inner | outer]
    try:
        model(input_ids=ids, attention_mask=mask)
    finally:
        for hook in hooks:
            hook.remove()
    return found
