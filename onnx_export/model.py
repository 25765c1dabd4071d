"""Token encoder and verifier as one trainable model, and the checkpoint they are saved in."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from onnx_export.base import base_folder
from onnx_export.batches import Batch
from onnx_export.config import WINDOW, Config, EncoderConfig, TrainingConfig, VerifierConfig
from onnx_export.errors import BadCheckpoint, BadConfig
from onnx_export.token_encoder import TokenEncoder
from onnx_export.verifiers import KINDS, Alignment
from plugin_server.encoder import BUCKET


class ChannelDropout(nn.Dropout):
    """Dropout of a text's whole channels: one draw for all of its tokens (Gal & Ghahramani 2016, arXiv:1512.05287).

    Drawing a number for every token and channel took 28 % of a training step on 2 cores; this takes 1 %. Weights of
    attention (b, heads, t, t) are left whole, also where a layer reads ``p`` and drops them itself.
    """

    def __init__(self, rate: float) -> None:
        super().__init__(p=0.0)
        self.rate = rate

    def forward(self, hidden: Tensor) -> Tensor:
        """The hidden states (b, t, c), some channels zero while training."""
        if not self.training or self.rate == 0 or hidden.ndim != 3:
            return hidden
        keep = torch.rand(hidden.shape[0], 1, hidden.shape[2], device=hidden.device) >= self.rate
        return hidden * (keep.to(hidden.dtype) / (1 - self.rate))


class Model(nn.Module):
    """What is trained: the token branch and the verifier, end to end.

    Attributes:
        window: tokens of a window.

    Raises:
        BadConfig: there is no such kind of verifier, its shape names something that it does not have, or the window
            does not fit base model or verifier.
        BaseModelMissing, BaseModelUnsupported: there is no such base model, or it cannot be used.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.verifier.kind not in KINDS:
            raise BadConfig(f"verifier: kind {config.verifier.kind!r} is not known: choose one of {', '.join(KINDS)}")
        shape = config.encoder
        self.config = config
        self.encoder = TokenEncoder(base_folder(shape.base), shape.shared_layers, shape.dimension)
        try:
            self.verifier = KINDS[config.verifier.kind](shape.dimension, **config.verifier.shape)
        except TypeError as error:
            raise BadConfig(f"verifier: shape does not fit kind {config.verifier.kind!r}: {error}") from error
        self.window = self._window()
        for part in [*self.encoder.branch.modules()]:
            for name, child in part.named_children():
                if isinstance(child, nn.Dropout):
                    setattr(part, name, ChannelDropout(config.training.dropout))

    def _window(self) -> int:
        """Tokens of a window: what the configuration says, or what the base model and the verifier are made for."""
        shape, encoder = self.config.encoder, self.encoder
        longest = encoder.positions // BUCKET * BUCKET  # serving pads to whole buckets
        window = shape.window or min(WINDOW, encoder.recipe.longest or WINDOW, longest)
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

    def matrices(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit token rows (b, t, d), with a gradient to the token branch only."""
        with torch.no_grad():
            hidden, calls = self.encoder.lower(ids, mask)
        return self.encoder.token_rows(hidden, calls)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Logits (b, 2) of a batch, as the served graphs give them, rows rounded to int8 included; and the order-blind
        scores' own logits, if the verifier has them."""
        query = rounded(self.matrices(batch.query, batch.query_mask))
        document = rounded(self.matrices(batch.document, batch.document_mask))
        inputs = (query, batch.query_mask.float(), document, batch.document_mask.float())
        with torch.autocast("cpu", enabled=False):
            logits: Tensor = self.verifier(*inputs)
            hint: Tensor | None = self.verifier.hint(*inputs) if isinstance(self.verifier, Alignment) else None
        return logits, hint

    def train(self, mode: bool = True) -> Model:
        """This model, its trained parts in that mode; the frozen ones always without dropout."""
        super().train(mode)
        for part in self._frozen():
            part.eval()
        return self

    def lighten(self) -> Model:
        """This model with its frozen layers in bfloat16, for training only: it saves a cast of every weight a step."""
        for part in self._frozen():
            for tensor in part.parameters():  # not the buffers: frequencies of rotary positions need their digits
                tensor.data = tensor.data.to(torch.bfloat16)
        return self

    def _frozen(self) -> tuple[nn.Module, nn.Module]:
        """The parts that training runs and does not change."""
        return self.encoder.embeddings, self.encoder.shared

    def trained(self) -> dict[str, Tensor]:
        """The tensors that training changes, by name."""
        return {name: tensor for name, tensor in self.state_dict().items() if _is_trained(name)}


def rounded(rows: Tensor) -> Tensor:
    """The rows as a blob holds them, int8 and unit length again; the gradient passes as if nothing was rounded."""
    scaled = rows / rows.detach().abs().amax(-1, keepdim=True).clamp_min(1e-12) * 127
    kept = nn.functional.normalize(scaled.detach().round(), dim=-1)
    return rows + (kept - rows).detach()


def save_checkpoint(path: Path, model: Model, step: int, optimiser: torch.optim.Optimizer | None) -> None:
    """Write the trained tensors, the step and, to go on from there, the optimiser's state; atomically."""
    state = {"config": asdict(model.config), "step": step, "trained": model.trained()}
    state["optimiser"] = optimiser.state_dict() if optimiser else None
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def load_checkpoint(path: Path) -> tuple[Model, dict[str, Any]]:
    """The model of a checkpoint, ready to run, and the checkpoint's own entries.

    Raises:
        BadCheckpoint: there is no such file, or it is no checkpoint of this program.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        raw = state["config"]
        config = Config(
            encoder=EncoderConfig(**raw["encoder"]),
            verifier=VerifierConfig(**raw["verifier"]),
            training=TrainingConfig(**raw["training"]),
            mixture=raw["mixture"],
            generated=raw["generated"],
        )
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise BadCheckpoint(f"{path}: not a checkpoint that `simgate train` wrote: {error}") from error
    model = Model(config)
    try:
        missing, unexpected = model.load_state_dict(state["trained"], strict=False)
    except RuntimeError as error:  # a tensor of another shape
        raise BadCheckpoint(f"{path}: the checkpoint's tensors do not fit its configuration: {error}") from error
    if unexpected or any(_is_trained(name) for name in missing):
        raise BadCheckpoint(f"{path}: the checkpoint's tensors do not fit its configuration")
    return model.eval(), state


def _is_trained(name: str) -> bool:
    return name.startswith(("verifier.", "encoder.branch.", "encoder.projection."))
