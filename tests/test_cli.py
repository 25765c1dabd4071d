"""The commands: what they print, what they refuse, and their exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from plugin_server import Reranker
from plugin_server.bundle import DEFAULT, ENCODER, MANIFEST
from plugin_server.cli import main
from plugin_server.demo import CORPUS

LINES = [
    {"id": "red", "text": "A red car stands before a blue house.", "title": "Red car", "price": 7},
    {"id": "blue", "text": "A blue car stands before a red house.", "title": "Blue car"},
    {"id": "rtl", "text": "המשרד סגור ביום שישי"},
    {"text": "\N{AUTOMOBILE}\N{HOUSE BUILDING} \x1b[2J[red]markup[/red]"},
]
COMMANDS = [
    "demo",
    "index",
    "search",
    "rerank",
    "verify",
    "serve",
    "ping",
    "calibrate",
    "margins",
    "shadow",
    "size",
    "templates",
    "bundle",
    "train",
    "convert",
    "evaluate",
    "negatives",
    "export",
]


def jsonl(*lines: dict[str, Any] | bytes) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def indexed(home: Path) -> Path:
    """The default index, made from `LINES`."""
    assert run("index", "-", stdin=jsonl(*LINES)).exit_code == 0
    return home / "data" / "simgate" / "index.db"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_and_the_exit_codes(command: str) -> None:
    assert command in run("--help").stdout
    result = run(command, "--help")
    assert result.exit_code == 0
    if command in ("bundle", "templates"):
        result = run(command, {"bundle": "check", "templates": "apply"}[command], "--help")
    assert "Example:" in result.stdout
    assert "Exit codes:" in result.stdout


USAGE = [
    ["pear"],
    ["search"],
    ["search", "a", "--profile", "pear"],
    ["search", "a", "-k", "0"],
    ["index", "no-such-file.jsonl"],
    ["verify", str(CORPUS), "-o", str(CORPUS)],
    ["serve", "--index", "a.db", "--no-index"],
    ["evaluate", "default", "--data", ".", "--record", "--only", "speed"],
    ["evaluate", "default", "--data", ".", "--only", "pear"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage_is_exit_code_2(home: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error:" in result.stderr and "  [" not in result.stderr.splitlines()[0], "usage without a gap"


FAILURES = [
    # arguments, part of the one line on standard error
    (["search", "a"], "no index there"),
    (["search", "a", "--bundle", "nowhere"], "nowhere/bundle.json"),
    (["serve", "--index", "nowhere.db"], "no index there"),
    (["bundle", "info", "nowhere"], "give the folder of a bundle"),
    (["bundle", "check", "nowhere"], "give the folder of a bundle"),
    (["rerank", "a", "-"], "candidates: the list is empty"),
    (["index", "-", "--index", "/dev/null/index.db"], "give another place"),
    (["verify", "-", "-o", "/no/such/folder/file"], "/no/such/folder/file: No such file or directory"),
    (["train", "no-such.toml", "--data", ".", "--output", "out"], "no-such.toml"),
    (["evaluate", "nowhere", "--data", "."], "nowhere/bundle.json"),
]


@pytest.mark.parametrize(("arguments", "message"), FAILURES, ids=[" ".join(row[0]) for row in FAILURES])
def test_a_failure_is_one_line_and_exit_code_1(home: Path, arguments: list[str], message: str) -> None:
    result = run(*arguments, stdin=b"")
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.splitlines()[-1].startswith("simgate: ")
    assert "Traceback" not in result.stderr


def test_settings_come_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMGATE_THREADS", "many")
    result = run("index", "-", stdin=b"")
    assert (result.exit_code, result.stderr) == (1, "simgate: SIMGATE_THREADS: 'many' is not a whole number\n")


def test_index_reports_bad_lines_by_number_and_goes_on(home: Path) -> None:
    corpus = home / "corpus.jsonl"
    huge = {"text": "x" * 1_000_000}
    corpus.write_bytes(
        jsonl(LINES[0], b'{"text": "\xff"}', b"{", LINES[0], {"text": "  "}, {"text": "\u0301"}, huge, LINES[1])
    )
    result = run("index", corpus)
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith(str(corpus))]
    assert [line.split(":")[1] for line in told] == ["2", "3", "4", "5", "6", "7"]
    assert "2 added, 6 refused" in result.stderr
    assert f"2 documents in {home}" in result.stderr.replace("\n", " ")


def test_index_again_changes_nothing_and_replace_empties(indexed: Path) -> None:
    result = run("index", "-", stdin=jsonl(*LINES))
    assert (result.exit_code, "4 unchanged" in result.stderr) == (0, True)
    assert "4 documents" in run("index", "-", stdin=b"").stderr
    assert "1 documents" in run("index", "-", "--replace", stdin=jsonl(LINES[0])).stderr


def test_search_for_programs(indexed: Path) -> None:
    result = run("search", "a red car and a blue house", "--json", "--explain", "--policy", "annotate", "--top-n", "3")
    (answer,) = rows(result)
    assert result.exit_code == 0
    assert answer["verified"] == len(answer["dense"]) == 4
    assert len(answer["hits"]) == 3
    assert answer["dense"][0]["cosine"] >= answer["dense"][1]["cosine"]
    red = next(hit for hit in answer["hits"] if hit["id"] == "red")
    assert (red["title"], red["extra"]) == ("Red car", {"price": 7})
    assert red["verdict"] in ("accepted", "rejected")
    assert (red["verdict"] == "accepted") == (red["probability"] >= red["threshold"])


@pytest.mark.parametrize("columns", ["20", "80", "200"])
def test_search_for_people(indexed: Path, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = run("search", "car", "--explain")
    assert result.exit_code == 0
    assert "4 verified" in result.stdout
    assert "\x1b" not in result.stdout  # neither colours without a terminal, nor a document's own escapes
    assert max(len(line) for line in result.stdout.splitlines()) <= max(int(columns), 55)
    if columns == "200":
        assert "[red]markup[/red]" in result.stdout


@pytest.mark.parametrize("query", ["", "  ", "\0", "\ud800", "word " * 300])
def test_search_refuses_a_query_without_sense(indexed: Path, query: str) -> None:
    result = run("search", query)
    assert result.exit_code == 1
    assert result.stderr.startswith("simgate: query: ")


def test_search_in_the_index_of_another_bundle(indexed: Path) -> None:
    execute(indexed, "UPDATE meta SET value = '0011223344556677' WHERE key = 'bundle'")
    result = run("search", "a")
    assert result.exit_code == 1
    assert "made by bundle 0011223344556677" in result.stderr


def test_search_in_a_damaged_file(indexed: Path) -> None:
    indexed.write_bytes(b"nonsense" * 1000)
    result = run("search", "a")
    assert result.exit_code == 1
    assert "not a database" in result.stderr


def test_rerank_for_programs(home: Path, reranker: Reranker) -> None:
    blob = reranker.encode(["a green boat"])[0].blob(reranker.manifest.fingerprint).text()
    lines = jsonl(
        {"id": 1, "text": "a blue car and a red house"}, {"document": "a red car"}, {"id": 1, "text": "the same id"},
        b"nonsense", {"blob": blob}, {"text": "a", "score": "high"}, {"text": " "}, {"text": "a", "blob": "sgb1:no"},
        {"text": "a", "score": 10**400}, {"id": [], "text": "a"}, {"id": 2},
    )  # fmt: skip
    result = run("rerank", "a red car and a blue house", "-", "--json", "--policy", "annotate", stdin=lines)
    assert result.exit_code == 1
    assert sorted(row["line"] for row in rows(result)) == [1, 2, 5]
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["3", "4", "6", "7", "8", "9", "10", "11"]


def test_rerank_orders_by_the_engines_score(home: Path) -> None:
    lines = jsonl(*({"id": f"c{n}", "text": f"text {n}", "score": n} for n in range(5)))
    result = run("rerank", "a text", "-", "--json", "--policy", "annotate", "--top-n", "2", stdin=lines)
    assert [row["rank"] for row in rows(result)] == [1, 2]
    people = run("rerank", "a text", "-", stdin=lines)
    assert people.exit_code == 0
    assert "kept" in people.stdout


def test_verify_gives_every_line_back_in_its_place(home: Path, reranker: Reranker) -> None:
    blob = reranker.encode(["a green boat"])[0].blob(reranker.manifest.fingerprint).text()
    lines = jsonl(
        {"z": 1, "query": "a red car", "document": "a car that is red", "a": {"b": [None]}}, b"nonsense", b"",
        {"query": "a"}, {"query": " ", "document": "a"}, {"query": "word " * 300, "document": "a"},
        {"query": "a boat", "document": blob}, {"query": "a boat", "document": "sgb1:no"},
        {"query": "\N{AUTOMOBILE}", "document": "המשרד"}, b'{"query": "a", "document": "b", "odd": "\\ud800"}',
    )  # fmt: skip
    result = run("verify", "-", stdin=lines)
    assert result.exit_code == 1
    back = rows(result)
    assert [row.get("line") for row in back] == [None, 2, 4, 5, 6, None, 8, None, None]
    assert list(back[0]) == ["z", "query", "document", "a", "probability", "verdict", "threshold", "profile"]
    expected = reranker.verify("a red car", "a car that is red")
    assert back[0]["probability"] == pytest.approx(expected.probability, abs=1e-5)
    assert back[0]["verdict"] == expected.outcome.value
    assert back[4]["error"].startswith("query: 302 tokens")
    assert back[8]["odd"] == "\ud800"
    assert "5 refused" in result.stderr


def test_verify_many_into_a_file(home: Path) -> None:
    pairs = [{"n": n, "query": f"text {n % 7}", "document": "a text"} for n in range(260)]
    (home / "pairs.jsonl").write_bytes(jsonl(*pairs[:257], b"{", *pairs[257:]))
    result = run("verify", home / "pairs.jsonl", "-o", home / "verdicts.jsonl", "--profile", "passages")
    assert (result.exit_code, result.stdout) == (1, "")
    back = [json.loads(line) for line in (home / "verdicts.jsonl").read_text().splitlines()]
    assert [row.get("n") for row in back] == [*range(257), None, *range(257, 260)]
    assert {row.get("profile") for row in back} == {"passages", None}


def test_bundle_info_and_check(reranker: Reranker) -> None:
    (told,) = rows(run("bundle", "info", "--json"))
    assert told["fingerprint"] == reranker.manifest.fingerprint
    shown = run("bundle", "info").stdout
    assert reranker.manifest.fingerprint in shown and "MODEL_CARD.md" in shown
    assert "{" not in shown, "what is nested is told by --json and the card"
    result = run("bundle", "check")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "The bundle works.")


SPOILED = [
    # field of the manifest, its value, part of the message
    ("token_dimension", 32, "tokens is 64 wide, the manifest asks for 32"),
    ("fingerprint", "00" * 8, "fingerprint: the files give"),
    ("format_version", 99, "upgrade simgate"),
    ("files", {}, "files: must name"),
]


@pytest.mark.parametrize(("field", "value", "message"), SPOILED)
def test_bundle_check_finds_what_does_not_fit(tmp_path: Path, field: str, value: object, message: str) -> None:
    copy = shutil.copytree(DEFAULT, tmp_path / "copy")
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {field: value}))
    result = run("bundle", "check", copy)
    assert result.exit_code == 1
    assert message in result.stderr


def test_bundle_check_finds_a_truncated_file(tmp_path: Path) -> None:
    copy = shutil.copytree(DEFAULT, tmp_path / "copy")
    (copy / ENCODER).write_bytes((copy / ENCODER).read_bytes()[:-1])
    result = run("bundle", "check", copy)
    assert result.exit_code == 1
    assert "encoder.onnx: sha256" in result.stderr


def process(*arguments: str | Path, **more: Any) -> subprocess.Popen[bytes]:
    """The real command in a process of its own."""
    command = [sys.executable, "-c", "from plugin_server.cli import main; main()", *map(str, arguments)]
    environment = os.environ | {"SIMGATE_THREADS": "1"} | more.pop("env", {})
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **more)


def test_a_killed_index_run_goes_on_to_the_same_index(home: Path) -> None:
    corpus, killed, whole = home / "corpus.jsonl", home / "killed.db", home / "whole.db"
    corpus.write_bytes(b"".join(CORPUS.read_bytes().splitlines(keepends=True)[:200]))
    with process("index", corpus, "--index", killed) as first:
        deadline = time.monotonic() + 300
        while not count(killed) > 0 and time.monotonic() < deadline:
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL
    before = count(killed)
    assert 0 < before < 200
    result = run("index", corpus, "--index", killed)
    assert result.exit_code == 0
    assert f"{200 - before} added, {before} unchanged" in result.stderr
    assert run("index", corpus, "--index", whole).exit_code == 0
    assert dump(killed) == dump(whole)


def test_a_reader_that_leaves_early_is_no_failure(indexed: Path) -> None:
    with process("search", "car", "--json") as search:
        assert search.stdout
        search.stdout.close()
        assert search.stderr
        assert search.stderr.read() == b""


def test_an_output_without_unicode_still_works(indexed: Path) -> None:
    with process("search", "car", "--policy", "annotate", env={"PYTHONIOENCODING": "ascii"}) as search:
        output, errors = search.communicate()
    assert (search.returncode, errors) == (0, b"")
    assert output.isascii()


@pytest.mark.parametrize(
    ("http", "told"), [(["--http", "127.0.0.1:0"], r" and http://127\.0\.0\.1:\d+"), (["--no-http"], "")]
)
def test_serve_tells_where_and_ends_in_order_on_sigterm(indexed: Path, http: list[str], told: str) -> None:
    with process("serve", "--address", "127.0.0.1:0", *http) as server:
        assert server.stderr
        line = server.stderr.readline().decode()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=120)
    assert re.fullmatch(rf"Serving on 127\.0\.0\.1:\d+{told}, with {re.escape(str(indexed))}\n", line)
    assert server.returncode == 0


def test_a_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['torch'] = None\nfrom plugin_server.cli import main; main()"
    command = [sys.executable, "-c", code, "train", "default", "--data", ".", "--output", "out"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "simgate: simgate train needs torch: pip install 'simgate[export]'\n"


def count(path: Path) -> int:
    """Documents that are safely stored."""
    try:
        return int(query(path, "SELECT count(*) FROM documents")[0][0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def dump(path: Path) -> list[list[tuple[Any, ...]]]:
    return [query(path, f"SELECT * FROM {table} ORDER BY 1") for table in ("meta", "documents", "vectors")]


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()
