"""Checkpoints of real runs of a few steps on small base models, and exports of them by the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from click.testing import CliRunner, Result
from test_train import toy
from tiny import tiny_config

from onnx_export.cli_export import export
from onnx_export.mixture import Mixture
from onnx_export.train import fit

COUNTS = {"train": {"toy": 200}, "heldout": {"toy": 60}, "dropped_as_overlap": {}}


def run_on(base: Path, folder: Path) -> Path:
    """The checkpoint of a run on a base model."""
    config = tiny_config(base, steps=100, warmup=5, batch_tokens=400, threads=1)
    training = replace(config.training, encoder_rate=1e-3, verifier_rate=3e-3)
    before = torch.get_num_threads()
    config = replace(config, training=training, mixture={"toy": 1.0})
    path = fit(config, Mixture(toy(200, 1), toy(60, 2), COUNTS), folder, lambda *_: None)
    torch.set_num_threads(before)
    return path


def models(folder: Path, *entries: dict[str, Any]) -> Path:
    """A TOML file with a ``[[model]]`` for each entry."""
    path = folder / "models.toml"
    lines = [line for item in entries for line in ("[[model]]", *(f"{k} = {json.dumps(v)}" for k, v in item.items()))]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(config: Path, output: Path, *options: str) -> Result:
    """What the command does."""
    return CliRunner().invoke(export, [str(config), "--output", str(output), *options])


def bundles(result: Result) -> dict[str, dict[str, Any]]:
    """The lines of a command that was asked for JSON, by name."""
    return {item["name"]: item for item in json.loads(result.stdout)["bundles"]}
