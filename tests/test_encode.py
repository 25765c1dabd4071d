"""``simgate encode``: what it writes, what it refuses, and going on after a kill."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from indices import corpus_file

from plugin_server import Bundle, Reranker
from plugin_server.blob import TokenBlob
from plugin_server.cli import main
from plugin_server.corpus import Document

DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.", f"Bus {n}", {"price": n}) for n in range(200)]
LONG = Document("long", "The shop sells bread. " * 120 + "The last window tells of a glacier in Norway.")


def simgate(*given: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(item) for item in given])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def encode(corpus: Path, output: Path, bundle: Bundle, *more: str | Path) -> Result:
    return simgate("encode", corpus, "-o", output, "--bundle", bundle.folder, "--part-rows", "50", *more)


def rows(output: Path) -> dict[str, dict[str, Any]]:
    """Every row by its id, each of which is there once."""
    listed = [row for file in sorted(output.glob("part-*.parquet")) for row in pq.read_table(file).to_pylist()]
    found = {row["id"]: row for row in listed}
    assert len(found) == len(listed)
    return found


def content(output: Path) -> dict[str, bytes]:
    """The files and their bytes."""
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def test_a_row_is_a_document_with_what_the_encoder_made_of_it(
    tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    documents = [*DOCUMENTS, LONG]
    corpus = corpus_file(tmp_path / "corpus.jsonl", documents)
    result = encode(corpus, tmp_path / "out", tiny, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["read"], told["encoded"], told["written"], told["rejected"]) == (201, 201, 201, 0)
    assert (told["parts"], told["earlier"], told["failed"]) == (5, 0, {})
    found, mark = rows(tmp_path / "out"), tiny.manifest.fingerprint
    assert list(found) == [document.id for document in documents], "in their order"
    expected = tiny_reranker.encode([document.text for document in documents])
    for document, encoded in zip(documents, expected, strict=True):
        row = found[document.id]
        assert (row["text"], row["title"], row["simgate_bundle"]) == (document.text, document.title, mark)
        assert (json.loads(row["extra"]) if row["extra"] else {}) == document.extra
        blob = TokenBlob.parse(row["simgate_blob"]).expect(tiny.manifest)
        assert all(np.array_equal(*pair) for pair in zip(blob.windows, encoded.windows, strict=True))
        vectors = np.array([window["vector"] for window in row["simgate_windows"]], np.float32)
        assert np.allclose(vectors, encoded.vectors, atol=1e-6)
    assert len(found["long"]["simgate_windows"]) > 1


def test_what_is_refused_is_told_by_its_line_and_counted(tmp_path: Path, tiny: Bundle) -> None:
    odd: list[dict[str, Any]] = [{"id": "a"}, {"id": "b", "text": " "}, {"id": "d1", "text": "x" * 200_001}]
    corpus = corpus_file(tmp_path / "corpus.jsonl", [*DOCUMENTS[:60], *odd, *DOCUMENTS[60:]])
    result = encode(corpus, tmp_path / "out", tiny)
    assert result.exit_code == 1
    for line, reason in ((61, "text: is missing"), (62, "text: holds no words"), (63, "the limit is 200000")):
        assert f"{corpus}:{line}: " in result.stderr.replace("\n", " ")
        assert reason in result.stderr
    assert set(rows(tmp_path / "out")) == {document.id for document in DOCUMENTS}
    account = json.loads((tmp_path / "out" / "_account.json").read_text())
    assert (account["read"], account["written"], account["rejected"]) == (203, 200, 3)
    assert account["reasons"]["text: is missing"] == 1
    lines = [json.loads(line) for line in (tmp_path / "out" / "_rejected.jsonl").read_text().splitlines()]
    assert [line["where"] for line in lines] == [f"{corpus}:{line}" for line in (61, 62, 63)]


def test_of_many_refused_lines_the_first_are_told_and_all_are_counted(tmp_path: Path, tiny: Bundle) -> None:
    bad = [{"id": f"b{n}"} for n in range(130)] + [{"id": f"c{n}", "text": " "} for n in range(20)]
    result = encode(corpus_file(tmp_path / "c.jsonl", bad), tmp_path / "out", tiny)
    assert result.stderr.count("c.jsonl:") == 100
    said = " ".join(result.stderr.split())
    assert "… and 50 more; of all that were rejected: 130 text: is missing 20 text: holds no words" in said
    assert len((tmp_path / "out" / "_rejected.jsonl").read_text().splitlines()) == 150


def test_only_refused_lines(tmp_path: Path, tiny: Bundle) -> None:
    result = encode(corpus_file(tmp_path / "c.jsonl", [{"id": "a"}]), tmp_path / "out", tiny, "--json")
    assert (result.exit_code, json.loads(result.stdout)["rejected"]) == (1, 1)
    assert rows(tmp_path / "out") == {}


def test_a_second_run_does_nothing_again(tmp_path: Path, tiny: Bundle) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", [*DOCUMENTS, {"id": "bad"}])
    first = json.loads(encode(corpus, tmp_path / "out", tiny, "--json").stdout)
    before = content(tmp_path / "out")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    second = json.loads(encode(corpus, tmp_path / "out", tiny, "--json").stdout)
    assert second == first | {"earlier": 5}, "the account is of all runs together"
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    after = content(tmp_path / "out")
    assert {name: after[name] for name in after if name != "_account.json"} == {
        name: before[name] for name in before if name != "_account.json"
    }


def longer(corpus: Path, tiny: Bundle, eight: Bundle) -> list[str | Path]:
    with corpus.open("a") as file:
        file.write('{"id": "new", "text": "a boat"}\n')
    return [corpus]


OTHERS: list[tuple[Callable[[Path, Bundle, Bundle], list[str | Path]], str]] = [
    (longer, "a line more"),
    (lambda corpus, tiny, eight: [corpus, "--bundle", eight.folder], "another bundle"),
    (lambda corpus, tiny, eight: [corpus, "--part-rows", "60"], "other parts"),
    (lambda corpus, tiny, eight: [corpus, corpus_file(corpus.with_name("more.jsonl"), DOCUMENTS)], "more inputs"),
]


@pytest.mark.parametrize(("change", "remark"), OTHERS, ids=[case[1] for case in OTHERS])
def test_the_output_of_another_job_is_left_alone(
    change: Callable[[Path, Bundle, Bundle], list[str | Path]],
    remark: str,
    tmp_path: Path,
    tiny: Bundle,
    tiny_patches: Bundle,
) -> None:
    corpus, output = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS), tmp_path / "out"
    assert encode(corpus, output, tiny).exit_code == 0
    before = content(output)
    eight = tmp_path / "eight"
    from indices import other_bits

    given = change(corpus, tiny, other_bits(tiny, eight))
    result = simgate("encode", "-o", output, "--bundle", tiny.folder, "--part-rows", "50", *given)
    assert result.exit_code == 1
    assert "holds what another job made" in result.stderr
    assert content(output) == before


MISUSES: list[tuple[list[str], int, str, str]] = [
    ([], 2, "give either INPUT or", "no input"),
    (["{corpus}", "--index", "a", "--engine", "opensearch"], 2, "give either INPUT or", "two inputs"),
    (["--index", "a", "--engine", "embedded"], 2, "--index needs --engine", "no engine"),
    (["{corpus}", "--workers", "2"], 2, "need --runner ray", "workers without Ray"),
    (["missing.jsonl"], 1, "there is no such file or folder", "no file"),
    (["{corpus}", "--bundle", "missing"], 1, "missing/bundle.json", "no bundle"),
    (["{corpus}", "-o", "{folder}"], 1, "give an empty folder", "a folder with other things"),
    (["{corpus}", "-o", "{folder}/file"], 1, "file cannot be used", "a file for a folder"),
    (["{corpus}", "-o", "{folder}/file/out"], 1, "out cannot be used", "a folder that cannot be made"),
    (["{folder}", "-o", "{folder}/out"], 1, "out lies in the input", "an output in its input"),
    (["{folder}", "-o", "{folder}/link/out"], 1, "out lies in the input", "an output in its input by a link"),
    (["{corpus}", "--part-rows", "0"], 2, "0 is not in the range", "no rows"),
    (["{corpus}", "--slices", "2000"], 2, "2000 is not in the range", "too many slices"),
]


@pytest.mark.parametrize(("given", "code", "message", "remark"), MISUSES, ids=[case[3] for case in MISUSES])
def test_misuse_is_told(given: list[str], code: int, message: str, remark: str, tmp_path: Path, tiny: Bundle) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS[:3])
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    named = [item.format(corpus=corpus, folder=tmp_path) for item in given]
    options = ["-o", str(tmp_path / "out"), "--bundle", str(tiny.folder)]
    result = simgate("encode", *options, *named)
    assert result.exit_code == code, result.stderr
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("left", [["._job.json.0123"], ["_job.json"]], ids=["before the job", "before the accounts"])
def test_a_run_that_was_killed_at_its_start_goes_on(left: list[str], tmp_path: Path, tiny: Bundle) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS[:3])
    encode(corpus, tmp_path / "whole", tiny)
    (tmp_path / "out").mkdir()
    for name in left:
        there = tmp_path / "whole" / name
        (tmp_path / "out" / name).write_bytes(there.read_bytes() if there.exists() else b"{")
    assert encode(corpus, tmp_path / "out", tiny).exit_code == 0
    assert rows(tmp_path / "out") == rows(tmp_path / "whole")


def test_a_part_whose_file_is_gone_is_done_again(tmp_path: Path, tiny: Bundle) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS[:120])
    encode(corpus, tmp_path / "out", tiny)
    before = content(tmp_path / "out")
    (tmp_path / "out" / "part-000001.parquet").unlink()
    assert json.loads(encode(corpus, tmp_path / "out", tiny, "--json").stdout)["earlier"] == 2
    after = content(tmp_path / "out")
    assert {name: after[name] for name in after if name != "_account.json"} == {
        name: before[name] for name in before if name != "_account.json"
    }


def test_a_file_is_read_once_however_it_is_named(tmp_path: Path, tiny: Bundle) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    corpus = corpus_file(folder / "a corpus.jsonl", DOCUMENTS[:3])
    (folder / "self").symlink_to(folder)
    result = encode(corpus, tmp_path / "out", tiny, folder, f"file://{folder}".replace(" ", "%20"))
    assert result.exit_code == 0, result.stderr
    assert len(rows(tmp_path / "out")) == 3 and "3 read" in result.stderr


def test_half_a_surrogate_pair_harms_no_other_document(tmp_path: Path, tiny: Bundle) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"id": "a", "text": "red"}\n{"id": "b", "text": "blue", "note": "\\ud800 é"}\n')
    assert encode(corpus, tmp_path / "out", tiny).exit_code == 0
    assert json.loads(rows(tmp_path / "out")["b"]["extra"]) == {"note": "\ud800 é"}


def test_a_part_that_fails_is_told_and_done_by_the_next_run(tmp_path: Path, tiny: Bundle) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    corpus_file(folder / "a.jsonl", DOCUMENTS[:60])
    whole = gzip.compress("".join(json.dumps({"id": d.id, "text": d.text}) + "\n" for d in DOCUMENTS[60:]).encode())
    torn = folder / "b.jsonl.gz"
    torn.write_bytes(whole[:-20])
    os.utime(torn, (1, 1))
    result = encode(folder, tmp_path / "out", tiny)
    assert result.exit_code == 1
    assert "part-000002 failed, the next run does it again" in result.stderr
    assert set(rows(tmp_path / "out")) == {document.id for document in DOCUMENTS[:60]}, "nothing of the torn file"
    assert not (tmp_path / "out" / "_account.json").exists(), "no sum of a job that is not done"
    again = encode(folder, tmp_path / "out", tiny, "--json")
    assert json.loads(again.stdout)["earlier"] == 2


def test_a_run_that_was_killed_goes_on(tmp_path: Path, tiny: Bundle) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", [Document(f"d{n}", f"bus {n} " * 40) for n in range(4000)])
    command = [sys.executable, "-m", "plugin_server", "encode", str(corpus), "--bundle", str(tiny.folder)]
    command += ["--part-rows", "100", "-o"]
    accounts = tmp_path / "out" / "_accounts"
    process = subprocess.Popen([*command, str(tmp_path / "out")], stderr=subprocess.DEVNULL)
    while not (accounts.is_dir() and len(list(accounts.glob("part-*"))) >= 3):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in accounts.glob("part-*")}
    assert len(done) < 40
    (tmp_path / "out" / ".part-000039.parquet.0123").write_bytes(b"what a killed worker left")
    for output in ("out", "other"):
        subprocess.run([*command, str(tmp_path / output)], check=True, stderr=subprocess.DEVNULL)
    assert {name: (accounts / name).stat().st_mtime_ns for name in done} == done, "what was done was not done again"
    killed, other = content(tmp_path / "out"), content(tmp_path / "other")
    assert json.loads(killed.pop("_account.json"))["earlier"] == len(done)
    assert json.loads(other.pop("_account.json"))["earlier"] == 0
    assert killed == other, "the very same bytes, and nothing besides"
    assert len(rows(tmp_path / "out")) == 4000


@pytest.mark.parametrize("given", [["encode", "-o", "out"], ["index", "--engine", "opensearch", "--index", "a"]])
def test_without_pyarrow(given: list[str], tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['pyarrow'] = None; from plugin_server.cli import main; main()"
    command = [sys.executable, "-c", hidden, *given, "corpus.parquet"]
    environment = os.environ | {"SIMGATE_ENGINE_URL": "http://127.0.0.1:1"}
    made = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert made.returncode == 1
    assert made.stderr.startswith("simgate: pyarrow: is not installed")
    assert made.stderr.endswith("pip install 'simgate[parquet]'\n")
