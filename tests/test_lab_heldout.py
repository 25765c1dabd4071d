"""Held-out rows by source and category, and the errors among them: of checkpoints trained here."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from test_train import config_of, toy
from tiny import tiny_base

from onnx_export.base import base_folder, plain_tokenizer
from onnx_export.batches import Rows
from onnx_export.calibration import save_rows
from onnx_export.checkpoint import load_checkpoint
from onnx_export.errors import BadCheckpoint
from onnx_export.lab.heldout import Judged, curve, errors, shown
from onnx_export.mixture import Mixture
from onnx_export.pair import Pair
from onnx_export.train import fit, heldout_figures, logits_of
from plugin_server.cli import main

HELD = [replace(row, category=("role", "number")[int(row.group) // 2 % 2]) for row in toy(80, 2)]


def lab(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["lab", "heldout", *map(str, arguments)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder, with the checkpoint of its twentieth step kept beside."""
    place = tmp_path_factory.mktemp("heldout")
    config = config_of(tiny_base(place / "base"), steps=60, checkpoint_every=20)
    mixture = Mixture(toy(400, 1), HELD, {"train": {"toy": 400}, "heldout": {"toy": 80}, "dropped_as_overlap": {}})

    def keep(step: int, *_: object) -> None:
        if step == 40:  # told before it is written
            shutil.copy(place / "run" / "checkpoint.pt", place / "run" / "20.pt")

    fit(config, mixture, place / "run", keep)
    return place / "run"


def test_the_curve_is_that_of_training(trained: Path) -> None:
    told = lab(trained / "20.pt", trained / "checkpoint.pt", "--split", "toy")
    assert told.exit_code == 0, told.output
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.stdout.splitlines()]
    assert head == ["profile", "rows", "number", "step 20", "step 60"]
    assert [row[1:3] for row in rows] == [["toy", "80"], ["toy, number", "40"], ["toy, role", "40"]] * 2
    written = json.loads((trained / "heldout.json").read_text(encoding="utf-8"))
    assert [float(row[4]) for row in rows[::3]] == pytest.approx(
        [written[n]["toy"] for n in ("pairs", "passages")], abs=0.01
    )
    model, _ = load_checkpoint(trained / "20.pt")
    read = Rows(HELD, plain_tokenizer(base_folder(model.config.encoder.base)), model.window)
    earlier = heldout_figures(read, logits_of(model, read))
    assert [float(row[3]) for row in rows[::3]] == pytest.approx(
        [earlier[n]["toy"] for n in ("pairs", "passages")], abs=0.01
    )


def test_errors_are_rows_of_the_file(trained: Path) -> None:
    told = lab(trained / "20.pt", "--errors", "3", "--profile", "passages")
    assert told.exit_code == 0, told.output
    near, true = told.stdout.split("\n\n")[1:]
    assert near.startswith("Near-misses accepted: ") and true.startswith("True pairs rejected: ")
    for part, label in ((near, 0), (true, 1)):
        lines = {f"- toy, {row.category}: {row.query!r} / {row.document!r}" for row in HELD if row.passages == label}
        first, *drawn = part.strip().splitlines()
        found, every, count = (int(word) for word in first.replace(",", "").split() if word.isdigit())
        assert (every, count) == (40, min(found, 3)) == (40, len(drawn))
        assert set(drawn) <= lines


def pair(document: str, pairs: int | None, source: str = "own", passages: int | None = None) -> Pair:
    return Pair("a", document, pairs, passages, "role", source, document)


def test_errors_by_hand() -> None:
    rows = [pair("b", 1), pair("c", 0), pair("d", None), pair("e", 0), pair("f", 1), pair("g", 0, "other")]
    logits = np.array([[3, 0], [4, 0], [9, 0], [1, 0], [2, 0], [9, 0]], np.float32)
    found = errors(rows, Judged(1, logits))
    assert found.accepted == ([rows[1], rows[5]], 3)
    assert found.rejected == ([], 2)
    assert shown(found, 1).startswith("Near-misses accepted: 2 of 3, 1 of them\n- ")
    assert shown(found, 5).endswith("True pairs rejected: 0 of 2, 0 of them")
    assert shown(found, 1, seed=3) == shown(found, 1, seed=3)


def test_sources_of_one_label_are_left_out() -> None:
    rows = [pair("b", 1), pair("c", 0), pair("d", 0, "other"), pair("e", None, "third", 1)]
    lines = curve(rows, [Judged(1500, np.zeros((4, 2), np.float32))], ["own", "other"]).splitlines()
    assert lines[0].endswith("| step 1,500 |")
    assert lines[2:] == ["| `pairs` | own | 2 | 0.500 |", "| `pairs` | own, role | 2 | 0.500 |"]
    with pytest.raises(BadCheckpoint, match="rows of both labels for profile passages: choose the other"):
        errors(rows, Judged(1, np.zeros((4, 2), np.float32)), "passages")


def test_what_cannot_be_read(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"garbage")
    save_rows(tmp_path / "heldout.jsonl", HELD)
    told = lab(tmp_path / "broken.pt")
    assert told.exit_code == 1 and "not a checkpoint that `simgate train` wrote" in told.stderr
    told = lab(trained / "20.pt", "--rows", tmp_path / "broken.pt")
    assert told.exit_code == 1 and "the held-out rows of the run are needed" in told.stderr
