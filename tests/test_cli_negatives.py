"""`simgate negatives`: what it writes, what it refuses, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from onnx_export.cli_negatives import negatives
from onnx_export.generators.negatives import MISSES, REWRITINGS
from onnx_export.generators.sentences import split
from plugin_server.errors import SimgateError

TEXT = """The dog chased the cat. A man is playing a guitar in the park. She was born in Norway in 1994.
The cup is above the plate.
All students passed the exam before the summer.
"""


def run(*arguments: str, stdin: bytes = TEXT.encode()) -> Result:
    return CliRunner().invoke(negatives, ["-", *arguments], input=stdin)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_command_writes_pairs_that_verify_and_calibrate_read() -> None:
    result = run()
    assert result.exit_code == 0
    rows = lines(result)
    assert len(rows) > 8 and len(rows) % 4 == 0
    assert all(list(row) == ["query", "document", "label", "category", "rule", "group"] for row in rows)
    assert {row["label"] for row in rows} == {0, 1}
    assert "near-misses: " in result.stderr and "rewritings: " in result.stderr
    assert run().stdout == result.stdout, "the same seed"
    assert run("--seed", "2").stdout != result.stdout, "another seed"


def test_the_order_of_the_corpus_does_not_matter() -> None:
    sentences = split(TEXT)
    one = run(stdin="\n".join(sentences).encode())
    other = run(stdin="\n".join(sentences[::-1]).encode())
    assert sorted(one.stdout.splitlines()) == sorted(other.stdout.splitlines())


def test_limit_singles_and_categories() -> None:
    assert len(lines(run("--limit", "7"))) == 4, "a block is not broken"
    rows = lines(run("--categories", "spatial,converse"))
    assert {row["category"] for row in rows} == {"spatial", "converse"}
    assert len(lines(run("--singles"))) > len(lines(run("--per-sentence", "1"))) // 2
    assert len(lines(run("--singles", "--limit", "5"))) == 5


def test_help_names_every_category() -> None:
    shown = " ".join(CliRunner().invoke(negatives, ["--help"]).stdout.split())
    assert f"Near-misses: {', '.join(MISSES)}." in shown
    assert f"Rewritings: {', '.join(REWRITINGS)}." in shown


def test_output_file(tmp_path: Path) -> None:
    corpus, output = tmp_path / "corpus.txt", tmp_path / "pairs.jsonl"
    corpus.write_text(TEXT, encoding="utf-8")
    assert CliRunner().invoke(negatives, [str(corpus), "-o", str(output)]).exit_code == 0
    assert output.read_bytes() == run().stdout_bytes
    same = CliRunner().invoke(negatives, [str(corpus), "-o", str(corpus)])
    assert same.exit_code == 2 and "another file" in same.stderr
    assert corpus.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--categories", "pear"], "'pear' is not known: choose of negation, "),
        (["--per-sentence", "0"], "0 is not in the range"),
        (["--limit", "3"], "3 is not in the range"),
    ],
)
def test_wrong_usage(arguments: list[str], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        (b"", "holds no sentence: give English text"),
        (b"Stop.\nGo.\n", "2 sentences, but none can be used: give English sentences of 3 to 40 words"),
        (b"Such is the way of it.\n", "1 sentences, but none gives both a near-miss and a rewriting of it: --singles"),
        (b"\xff\xfe\n", "holds no sentence"),
    ],
)
def test_nothing_made_is_an_error(stdin: bytes, told: str) -> None:
    result = run(stdin=stdin)
    assert isinstance(result.exception, SimgateError)
    assert told in str(result.exception)


def test_what_gave_no_block_is_told_with_what_writes_it() -> None:
    stdin = b"The dog chased the cat.\nSuch is the way of it.\n"
    assert "1 gave no near-miss with a rewriting of both: --singles" in run(stdin=stdin).stderr
    assert "--singles" not in run("--singles", stdin=stdin).stderr
    alone = run("--singles", stdin=b"Such is the way of it.\n")
    assert "1 sentences, but no rule applies" in str(alone.exception)


def test_refused_lines_are_told_and_the_rest_is_made() -> None:
    result = run(stdin=b"\xff\xfe\nThe dog chased the cat.\n")
    assert result.exit_code == 1
    assert ":1: not UTF-8" in result.stderr
    assert lines(result)
