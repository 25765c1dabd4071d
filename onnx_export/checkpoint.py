"""Checkpoints: what training changed, and what it takes to build the model again."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from onnx_export.config import Config, EncoderConfig, OwnConfig, TrainingConfig, VerifierConfig
from onnx_export.cross_encoder import CrossEncoder
from onnx_export.dual_encoder import DualEncoder
from onnx_export.errors import BadCheckpoint, BadConfig
from onnx_export.model import Model
from onnx_export.trainable import Trainable
from onnx_export.verifiers import KINDS

#: Every kind of ``[verifier] kind``: those that read token matrices, and the two that read texts.
MODELS: dict[str, type[Trainable]] = {"cross": CrossEncoder, "dual": DualEncoder, **dict.fromkeys(KINDS, Model)}


def build(config: Config) -> Trainable:
    """A model with fresh weights.

    Raises:
        BadConfig: there is no such kind, or its shape names something that it does not have.
    """
    if config.verifier.kind not in MODELS:
        raise BadConfig(
            f"verifier: kind {config.verifier.kind!r} is not known: choose one of {', '.join(sorted(MODELS))}"
        )
    return MODELS[config.verifier.kind](config)


def save_checkpoint(
    path: Path,
    model: Trainable,
    step: int,
    optimiser: torch.optim.Optimizer | None,
    before: Sequence[dict[str, Any]] = (),
) -> None:
    """Write the trained tensors, the step and, to go on from there, the optimiser's state; atomically.

    Args:
        before: configurations of the steps before those of the model's own, each with ``until``, its last step.
    """
    state = {"config": model.config.plain(), "step": step, "trained": model.trained(), "before": list(before)}
    state["optimiser"] = optimiser.state_dict() if optimiser else None
    write_state(path, state)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint's entries, whole or not at all; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def config_of(raw: dict[str, Any]) -> Config:
    """The configuration that `Config.plain` gave.

    Raises:
        KeyError, TypeError: a section or field is missing, or there is none of that name.
    """
    return Config(
        encoder=EncoderConfig(**raw["encoder"]),
        verifier=VerifierConfig(**raw["verifier"]),
        training=TrainingConfig(**raw["training"]),
        mixture=raw["mixture"],
        generated=raw["generated"],
        own={name: OwnConfig(**item) for name, item in raw.get("own", {}).items()},
    )


def load_checkpoint(path: Path) -> tuple[Trainable, dict[str, Any]]:
    """The model of a checkpoint, ready to run, and the checkpoint's own entries.

    Raises:
        BadCheckpoint: there is no such file, or it is no checkpoint of this program.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        config = config_of(state["config"])
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        fault = "it holds no tensors" if isinstance(error, pickle.UnpicklingError) else error
        raise BadCheckpoint(f"{path}: not a checkpoint that `simgate train` wrote: {fault}") from error
    model = build(config)
    try:
        missing, unexpected = model.load_state_dict(state["trained"], strict=False)
    except RuntimeError as error:  # a tensor of another shape
        raise BadCheckpoint(f"{path}: the checkpoint's tensors do not fit its configuration: {error}") from error
    if unexpected or set(missing) & set(model.trained()):
        raise BadCheckpoint(f"{path}: the checkpoint's tensors do not fit its configuration")
    return model.eval(), state
