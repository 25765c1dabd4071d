"""``simgate margins``: neighbours against every pair, figures worked by hand, and what the command says and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibrating import lines, write_lines
from click.testing import CliRunner, Result

from plugin_server import Reranker
from plugin_server.cli import main
from plugin_server.corpus import Document
from plugin_server.demo import CORPUS
from plugin_server.thresholds import neighbours
from plugin_server.thresholds.labelled import Labelled
from plugin_server.thresholds.margins import Crowd, Separation, Spread, conclusion, crowd, separation
from plugin_server.thresholds.neighbours import closest, nearest


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["margins", *map(str, arguments)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def drawn(lengths: list[int], seed: int = 0) -> list[Any]:
    generator = np.random.default_rng(seed)
    rows = [generator.normal(size=(length, 16)).astype(np.float32) for length in lengths]
    return [item / np.linalg.norm(item, axis=1, keepdims=True) for item in rows]


@pytest.mark.parametrize("lengths", [[1, 1], [1] * 40, [3, 1, 2, 5, 1, 1], [7, 1]])
@pytest.mark.parametrize("cells", [1, 30, 1 << 24])
def test_nearest_is_the_best_of_every_pair(lengths: list[int], cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "CELLS", cells)  # a limit on memory, which must change nothing
    vectors = drawn(lengths, len(lengths))
    found = nearest(vectors)
    for place, own in enumerate(vectors):
        best = [float((own @ other.T).max()) if number != place else -2 for number, other in enumerate(vectors)]
        assert found.cosines[place] == pytest.approx(max(best), abs=1e-6)
        assert best[found.places[place]] == pytest.approx(max(best), abs=1e-6)


def test_closest_names_each_pair_once() -> None:
    vectors = [np.array([row], np.float32) for row in ([1, 0], [1, 0], [0.6, 0.8], [0, 1])]
    found = nearest(vectors)
    assert closest(found, 9, np.zeros(4, bool)) == [(0, 1), (2, 3)]
    assert closest(found, 9, np.array([True, True, False, False])) == [(2, 3)]
    assert closest(found, 1, np.zeros(4, bool)) == [(0, 1)]
    assert closest(found, 0, np.zeros(4, bool)) == []


def test_crowd_worked_by_hand(reranker: Reranker) -> None:
    texts = [
        "The station is on a hill.",
        "The station is on a hill.",
        "The hill is on a station.",
        "Bread is sold here.",
    ]
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    found = crowd(reranker, documents, [item.vectors for item in reranker.encode(texts)], 5)
    assert (found.documents, found.identical) == (4, 2)
    assert (found.near, found.nearer) == (0.75, 0.75), "all but the bread"
    assert {(item.left.id, item.right.id) for item in found.closest} <= {("0", "2"), ("1", "2"), ("0", "3"), ("2", "3")}
    first = found.closest[0]
    assert (first.right.text, first.probability) == (
        texts[2],
        pytest.approx(reranker.verify(texts[0], texts[2]).probability, abs=1e-5),
    )


def test_a_text_too_long_for_a_query_has_no_probability(reranker: Reranker) -> None:
    documents = [Document(str(number), "word " * 400 + end) for number, end in enumerate(("left", "right"))]
    found = crowd(reranker, documents, [item.vectors for item in reranker.encode([item.text for item in documents])], 5)
    assert [item.probability for item in found.closest] == [None]


def labelled(cosine: float, label: int, logit: float) -> Labelled:
    return Labelled(str(cosine), str(logit), label, logits=(logit, -logit), cosine=cosine)


def test_separation_worked_by_hand() -> None:
    pairs = [labelled(0.8, 1, 2), labelled(0.6, 1, 3), labelled(0.9, 0, 1), labelled(0.7, 0, -1), labelled(0.1, 0, 2.5)]
    found = separation(pairs, "pairs")
    assert (found.true.count, found.near_misses.count) == (2, 3)
    assert found.margin == pytest.approx(0.0)
    assert found.above == pytest.approx(2 / 3), "0.9 and 0.7 are at 0.7 or above"
    assert found.cosine == pytest.approx(3 / 6)
    assert found.verifier == pytest.approx(5 / 6)
    assert separation(pairs, "passages").verifier == pytest.approx(1 / 6), "the other profile's logits"
    only = separation(pairs[:2], "pairs")
    assert (only.cosine, only.verifier, only.near_misses.count) == (None, None, 0)


SPREAD = Spread.of([0.5])
SENTENCES = [
    # share with a near neighbour, AUROC of cosine and verifier, words
    (0.2, None, "20 % of the documents have another one"),
    (0.01, None, "The documents lie apart: only 1 %"),
    (0.2, (0.95, 0.97), "tell your true pairs from your near-misses by themselves"),
    (0.2, (0.5, 0.95), "hardly tell .* the verifier can"),
    (0.2, (0.75, 0.8), "only partly tell .* the verifier does better"),
    (0.2, (0.6, 0.5), "hardly tell .* the verifier cannot either"),
    (0.2, (None, None), "20 % of the documents have another one"),
]


@pytest.mark.parametrize(("near", "aurocs", "words"), SENTENCES, ids=[row[2][:40] for row in SENTENCES])
def test_conclusion(near: float, aurocs: Any, words: str) -> None:
    found = Crowd(10, 0, SPREAD, near, near, SPREAD, ())
    parted = Separation(SPREAD, SPREAD, 0.0, 0.5, *aurocs) if aurocs else None
    assert re.search(words, conclusion(found, parted))


def test_the_demo_s_corpus(tmp_path: Path) -> None:
    pairs = write_lines(tmp_path / "pairs.jsonl", lines(1))
    told = run(CORPUS, "--pairs", pairs, "--closest", "3")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("The recall vectors hardly tell your true pairs from your near-misses")
    assert "| each document's nearest other | 430 |" in told.stdout
    assert len(re.findall(r"^\| 0\.9\d\d \|", told.stdout, re.MULTILINE)) == 3
    found = json.loads(run(CORPUS, "--pairs", pairs, "--closest", "3", "--json").stdout)
    assert found["conclusion"] == told.stdout.splitlines()[0]
    assert (found["documents"], found["pairs"]["true"]["count"], len(found["closest"])) == (430, 90, 3)
    assert found["nearest"]["quantiles"] == sorted(found["nearest"]["quantiles"])


def test_plain_text_with_bad_lines() -> None:
    text = b"\xef\xbb\xbfA red car.\n\nA red car.\n\xff\xfe\n \x01\nA blue house.\n"
    result = run("-", "--text", "--json", stdin=text)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["documents"], found["identical"]) == (1, 3, 2)
    assert {found["closest"][0][side]["text"] for side in ("left", "right")} == {"A red car.", "A blue house."}
    assert ":4: not UTF-8: byte 0xff at byte 1" in result.stderr
    assert ":5: text: holds no words" in result.stderr


FAILURES = [
    (b"", [], "corpus: 0 documents that can be read: at least 2 are needed"),
    (b'{"text": "a red car"}\n', [], "corpus: 1 documents"),
    (b"a red car\na blue car\n", [], "corpus: 0 documents"),
]


@pytest.mark.parametrize(("stdin", "arguments", "message"), FAILURES)
def test_too_few(stdin: bytes, arguments: list[str], message: str) -> None:
    result = run("-", *arguments, stdin=stdin)
    assert result.exit_code == 1
    assert message in result.stderr


def test_bad_pairs_are_named(tmp_path: Path) -> None:
    pairs = write_lines(tmp_path / "pairs.jsonl", [{"query": "a", "document": "b", "label": 1}, {"query": "a"}])
    result = run("-", "--text", "--pairs", pairs, stdin=b"a red car\na blue car\n")
    assert result.exit_code == 1
    assert f"{pairs}:2: document: is missing" in result.stderr
    assert "| true pairs | 1 |" in result.stdout
