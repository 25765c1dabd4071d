"""The configuration file: what it may say, and the error of every slip."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import tiny_config

import onnx_export
from onnx_export.checkpoint import build
from onnx_export.config import Config, EncoderConfig, TrainingConfig, VerifierConfig
from onnx_export.errors import BadConfig
from onnx_export.mixture import Mixture
from onnx_export.model_card import LICENCES
from onnx_export.train import fit

FILES = sorted(Path(onnx_export.__file__).parent.glob("*.toml"))
WHOLE = """
[encoder]
base = "models/a"
shared_layers = 2
[verifier]
kind = "patches"
shape = { width = 32, layers = 1 }
[training]
steps = 10
dropout = 0
encoder_rate = 1e-4
[mixture]
grammar = 1
edits = 0.5
[generated]
grammar = 100
"""


def read(folder: Path, text: str) -> Config:
    (folder / "run.toml").write_text(text, encoding="utf-8")
    return Config.read(folder / "run.toml")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Config()


def test_every_section(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Config(
        EncoderConfig("models/a", 2),
        VerifierConfig("patches", {"width": 32, "layers": 1}),
        TrainingConfig(steps=10, dropout=0, encoder_rate=1e-4),
        {"grammar": 1, "edits": 0.5},
        {"grammar": 100},
    )


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_shipped_configurations(path: Path) -> None:
    config = Config.read(path)
    assert all(share > 0 for share in config.mixture.values())
    assert set(config.generated) <= set(config.mixture), "what is generated is drawn from"
    assert set(config.mixture) <= set(LICENCES), "the model card knows every source"


@pytest.mark.parametrize(
    ("text", "message", "remark"),
    [
        ("[encoder", "run.toml", "no TOML"),
        ("[colour]\nred = 1", "unknown section 'colour'; known: .*'mixture'", "no such section"),
        ("steps = 5", "unknown section 'steps'", "a field outside of its section"),
        ("[training]\nstep = 5", r"unknown field 'step' in \[training\]; known: .*'steps'", "no such field"),
        ("[encoder]\nwidth = 5", r"unknown field 'width' in \[encoder\]", "a field of another section"),
        ("training = 5", "training is a int: write it as a section", "a number for a section"),
        ("mixture = [1]", "mixture is a list: write it as a section", "a list for a section"),
        ('[training]\nsteps = "5"', r"steps in \[training\]: '5' is no int", "text for a number"),
        ("[training]\nsteps = 5.5", r"steps in \[training\]: 5\.5 is no int", "a fraction"),
        ("[training]\nsteps = true", r"steps in \[training\]: True is no int", "true is no number"),
        ("[encoder]\nbase = 5", r"base in \[encoder\]: 5 is no str", "a number for text"),
        ("[verifier]\nshape = 5", r"shape in \[verifier\]: 5 is no dict", "a number for a table"),
        ('[mixture]\nsnli = "0.5"', r"snli in \[mixture\]: '0\.5' is no float", "text for a share"),
        ("[mixture]\nsnli = -1", r"snli in \[mixture\]: -1 is no float of at least 0", "a share below 0"),
        ("[generated]\nedits = 1.5", r"edits in \[generated\]: 1\.5 is no int", "part of a row"),
        ("[generated]\nedits = -1", r"edits in \[generated\]: -1 is no int of at least 0", "less than no row"),
    ],
)
def test_slips(tmp_path: Path, text: str, message: str, remark: str) -> None:
    with pytest.raises(BadConfig, match=message):
        read(tmp_path, text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nowhere\.toml"):
        Config.read(tmp_path / "nowhere.toml")


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"# \xff")
    with pytest.raises(BadConfig, match=r"run\.toml"):
        Config.read(tmp_path / "run.toml")


def test_verifier_that_does_not_exist(tiny_base_folder: Path) -> None:
    encoder = tiny_config(tiny_base_folder).encoder
    with pytest.raises(BadConfig, match="kind 'nothing' is not known: choose one of alignment, convolution, cross"):
        build(Config(encoder, VerifierConfig("nothing")))
    with pytest.raises(BadConfig, match=r"shape does not fit kind 'patches': .*'narrow'"):
        build(Config(encoder, VerifierConfig("patches", {"narrow": 5})))


def test_mixture_that_names_no_row(tiny_base_folder: Path, tmp_path: Path) -> None:
    counts: dict[str, dict[str, int]] = {"train": {}, "heldout": {}, "dropped_as_overlap": {}}
    with pytest.raises(BadConfig, match="mixture: none of its sources has a row"):
        fit(tiny_config(tiny_base_folder, steps=1), Mixture([], [], counts), tmp_path, lambda *_: None)
