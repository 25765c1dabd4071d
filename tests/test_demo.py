"""The demonstration: its data, its counting, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from plugin_server import Candidate, Hit, Outcome, Ranking, Reranker, Verdict
from plugin_server.cli import main
from plugin_server.commands.index import DEMO
from plugin_server.corpus import Document, read_corpus
from plugin_server.demo import CORPUS, Question, Result, questions
from plugin_server.index import Found, Index
from plugin_server.search import Answer


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with the demo's corpus."""
    path = tmp_path_factory.mktemp("demo") / "index.db"
    result = CliRunner().invoke(main, ["demo", "--index", str(path)])
    assert result.exit_code == 0, result.output
    return path


def test_the_packaged_data_are_whole() -> None:
    with CORPUS.open("rb") as stream:
        corpus = list(read_corpus(stream, 1000))
    ids = {item.id for item in corpus if isinstance(item, Document)}
    assert len(ids) == len(corpus) == 430
    for question in questions():
        assert {*question.expected, *question.near_misses} <= ids
        assert question.near_misses
        assert not {*question.expected} & {*question.near_misses}


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_question_and_a_summary_are_printed(index: Path, columns: int) -> None:
    result = CliRunner().invoke(main, ["demo", "--index", str(index)], env={"COLUMNS": str(columns)})
    assert result.exit_code == 0
    assert "0 added" not in result.stdout
    assert "430 unchanged" in result.stderr
    flat = " ".join(result.stdout.split())
    for question in questions():
        assert question.query in flat
    assert "Right first" in flat
    assert 'simgate search "' in flat
    assert "\x1b" not in result.stdout
    lines = [line for line in result.stdout.splitlines() if not line.startswith(("Try it", "Dropped", "Right first"))]
    assert max(map(len, lines)) <= columns


def test_json_tells_the_same_for_programs(index: Path) -> None:
    result = CliRunner().invoke(main, ["demo", "--index", str(index), "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["query"] for line in lines] == [question.query for question in questions()]
    for line in lines:
        assert len(line["dense"]) == 5
        assert len(line["kept"]) + len(line["dropped"]) == 100
        first = line["dense"][0]["id"]
        assert line["right_before"] == (first in line["expected"])
        kept = [hit["id"] for hit in line["kept"][:1]]
        assert line["right_after"] == (bool(set(kept) & set(line["expected"])) if line["expected"] else not kept)


def test_the_demo_leaves_documents_of_the_user_alone_and_makes_room_for_them(
    tmp_path: Path, reranker: Reranker
) -> None:
    path, runner = str(tmp_path / "index.db"), CliRunner()
    with Index.create(Path(path), reranker.manifest, DEMO) as index:
        index.add([Document("demo", "a text")], reranker.encode(["a text"]))
    result = runner.invoke(main, ["index", "-", "--index", path], input='{"text": "mine"}\n')
    assert "1 documents" in result.stderr
    result = runner.invoke(main, ["demo", "--index", path])
    assert result.exit_code == 1
    assert "holds documents of your own" in result.stderr


def answered(expected: Sequence[str], kept: Sequence[str], dropped: Sequence[str]) -> Result:
    """A result in which dense search found everything kept and dropped in alphabetical order."""
    order = sorted([*kept, *dropped])

    def hits(ids: Sequence[str], outcome: Outcome) -> tuple[Hit, ...]:
        verdict = Verdict(outcome, 0.5, 0.5, "pairs")
        return tuple(Hit(Candidate(id=identity), verdict, 0.0, order.index(identity)) for identity in ids)

    ranking = Ranking(hits(kept, Outcome.ACCEPTED), hits(dropped, Outcome.REJECTED))
    recall = tuple(Found(Document(identity, identity), 0.5, "") for identity in order)
    return Result(Question("q", "pairs", tuple(expected), ("near",), ""), Answer("q", recall, ranking))


CASES = [
    # expected, kept, dropped, right before, right after, near-misses dropped, right ones lost, remark
    (["right"], ["right"], ["near"], False, True, 1, 0, "as it should be"),
    (["right"], ["near", "right"], [], False, False, 0, 0, "the near-miss stays first"),
    (["right"], [], ["near", "right"], False, False, 1, 1, "everything dropped"),
    (["a"], ["a"], ["near"], True, True, 1, 0, "right before and after"),
    ([], [], ["near"], False, True, 1, 0, "no right document, nothing kept"),
    ([], ["near"], [], False, False, 0, 0, "no right document, a near-miss kept"),
    (["right"], [], [], False, False, 0, 0, "nothing found"),
]


@pytest.mark.parametrize(
    ("expected", "kept", "dropped", "before", "after", "away", "lost", "remark"), CASES, ids=[row[-1] for row in CASES]
)
def test_the_counting(
    expected: list[str],
    kept: list[str],
    dropped: list[str],
    before: bool,
    after: bool,
    away: int,
    lost: int,
    remark: str,
) -> None:
    result = answered(expected, kept, dropped)
    assert (result.right_before, result.right_after) == (before, after)
    assert (result.near_misses_dropped, result.lost) == (away, lost)


def test_hits_worth_telling() -> None:
    result = answered(["right"], ["x", "a"], ["b", "c", "near", "right", "z"])
    told = [(rank, hit.candidate.id) for rank, hit in result.told(dense=2, kept=1)]
    assert told == [(2, "a"), (None, "b"), (None, "near"), (None, "right"), (1, "x")]
