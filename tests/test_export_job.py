"""What `simgate export` is asked for: lists multiplied out, and what is refused before anything runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from onnx_export.cli_export import export
from onnx_export.errors import BadConfig
from onnx_export.exports.form import LIMITS, OPSETS, PRECISIONS, REFUSED, TARGETS, Form
from onnx_export.exports.job import chosen, read_jobs
from plugin_server.bundle import DEFAULT
from plugin_server.errors import SimgateError

MODEL = '[[model]]\nname = "a"\nsource = "default"\n'

BROKEN = [
    # text, part of the error, remark
    ("", "no model: write a section [[model]]", "an empty file"),
    ("[[model]", "Expected", "no TOML"),
    ("\xff", "model", "not UTF-8"),
    ("[model]\nname = 'a'", "no model", "a table where a list of tables belongs"),
    ("model = [1]", "no model", "numbers in place of tables"),
    ("[[models]]\nname = 'a'", "unknown 'models', did you mean model?", "another section"),
    ("[[model]]\nsource = 'default'", "[[model]] 1: name is missing", "no name"),
    ("[[model]]\nname = 'a'", "source is missing", "no source"),
    (MODEL + "[[model]]\nname = 7\nsource = 'default'", "[[model]] 2: name is 7: give a text", "a number as name"),
    (MODEL.replace('"a"', '"a/b"'), "no name of a folder", "a path as name"),
    (MODEL.replace('"a"', '".."'), "no name of a folder", "the folder above as name"),
    (MODEL + "precison = 'fp32'", "unknown 'precison', did you mean precision?", "a typo in a key"),
    (MODEL + "precision = 'fp23'", "precision: unknown 'fp23', did you mean fp32?", "a typo in a value"),
    (MODEL + "precision = ['fp32', 'bf16']", "precision: unknown 'bf16'", "one of a list"),
    (MODEL + "precision = []", "the list is empty", "an empty list"),
    (MODEL + "precision = ['fp32', 'fp32']", "stands twice", "a value twice"),
    (MODEL + "target = 'rocm'", "target: unknown 'rocm'", "no such target"),
    (MODEL + "opset = 9", "9 is not a whole number from 14 to 20", "an opset too old"),
    (MODEL + "opset = 21", "21 is not a whole number", "an opset that is not written"),
    (MODEL + "opset = 17.0", "17.0 is not a whole number", "a fraction"),
    (MODEL + "opset = true", "True is not a whole number", "a truth value"),
    (MODEL + "token_bits = 5", "5 is not 4 or 8", "bits that no blob has"),
    (MODEL + "precision = {a = 1}", "precision", "a table as value"),
    (MODEL.replace("default", "no/such/file.pt"), "source: no/such/file.pt is not there", "a missing source"),
    (MODEL.replace("default", "tests"), "holds no bundle.json", "a folder without a bundle"),
    (MODEL + MODEL, "'a' stands for two bundles", "a name twice"),
    (MODEL + MODEL.replace('"a"', '"A"'), "'a' stands for two bundles", "names that differ in case alone"),
    (MODEL + "precision = ['fp32']\n" + MODEL.replace('"a"', '"a-fp32"'), "two bundles", "a name that a list makes"),
]  # fmt: skip


def jobs_of(folder: Path, text: str) -> list[str]:
    path = folder / "models.toml"
    path.write_text(text, encoding="utf-8")
    return [job.name for job in read_jobs(path)]


@pytest.mark.parametrize(("text", "told", "remark"), BROKEN, ids=[remark for *_, remark in BROKEN])
def test_a_broken_configuration_is_refused(tmp_path: Path, text: str, told: str, remark: str) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(text.encode("latin-1"))
    result = CliRunner().invoke(export, [str(path), "--output", str(tmp_path / "out")])
    assert isinstance(result.exception, SimgateError), remark
    assert told in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("precision", "target"), REFUSED)
def test_what_makes_no_sense_together_is_refused_with_the_fix(tmp_path: Path, precision: str, target: str) -> None:
    with pytest.raises(BadConfig, match=f"precision {precision} for target {target}: .*give precision"):
        jobs_of(tmp_path, MODEL + f"precision = ['fp32', '{precision}']\ntarget = '{target}'")


def test_every_precision_can_be_had_and_every_target() -> None:
    allowed = {(p, t) for p in PRECISIONS for t in TARGETS if not Form(p, t).fault()}
    assert {precision for precision, _ in allowed} == set(PRECISIONS) == set(LIMITS)
    assert {target for _, target in allowed} == set(TARGETS)


def test_lists_are_multiplied_out(tmp_path: Path) -> None:
    assert jobs_of(tmp_path, MODEL) == ["a"]
    assert jobs_of(tmp_path, MODEL + "precision = 'fp32'\nopset = 20\ntoken_bits = 8") == ["a"]
    assert jobs_of(tmp_path, MODEL + "precision = ['fp32']") == ["a-fp32"], "a list of one may grow"
    text = MODEL + "precision = ['fp32', 'fp16']\ntarget = ['cuda']\nopset = [17, 20]\ntoken_bits = [4]"
    assert jobs_of(tmp_path, text + MODEL.replace('"a"', '"b"').join(["\n", ""])) == [
        "a-fp32-cuda-opset17-4bits",
        "a-fp32-cuda-opset20-4bits",
        "a-fp16-cuda-opset17-4bits",
        "a-fp16-cuda-opset20-4bits",
        "b",
    ]


def test_a_job_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(MODEL + "precision = 'fp16'\ntarget = 'tensorrt'\nopset = 18\ntoken_bits = 8", encoding="utf-8")
    (job,) = read_jobs(path)
    assert (job.name, job.model, job.source) == ("a", "a", DEFAULT)
    assert job.form == Form("fp16", "tensorrt", 18, 8)
    path.write_text(MODEL, encoding="utf-8")
    assert read_jobs(path)[0].form == Form("shipped", "cpu", 17, 0)
    assert OPSETS[0] <= 17 <= OPSETS[1]


def test_some_of_them(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(MODEL + "opset = [17, 18]\n" + MODEL.replace('"a"', '"b"'), encoding="utf-8")
    jobs = read_jobs(path)
    assert [job.name for job in chosen(jobs, ["b", "a-opset18"])] == ["a-opset18", "b"]
    assert [job.name for job in chosen(jobs, ["a"])] == ["a-opset17", "a-opset18"]
    assert chosen(jobs, []) == jobs
    with pytest.raises(BadConfig, match="--only: unknown 'a-opset71', did you mean a-opset1"):
        chosen(jobs, ["a-opset71"])


def test_a_missing_file_and_a_missing_option(tmp_path: Path) -> None:
    assert CliRunner().invoke(export, ["no.toml", "--output", "x"]).exit_code == 2
    (tmp_path / "models.toml").write_text(MODEL)
    result = CliRunner().invoke(export, [str(tmp_path / "models.toml")])
    assert result.exit_code == 2 and "--output" in result.stderr


def test_what_lists_the_command_imports_no_torch() -> None:
    code = "import sys, onnx_export.cli_export; print({'torch', 'onnx', 'transformers'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
