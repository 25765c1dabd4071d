"""Train token branch and verifier end to end: rows, model, optimiser, loop, checkpoint, on one page."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from onnx_export.base import base_folder, plain_tokenizer
from onnx_export.batches import Rows
from onnx_export.calibration import save_rows, source_aurocs
from onnx_export.checkpoint import build, load_checkpoint, save_checkpoint, write_state
from onnx_export.config import Config
from onnx_export.dual_encoder import DualEncoder
from onnx_export.errors import BadCheckpoint, BadConfig
from onnx_export.lower_cache import LowerCache
from onnx_export.mixture import Mixture
from onnx_export.model import Model
from onnx_export.restore import carried_on
from onnx_export.trainable import Trainable
from plugin_server.bundle import PROFILES

log = logging.getLogger("simgate.train")

CHECKPOINT = "checkpoint.pt"
Progress = Callable[[int, int, str], None]


def train(config: Config, data: Path | None, output: Path, progress: Progress, earlier: Path | None = None) -> Path:
    """The checkpoint of a finished run; a run that was stopped goes on from its last checkpoint.

    Args:
        config: every knob.
        data: folder of the data sets, None if the mixture needs none.
        output, progress: as `fit`.
        earlier: checkpoint of another run, or folder of a bundle, to go on from, unless ``output`` holds a checkpoint.

    Raises:
        BadCheckpoint: as `fit`, and `carried_on`.
        BaseModelMissing: there is no such base model.
        BadConfig: a profile has no held-out rows of both labels; as `Mixture.build`.
        DataMalformed, DataMissing: as `Mixture.build`.
    """
    base_folder(config.encoder.base)  # an error before the rows, which take minutes
    path = output / CHECKPOINT
    state = carried_on(earlier, config) if earlier and not path.exists() else None
    mixture = Mixture.build(config, data)
    for column, profile in enumerate(PROFILES):
        if not {0, 1} <= {row.label(column) for row in mixture.heldout}:
            raise BadConfig(
                f"mixture: no held-out rows of both labels for profile {profile}, to fit its threshold on: add a "
                "source that has some, such as written"
            )
    if state:
        write_state(path, state)
    return fit(config, mixture, output, progress)


def fit(config: Config, mixture: Mixture, output: Path, progress: Progress, lower: Path | None = None) -> Path:
    """The checkpoint of a run over rows that are at hand; a run that was stopped goes on from its last checkpoint.

    Args:
        config: every knob.
        mixture: the rows.
        output: folder for ``checkpoint.pt``, ``data.json`` (rows by source), ``heldout.jsonl`` (rows not trained on,
            for calibration) and ``heldout.json`` (AUROC on them).
        progress: told the step, the number of steps, and a line with the loss and the speed.
        lower: folder to keep the frozen layers' outputs in; runs over the same rows share them. They take 768 bytes a
            token of the packaged base. Without it they are computed anew in every step.

    Raises:
        BadCheckpoint: ``output`` holds a checkpoint of another configuration.
        BadConfig, BaseModelMissing, BaseModelUnsupported: as `onnx_export.model.Model`.
    """
    torch.manual_seed(config.training.seed)
    torch.set_num_threads(config.training.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    output.mkdir(parents=True, exist_ok=True)
    path = output / CHECKPOINT

    tokenizer = plain_tokenizer(base_folder(config.encoder.base))
    (output / "data.json").write_text(json.dumps(mixture.counts, indent=1), encoding="utf-8")
    save_rows(output / "heldout.jsonl", mixture.heldout)

    model, optimiser, done, before = _resumed(config, path, device)
    rows, heldout = Rows(mixture.train, tokenizer, model.window), Rows(mixture.heldout, tokenizer, model.window)
    cache = _cache(model, rows, lower, config)
    torch.manual_seed(config.training.seed + done)
    dual = isinstance(model, DualEncoder)  # it contrasts the documents of a query
    batches = rows.drawn(
        config.mixture,
        config.training.batch_tokens,
        config.training.seed,
        partners=dual or config.training.ranking > 0,
        exchange=not dual,
    )
    for _ in range(done):
        next(batches)
    model.lighten().train()

    losses, started, seen = [], time.monotonic(), 0
    for step, batch in zip(range(done, config.training.steps), batches, strict=False):
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * _schedule(step, config)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss, main = model.losses(batch.to(device))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], 1.0)
        optimiser.step()
        losses.append(main.item())
        seen += len(batch.labels)
        if (step + 1) % 20 == 0:
            speed = seen / (time.monotonic() - started)
            progress(step + 1, config.training.steps, f"loss {np.mean(losses):.4f}, {speed:.0f} pairs a second")
            losses = []
        if (step + 1) % config.training.checkpoint_every == 0:
            save_checkpoint(path, model, step + 1, optimiser, before)
            if cache:
                cache.save()

    if cache:
        cache.save()
    if isinstance(model, Model):
        model.cache = None  # its numbers are those of the training rows
    save_checkpoint(path, model, config.training.steps, None, before)
    figures = heldout_figures(heldout, logits_of(model, heldout))
    (output / "heldout.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return path


def logits_of(model: Trainable, rows: Rows, tokens: int = 12000) -> NDArray[np.float32]:
    """Logits (n, 2) of every row, in the rows' order, without dropout."""
    result = np.zeros((len(rows.labels), 2), np.float32)
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        for chosen, batch in rows.in_order(tokens):
            result[chosen] = model.logits(batch.to(device)).float().cpu().numpy()
    return result


def heldout_figures(rows: Rows, logits: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """AUROC by profile and source over held-out rows, where both labels occur."""
    known = ~np.isnan(rows.labels)
    return {
        profile: source_aurocs(rows.labels[seen, column].astype(np.int64), logits[seen, column], rows.sources[seen])
        for column, (profile, seen) in enumerate(zip(PROFILES, known.T, strict=True))
    }


def _schedule(step: int, config: Config) -> float:
    """The learning rate's share of its peak."""
    warm, steps = config.training.warmup, config.training.steps
    return min((step + 1) / max(1, warm), (steps - step) / max(1, steps - warm))


def _resumed(
    config: Config, path: Path, device: torch.device
) -> tuple[Trainable, torch.optim.Optimizer, int, list[dict[str, Any]]]:
    """Model, optimiser, finished steps and what they were taken with before: new ones, or those of the checkpoint."""
    state: dict[str, Any] = {}
    if path.exists():
        model, state = load_checkpoint(path)
        if model.config != config:
            raise BadCheckpoint(f"{path} is of another configuration: give another output folder or delete it")
    else:
        model = build(config)
    model.to(device)
    optimiser = torch.optim.AdamW(list(_groups(model)), betas=(0.9, 0.98), fused=True)
    if state.get("optimiser"):
        optimiser.load_state_dict(state["optimiser"])
    return model, optimiser, state.get("step", 0), state.get("before", [])


def _groups(model: Trainable) -> Iterator[dict[str, object]]:
    """Parameter groups: rates by part, weight decay on matrices only."""
    for parameters, rate in model.groups():
        listed = list(parameters)
        for matrix in (True, False):
            chosen = [p for p in listed if (p.ndim > 1) == matrix]
            decay = model.config.training.weight_decay if matrix else 0.0
            if chosen:
                yield {"params": chosen, "lr": rate, "peak": rate, "weight_decay": decay}


def _cache(model: Trainable, rows: Rows, folder: Path | None, config: Config) -> LowerCache | None:
    """The model's cache of its frozen layers' outputs, if there is a folder for it and the model has such layers."""
    if folder is None or not isinstance(model, Model):
        return None
    layers, width = len(model.encoder.shared), model.encoder.recall_width
    name = hashlib.sha256(f"{config.encoder.base} {layers} {rows.digest}".encode()).hexdigest()[:16]
    lengths = np.array([len(row) for row in rows.ids], np.int64)
    model.cache = LowerCache(folder / f"{name}.bf16", lengths, width)
    return model.cache
