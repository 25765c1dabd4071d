"""`simgate export`: bundles of every form from real checkpoints, held against torch, with failures and resumption."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from bases import saved_base
from exporting import bundles, models, run, run_on
from sentence_transformers import SentenceTransformer

from onnx_export.errors import OutputTaken
from onnx_export.exports import source
from onnx_export.exports.folder import PART, claimed
from onnx_export.exports.form import LIMITS
from onnx_export.exports.source import digest_of
from onnx_export.graphs import export_verifier
from onnx_export.restore import restored
from plugin_server import Bundle, Reranker, Settings
from plugin_server.bundle import ENCODER, FILES, MANIFEST, VERIFIER
from plugin_server.encoder import Encoder

TEXTS = ["bus", "The station is on a hill, and the last bus leaves at ten.", "The shop sells bread. " * 30]
CPU = ("r-shipped-cpu", "r-fp32-cpu", "r-int8-cpu", "t-fp32", "t-shipped")
GPU = ("g-fp32-cuda", "g-fp32-tensorrt", "g-fp16-cuda", "g-fp16-tensorrt")


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roberta")
    return run_on(saved_base(folder, "roberta"), folder / "run")


@pytest.fixture(scope="module")
def tiny_run(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_on(tiny_base_folder, tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def made(roberta: Path, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the lines of one export of two backbones in every form, and of models that fail among them."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "broken.pt").write_bytes(b"no checkpoint")
    config = models(
        folder,
        {"name": "r", "source": str(roberta), "precision": ["shipped", "fp32", "int8"], "target": ["cpu"]},
        {"name": "broken", "source": str(folder / "broken.pt"), "precision": ["shipped", "fp32"]},
        {"name": "t", "source": str(tiny_run), "precision": ["fp32", "int8", "shipped"], "opset": 20, "token_bits": 8},
        {"name": "g", "source": str(roberta), "precision": ["fp32", "fp16"], "target": ["cuda", "tensorrt"]},
    )
    result = run(config, folder / "out", "--json")
    assert result.exit_code == 1, "some failed"
    return folder / "out", bundles(result)


def test_what_fails_stops_no_other(made: tuple[Path, dict[str, Any]]) -> None:
    folder, lines = made
    assert {name: line["status"] for name, line in lines.items() if line["status"] == "failed"} == dict.fromkeys(
        ("broken-shipped", "broken-fp32", "t-int8"), "failed"
    )
    assert "not a checkpoint" in lines["broken-shipped"]["reason"] == lines["broken-fp32"]["reason"]
    assert "no product of the token branch is large enough" in lines["t-int8"]["reason"]
    assert {path.name for path in folder.iterdir()} == {*CPU, *GPU}, "nothing half-written is left"


def test_every_bundle_is_whole_and_says_what_it_is(made: tuple[Path, dict[str, Any]]) -> None:
    folder, lines = made
    for name in (*CPU, *GPU):
        bundle, line = Bundle.open(folder / name), lines[name]
        manifest = bundle.manifest
        assert {path.name for path in bundle.folder.iterdir()} == {*FILES, MANIFEST}
        assert (manifest.name, manifest.fingerprint, bundle.size) == (name, line["fingerprint"], line["bytes"])
        assert [manifest.form[key] for key in ("precision", "target", "opset")] == [
            line[key] for key in ("precision", "target", "opset")
        ]
        assert manifest.token_bits == line["bits"] == (8 if name.startswith("t") else 4)
        for file in (ENCODER, VERIFIER):
            imports = {item.domain: item.version for item in onnx.load(str(folder / name / file)).opset_import}
            assert imports[""] == line["opset"]
        card = (folder / name / "MODEL_CARD.md").read_text(encoding="utf-8")
        assert f"precision {line['precision']} for target {line['target']}, opset {line['opset']}" in card
        assert str(folder.parent) not in (folder / name / MANIFEST).read_text().replace(
            manifest.base["name"], ""
        ).replace(manifest.training["config"]["encoder"]["base"], ""), "no path of this machine but the base model's"


def test_figures_are_within_their_limits_and_finer_forms_are_nearer(made: tuple[Path, dict[str, Any]]) -> None:
    _, lines = made
    for name in (*CPU, *GPU):
        parity, limits = lines[name]["parity"], LIMITS[lines[name]["precision"]]
        assert all(0 <= parity[key] <= getattr(limits, key) for key in limits.__slots__), (name, parity)
    rows = {name: lines[name]["parity"]["rows"] for name in lines if lines[name]["parity"]}
    assert rows["r-fp32-cpu"] < rows["g-fp16-cuda"] < rows["r-int8-cpu"]
    assert rows["r-fp32-cpu"] < rows["r-shipped-cpu"] < rows["r-int8-cpu"]


def test_what_cannot_run_here_says_so(made: tuple[Path, dict[str, Any]]) -> None:
    folder, lines = made
    for name in GPU:
        target = lines[name]["target"]
        assert lines[name]["reason"] == f"checked on cpu, not run: needs {target}"
        assert lines[name]["pace"] == {}
        assert Bundle.open(folder / name).manifest.form["checked_on"] == "cpu"
    for name in CPU:
        assert lines[name]["reason"] == ""
        assert lines[name]["pace"]["query"] > 0 < lines[name]["pace"]["hundred"]


def test_blobs_share_a_fingerprint_only_where_the_encoder_is_the_same(made: tuple[Path, dict[str, Any]]) -> None:
    folder, lines = made
    marks = {name: line["fingerprint"] for name, line in lines.items() if line["fingerprint"]}
    assert marks["g-fp32-cuda"] == marks["g-fp32-tensorrt"] == marks["r-fp32-cpu"]
    assert marks["g-fp16-cuda"] == marks["g-fp16-tensorrt"]
    assert len(set(marks.values())) == 6, "shipped, fp32, int8, fp16; two of the other backbone"
    encoders = {(folder / name / ENCODER).read_bytes() for name in marks}
    assert len(encoders) == 6


@pytest.mark.parametrize("name", CPU[:3])
def test_it_serves_and_recall_is_the_base_models(name: str, made: tuple[Path, dict[str, Any]], roberta: Path) -> None:
    bundle = Bundle.open(made[0] / name)
    base = SentenceTransformer(str(roberta.parent.parent / "saved"), device="cpu")
    found = np.stack([item.vectors[0] for item in Encoder(bundle, Settings(threads=1)).documents(TEXTS)])
    assert (found * base.encode(TEXTS)).sum(1).min() >= 0.9999
    verdicts = Reranker(bundle, Settings(threads=1)).rerank("a bus", TEXTS, policy="annotate").hits
    assert len(verdicts) == 3


def test_precisions_are_what_they_say(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    kinds = onnx.TensorProto
    stored = {
        name: {tensor.data_type for tensor in onnx.load(str(folder / name / ENCODER)).graph.initializer}
        for name in (*CPU[:3], "g-fp16-cuda")
    }
    assert kinds.FLOAT16 not in stored["r-fp32-cpu"] and kinds.INT8 not in stored["r-fp32-cpu"]
    assert kinds.FLOAT16 in stored["g-fp16-cuda"] and kinds.INT8 not in stored["g-fp16-cuda"]
    assert {kinds.FLOAT16, kinds.INT8} <= stored["r-shipped-cpu"]
    nodes = onnx.load(str(folder / "r-int8-cpu" / ENCODER)).graph.node
    rounded = {output for node in nodes if node.op_type == "DequantizeLinear" for output in node.output}
    branch = [node for node in nodes if node.op_type == "MatMul" and rounded.intersection(node.input)]
    assert branch and all(node.name.startswith("/branch") for node in branch)


def test_thresholds_are_the_same_in_every_precision(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    profiles = [Bundle.open(folder / name).manifest.profiles for name in CPU[:3]]
    assert profiles[0] == profiles[1] == profiles[2]
    assert profiles[0]["pairs"].scale != 1, "fitted on the held-out rows"


@pytest.mark.parametrize("name", ["r-fp32-cpu", "g-fp16-cuda"])
def test_a_bundle_that_was_exported_is_a_source_too(
    name: str, made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    source = Bundle.open(made[0] / name)
    restored(source)
    result = run(models(tmp_path, {"name": "again", "source": str(source.folder), "precision": "fp32"}), tmp_path / "o")
    assert result.exit_code == 0, result.output
    manifest = Bundle.open(tmp_path / "o" / "again").manifest
    assert manifest.profiles == source.manifest.profiles
    assert f"bundle {name}, fingerprint {source.manifest.fingerprint}" in manifest.form["source"]


def test_a_bundle_in_its_own_form_again_keeps_its_fingerprint(
    made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Weights that were rounded once are rounded to themselves: blobs stay readable."""
    result = run(
        models(tmp_path, {"name": "again", "source": str(made[0] / "r-shipped-cpu")}), tmp_path / "o", "--json"
    )
    assert bundles(result)["again"]["fingerprint"] == made[1]["r-shipped-cpu"]["fingerprint"]


def test_int8_products_cannot_be_read_back(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """What its graphs compute is not what their weights say."""
    result = run(models(tmp_path, {"name": "again", "source": str(made[0] / "r-int8-cpu")}), tmp_path / "o", "--json")
    assert result.exit_code == 1
    assert "other numbers than its graphs" in bundles(result)["again"]["reason"]


def test_what_is_there_is_left_and_what_is_not_whole_is_made_again(tiny_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    config = models(tmp_path, {"name": "t", "source": str(tiny_run), "precision": ["fp32", "shipped"]})
    first = bundles(run(config, output, "--json"))
    assert {line["status"] for line in first.values()} == {"done"}
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.onnx")}
    second = run(config, output, "--json")
    assert second.exit_code == 0
    for name, line in bundles(second).items():
        assert line["status"] == "kept"
        assert {key: line[key] for key in ("parity", "pace", "bytes", "fingerprint")} == {
            key: first[name][key] for key in ("parity", "pace", "bytes", "fingerprint")
        }
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.onnx")} == before
    (output / "t-fp32" / VERIFIER).write_bytes(b"truncated")
    third = bundles(run(config, output, "--json"))
    assert {name: line["status"] for name, line in third.items()} == {"t-fp32": "done", "t-shipped": "kept"}
    assert third["t-fp32"]["fingerprint"] == first["t-fp32"]["fingerprint"], "the same source gives the same bytes"
    assert Bundle.open(output / "t-fp32").manifest.name == "t-fp32"


def test_another_configuration_or_source_is_made_again(tiny_run: Path, tmp_path: Path) -> None:
    output, own = tmp_path / "out", tmp_path / "run"
    shutil.copytree(tiny_run.parent, own)
    entry: dict[str, Any] = {"name": "t", "source": str(own / tiny_run.name), "precision": "fp32"}
    assert bundles(run(models(tmp_path, entry), output, "--json"))["t"]["status"] == "done"
    assert bundles(run(models(tmp_path, entry | {"opset": 18}), output, "--json"))["t"]["status"] == "done"
    rows = (own / "heldout.jsonl").read_text().splitlines(keepends=True)
    (own / "heldout.jsonl").write_text("".join(rows[:-2]))
    again = run(models(tmp_path, entry | {"opset": 18}), output, "--json")
    assert bundles(again)["t"]["status"] == "done"
    assert [path.name for path in output.iterdir()] == ["t"]


def test_all_that_a_bundle_hands_on_counts(tiny: Bundle, tmp_path: Path) -> None:
    own = shutil.copytree(tiny.folder, tmp_path / "own")
    before, table = digest_of(own), json.loads((own / MANIFEST).read_text())
    for change in ({"name": "another"}, {"match_threshold": 0.123}):
        (own / MANIFEST).write_text(json.dumps(table | change))
        assert (digest_of(own) != before) is ("name" not in change)


def test_a_fault_of_one_bundle_is_not_the_next_one_s(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graphs in float32 are of both; the disk is full while they are written for the first."""
    full = [OSError(28, "No space left on device")]

    def verifier(*given: Any) -> None:
        if full:
            raise full.pop()
        export_verifier(*given)

    monkeypatch.setattr(source, "export_verifier", verifier)
    config = models(tmp_path, {"name": "t", "source": str(tiny_run), "precision": ["fp32", "shipped"]})
    lines = bundles(run(config, tmp_path / "out", "--json"))
    assert [lines[name]["status"] for name in ("t-fp32", "t-shipped")] == ["failed", "done"]
    assert "No space left" in lines["t-fp32"]["reason"]


@pytest.mark.filterwarnings("ignore:overflow encountered in exp:RuntimeWarning")
def test_a_model_too_far_from_torch_fails_and_nothing_is_left(tiny_run: Path, tmp_path: Path) -> None:
    """A verifier with weights ten thousand times too large turns a last bit into a whole logit."""
    own = tmp_path / "run"
    shutil.copytree(tiny_run.parent, own)
    state = torch.load(tiny_run, weights_only=True)
    state["trained"]["verifier.linear.weight"] *= 1e4
    torch.save(state, own / tiny_run.name)
    config = models(
        tmp_path,
        {"name": "wild", "source": str(own / tiny_run.name)},
        {"name": "tame", "source": str(tiny_run)},
    )
    result = run(config, tmp_path / "out", "--json")
    assert result.exit_code == 1
    lines = bundles(result)
    assert lines["wild"]["reason"].startswith("too far from torch: ") and "logits" in lines["wild"]["reason"]
    assert lines["wild"]["parity"]["logits"] > LIMITS["shipped"].logits, "the figures are told"
    assert lines["tame"]["status"] == "done"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tame"]


def test_what_no_export_wrote_is_never_overwritten(tiny: Bundle, tiny_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(tiny.folder, output / "mine")
    (output / "other").mkdir()
    (output / "other" / "notes.txt").write_text("mine")
    for name in ("mine", "other"):
        result = run(models(tmp_path, {"name": name, "source": str(tiny_run)}), output)
        assert result.exit_code == 1 and "holds what no export wrote" in str(result.exception)
    assert Bundle.open(output / "mine").manifest == tiny.manifest
    assert (output / "other" / "notes.txt").read_text() == "mine"


def test_one_export_at_a_time(tiny_run: Path, tmp_path: Path) -> None:
    with claimed(tmp_path / "out"):
        result = run(models(tmp_path, {"name": "t", "source": str(tiny_run)}), tmp_path / "out")
        assert "another export writes there" in str(result.exception)
    with pytest.raises(OutputTaken), claimed(tmp_path / "out"), claimed(tmp_path / "out"):
        pass


def test_a_run_that_is_killed_goes_on(tiny_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    config = models(tmp_path, {"name": "t", "source": str(tiny_run), "opset": [17, 18, 20]})
    code = "import sys; from onnx_export.cli_export import export; export(sys.argv[1:])"
    command = [sys.executable, "-c", code, str(config), "--output", str(output)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: (output / "t-opset17").exists() and any(output.glob(f"{PART}*/*")), process)
        os.kill(process.pid, signal.SIGKILL)
    assert len(list(output.glob(f"{PART}*"))) == 1, "it was in the middle of a bundle"
    assert not (output / "t-opset20").exists()
    before = (output / "t-opset17" / ENCODER).stat().st_mtime_ns
    result = run(config, output, "--json")
    assert result.exit_code == 0
    assert bundles(result)["t-opset17"]["status"] == "kept"
    assert bundles(result)["t-opset20"]["status"] == "done"
    assert (output / "t-opset17" / ENCODER).stat().st_mtime_ns == before
    assert sorted(path.name for path in output.iterdir()) == [f"t-opset{opset}" for opset in (17, 18, 20)]


def test_the_table_has_a_line_for_each(tiny_run: Path, tmp_path: Path) -> None:
    config = models(tmp_path, {"name": "t", "source": str(tiny_run), "precision": ["fp32", "int8"]})
    result = run(config, tmp_path / "out", "--only", "t-fp32")
    assert result.exit_code == 0
    words = result.stdout.split()
    assert {"t-fp32", "fp32", "cpu", "17", "done"} <= {*words} and "t-int8" not in words


def wait_for(condition: Any, process: subprocess.Popen[bytes]) -> None:
    """Nothing, once the condition holds; fails if the process ends before, or after two minutes."""
    for _ in range(12000):
        if condition():
            return
        assert process.poll() is None, "it ended before"
        time.sleep(0.01)
    raise AssertionError("two minutes have passed")
