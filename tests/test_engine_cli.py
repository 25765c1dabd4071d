"""``simgate index`` and ``simgate search`` with an engine: what they print, and going on after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from indices import Indices, corpus_file, expected, other_bits, put, sources, stored
from nodes.engine import Engine as Node
from nodes.proxy import Proxy, Rule

from plugin_server import Bundle, Reranker
from plugin_server.cli import main
from plugin_server.corpus import Document

CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.", f"Bus {n}") for n in range(1300)]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of checkpoints, the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "simgate"


def arguments(where: Node | Proxy, kind: str, index: str, bundle: Bundle) -> list[str]:
    return ["--engine", kind, "--url", where.url, "--index", index, "--bundle", str(bundle.folder)]


def simgate(*given: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(item) for item in given])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def counts(result: Result) -> dict[str, int]:
    """What the last line of progress says: added, unchanged, refused."""
    line = next(line for line in reversed(result.stderr.splitlines()) if line.startswith("Indexing:"))
    return {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", line)}


def asked(proxy: Proxy, part: str) -> int:
    return sum(part in seen.path for seen in proxy.seen)


LINES: list[tuple[dict[str, Any], str, str]] = [
    ({"id": "type", "text": "a bus", "price": "cheap"}, "price", "a field with a wrong type"),
    (
        {"id": "own", "text": "a bus", "simgate_blob": "sgb1:"},
        "simgate_blob: is simgate's own field",
        "a field of ours",
    ),
    ({"id": "nested", "text": "a bus", "simgate_bundle.x": 1}, "simgate_bundle.x: is simgate's own", "a part of one"),
    ({"id": "x" * 600, "text": "a bus"}, "id", "an id that fails the whole request"),
    ({"id": "meta", "text": "a bus", "_id": "meta"}, "_id", "a field that is the engine's own"),
    ({"id": "blank", "text": " "}, "text: holds no words", "nothing to encode"),
    ({"id": "d0", "text": "again"}, "'d0' was on line 1 already", "an id twice"),
]


def test_a_document_that_is_refused_is_told_by_its_line_and_the_others_are_stored(
    engine: Node, indices: Indices, state: Path, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker, price={"type": "integer"})
    good = DOCUMENTS[:100]
    bad = [line for line, _, _ in LINES]
    corpus = corpus_file(tmp_path / "corpus.jsonl", [*good[:50], *bad, *good[50:]])
    result = simgate("index", corpus, *arguments(engine, engine.kind, index, tiny))
    told = dict(re.findall(r"corpus\.jsonl:(\d+): (.*)", result.stderr))
    for number, (_, message, remark) in enumerate(LINES, 51):
        assert message in told.pop(str(number)), remark
    assert not told
    assert result.exit_code == 1
    assert counts(result) == {"added": 100, "refused": len(bad)}
    assert result.stderr.splitlines()[-1] == f"100 documents in {index}"
    assert stored(engine, index) == expected(tiny_reranker, good)


@CLIENTS
def test_a_line_with_a_field_of_the_texts_name_is_refused(
    engine: Node, indices: Indices, state: Path, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker)
    corpus = corpus_file(tmp_path / "c.jsonl", [{"id": "a", "text": "a bus", "body": "b"}, {"id": "b", "text": "b"}])
    result = simgate("index", corpus, "--text-field", "body", *arguments(engine, engine.kind, index, tiny))
    assert "c.jsonl:1: body: is the field of the text" in result.stderr
    assert {key: source["body"] for key, source in sources(engine, index).items()} == {"b": "b"}


@CLIENTS
def test_a_document_with_too_many_bytes_is_told(
    engine: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    state: Path,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    proxy.rules += [Rule("/_bulk", status=413, times=3)]  # both, the first half, the second half
    corpus = corpus_file(tmp_path / "c.jsonl", DOCUMENTS[:2])
    result = simgate("index", corpus, *arguments(proxy, engine.kind, index, tiny))
    assert re.findall(r"c\.jsonl:(\d): the engine answered 413", result.stderr) == ["1", "2"]
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == f"0 documents in {index}"


@CLIENTS
@pytest.mark.parametrize("lines", [[], [{"id": "a", "text": ""}]], ids=["empty", "refused"])
def test_a_corpus_of_nothing_makes_no_index(
    engine: Node, indices: Indices, state: Path, tmp_path: Path, tiny: Bundle, lines: list[dict[str, str]]
) -> None:
    """The index is the template's to make, with the first document."""
    index, manifest = indices.name(engine), tiny.manifest
    arguments_of = ["--engine", engine.kind, "--url", engine.url, "--bundle", str(tiny.folder), "--prefix", index]
    assert simgate("templates", "apply", "--pattern", index, *arguments_of).exit_code == 0
    try:
        corpus = corpus_file(tmp_path / "c.jsonl", lines)
        result = simgate("index", corpus, *arguments(engine, engine.kind, index, tiny))
        assert result.exit_code == len(lines)
        assert result.stderr.splitlines()[-1] == f"0 documents in {index}"
        result = simgate("index", corpus_file(corpus, DOCUMENTS[:3]), *arguments(engine, engine.kind, index, tiny))
        assert (result.exit_code, counts(result)) == (0, {"added": 3})
        census = json.loads(simgate("index", "check", "--json", *arguments(engine, engine.kind, index, tiny)).stdout)
        assert census == {
            "index": index, "documents": 3, "bundles": {manifest.fingerprint: 3}, "loaded": manifest.fingerprint,
            "made_for": manifest.fingerprint, "outstanding": 0,
        }  # fmt: skip
    finally:
        assert simgate("templates", "remove", "--pattern", index, *arguments_of).exit_code == 0


@CLIENTS
def test_a_run_that_was_killed_goes_on_where_it_was(
    engine: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    state: Path,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
) -> None:
    index, proxy = indices.make(engine, tiny_reranker), proxied(engine)
    documents = DOCUMENTS[:640]
    corpus = corpus_file(tmp_path / "corpus.jsonl", documents)
    proxy.rules += [Rule("/_bulk", times=3), Rule("/_bulk", cut=True, times=1), Rule("/_bulk", status=429)]
    command = ["index", str(corpus), *arguments(proxy, engine.kind, index, tiny)]
    with subprocess.Popen(
        [sys.executable, "-m", "plugin_server", *command], env=os.environ.copy(), stderr=subprocess.PIPE
    ) as process:
        while (asked(proxy, "/_bulk") < 5 or len(stored(engine, index)) < 4 * 64) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    there = len(stored(engine, index))
    assert there == 4 * 64, "the fourth was written, though the answer was cut off"
    proxy.rules.clear()
    result = simgate(*command)
    assert (result.exit_code, counts(result)) == (0, {"added": 640 - there, "unchanged": there})
    assert stored(engine, index) == expected(tiny_reranker, documents)


def test_a_checkpoint_spares_the_questions_and_counts_for_the_same_work_only(
    opensearch_3: Node,
    indices: Indices,
    proxied: Callable[..., Proxy],
    state: Path,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
) -> None:
    node, batches = opensearch_3, -(-len(DOCUMENTS) // 64)
    index, proxy = indices.make(node, tiny_reranker), proxied(node)
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS)
    command = ["index", corpus, *arguments(proxy, node.kind, index, tiny)]
    proxy.rules += [Rule("/_bulk", times=19), Rule("/_bulk", status=403, body=b'{"error":"enough"}')]
    result = simgate(*command)
    assert (result.exit_code, "answered 403: enough" in result.stderr) == (1, True)
    (file,) = state.iterdir()
    written = file.read_text()
    assert json.loads(written)["line"] == 1024
    proxy.rules.clear()

    def again(remark: str, questions: int, added: int) -> None:
        proxy.seen.clear()
        result = simgate(*command)
        assert result.exit_code == 0
        found = counts(result)
        assert (found.get("added", 0), found.get("unchanged", 0)) == (added, len(DOCUMENTS) - added), remark
        assert asked(proxy, "_mget") == questions, remark
        assert stored(node, index) == expectation, remark
        assert not file.exists() or file.read_text() == written, remark

    expectation = expected(tiny_reranker, DOCUMENTS)
    again("1024 lines are not asked for", batches - 16, len(DOCUMENTS) - 19 * 64)
    assert not file.exists(), "a run that came to its end leaves none"
    again("without a checkpoint", batches, 0)
    file.write_text(written[:-5])
    again("a damaged checkpoint", batches, 0)
    file.write_text(written)
    status = corpus.stat()
    os.utime(corpus, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    again("the file was changed", batches, 0)
    os.utime(corpus, ns=(status.st_atime_ns, status.st_mtime_ns))
    again("the file is as it was", batches - 16, 0)
    file.write_text(written)
    node.request("DELETE", f"/{index}")
    indices.make(node, tiny_reranker, name=index)
    again("the index was deleted and made again", batches, len(DOCUMENTS))
    command[-1] = str(other_bits(tiny, tmp_path / "eight").folder)
    expectation = expected(Reranker(Bundle.open(tmp_path / "eight")), DOCUMENTS)
    again("another bundle", batches, len(DOCUMENTS))


@CLIENTS
def test_an_index_without_the_template_says_what_to_do(
    engine: Node, indices: Indices, state: Path, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    corpus = corpus_file(tmp_path / "c.jsonl", DOCUMENTS[:3])
    for index in (indices.make(engine, tiny_reranker, "none", blobs=False), indices.name(engine)):
        result = simgate("index", corpus, *arguments(engine, engine.kind, index, tiny))
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"simgate: {index}: has no field simgate_blob: run `simgate templates apply`")


@CLIENTS
def test_blobs_without_vectors(
    engine: Node, indices: Indices, state: Path, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker, "none")
    command = ["index", corpus_file(tmp_path / "c.jsonl", DOCUMENTS[:3]), *arguments(engine, engine.kind, index, tiny)]
    result = simgate(*command)
    assert (result.exit_code, "store blobs alone with --no-vectors" in result.stderr) == (1, True)
    assert simgate(*command, "--no-vectors").exit_code == 0
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS[:3])
    query = ["search", "the bus number 2", "--json", *command[2:]]
    assert "give a query of your own for the recall" in simgate(*query).stderr
    recall = json.dumps({"match": {"text": "number 2"}})
    found = json.loads(simgate(*query, "--recall-query", recall, "--policy", "annotate").stdout)
    assert sorted(hit["id"] for hit in found["hits"]) == ["d0", "d1", "d2"]


def test_update_existing_and_check(
    engine: Node, indices: Indices, state: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker, "none", blobs=False)
    where = arguments(engine, engine.kind, index, tiny)
    put(engine, index, [{"_id": item.id, "text": item.text} for item in DOCUMENTS[:70]])
    result = simgate("index", "check", *where)
    assert (result.exit_code, "has none of simgate's fields" in result.stderr) == (1, True)
    put(engine, index, [{"_id": "red\x1b[31m", "title": "no text"}])
    result = simgate("index", "--update-existing", *where)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    told = [line for line in lines if line.startswith(f"{index}/")]
    assert told == [f"{index}/red�[31m: text: holds no words: give a text with at least one letter, digit or sign"]
    assert lines[-2] == "Updating: 70 updated, 0 changed meanwhile, 1 refused"
    assert lines[-1] == f"70 of 71 documents in {index} have blobs of this bundle"
    assert any("made without index.knn" in line for line in lines) is (engine.kind == "opensearch")
    result = simgate("index", "check", *where)
    assert result.exit_code == 1
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        f"70 {tiny.manifest.fingerprint} the loaded bundle",
        "1 none no blob",
        "71 documents, 1 to encode again",
        f"simgate index --update-existing --engine {engine.kind} --index {index}",
    ]
    engine.request("DELETE", f"/{index}/_doc/red%1b%5b31m?refresh=true")
    result = simgate("index", "check", *where)
    assert (result.exit_code, result.stdout.splitlines()[-1].split()) == (0, "70 documents, 0 to encode again".split())
    assert simgate("index", "--update-existing", *where).exit_code == 0
    assert simgate("index", "check", *where[:-4], "--index", "st-absent").exit_code == 1
