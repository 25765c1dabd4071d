"""The report over a small file worked out by hand, and over files that are not what they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from plugin_server.cli import main
from plugin_server.shadow.record import KEY

#: A candidate: probability and threshold, and its new place; "-" is dropped, "?" cannot be read.
Row = tuple[float | None, float, int | str]


def judged(position: int, row: Row, text: str = "") -> dict[str, Any]:
    probability, threshold, new = row
    made: dict[str, Any] = {"id": f"d{position}", "position": position, "threshold": threshold}
    if probability is None:
        made |= {"outcome": "unverified", "cause": "empty"}
    else:
        made |= {"outcome": "accepted" if probability >= threshold else "rejected", "probability": probability}
    made |= {"dropped": True} if new == "-" else {} if new == "" else {"new": new}
    return made | ({"text": text} if text else {})


def line(time: str, rows: list[Row], ms: float = 10.0, **more: Any) -> bytes:
    fields = {"index": "a", "profile": "passages", "policy": "filter", "calibration": "", "way": "/_search"}
    candidates = [judged(place, row, f"text {place}" if "query" in more else "") for place, row in enumerate(rows)]
    made = {KEY: 1, "time": f"2026-01-{time}Z", "request": "", "fingerprint": "f", "ms": ms, "digest": "q"}
    return json.dumps(made | fields | more | {"candidates": candidates}).encode() + b"\n"


PAIRS = {"index": "b", "profile": "pairs", "calibration": "shop", "policy": "demote", "way": "/v2/rerank"}
LINES = [
    # the first hit is dropped: another first hit, another top 10, 2 of its 3 stay
    line("01T00:00:00", [(0.1, 0.5, "-"), (0.9, 0.5, 0), (0.6, 0.5, 1)], 10, query="red car"),
    # both change places: another first hit, the same top 10 in another order
    line("02T00:00:00", [(0.7, 0.5, 1), (0.95, 0.5, 0)], 20),
    # nothing is left: another first hit, another top 10, none stays
    line("03T00:00:00", [(0.2, 0.5, "-"), (0.05, 0.4, "-")], 30),
    # nothing changes
    line("04T00:00:00", [(0.5, 0.5, 0), (None, 0.5, 1)], 40, **PAIRS),
    # verdicts alone: no search
    line("05T00:00:00", [(0.3, 0.45, "")], 100, profile="pairs", policy="", index="", way="simgate.v1.Verify"),
    # no verdicts
    line("06T00:00:00", [], error="query: 300 tokens, the limit is 256: shorten it"),
    line("06T00:00:01", [], error="query: 301 tokens, the limit is 256: shorten it"),
    json.dumps({KEY: 1, "time": "2026-01-06T00:00:00Z", "lost": {"busy": 2, "disk": 1}}).encode() + b"\n",
    # the tenth of twelve is dropped: the first stays, 9 of the top 10 do
    line("07T00:00:00", [(0.8, 0.5, n) for n in range(9)] + [(0.15, 0.5, "-"), (0.8, 0.5, 9), (0.8, 0.5, 10)], 50),
]
TORN = LINES[0][:70]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shadow.jsonl"
    path.write_bytes(b"".join(LINES) + TORN)
    return path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["shadow", "report", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def told(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_figures_are_those_worked_out_by_hand(file: Path) -> None:
    found = told(file)
    assert (found["requests"], found["from"], found["to"]) == (8, "2026-01-01T00:00:00Z", "2026-01-07T00:00:00Z")
    assert found["ways"] == {"/_search": 6, "/v2/rerank": 1, "simgate.v1.Verify": 1}
    assert found["not_recorded"] == {"busy": 2, "disk": 1}
    assert found["lines_skipped"] == 1
    assert found["errors"] == {"query: N tokens, the limit is N: shorten it": 2}
    assert found["totals"] == {
        "requests": 6,
        "candidates": 22,
        "accepted": 16,
        "rejected": 5,
        "unverified": 1,
        "unverified_by_cause": {"empty": 1},
        "rejected_share": 5 / 22,
        "unverified_share": 1 / 22,
        "searches": 5,
        "other_first_hit": 3,
        "other_top": 4,
        "other_top_in_order_only": 1,
        "lost_every_hit": 1,
        "mean_overlap": pytest.approx((2 / 3 + 1 + 0 + 1 + 0.9) / 5),
    }
    assert found["latency_ms"] == {"p50": 30, "p95": 100, "p99": 100}


def test_groups_are_told_apart(file: Path) -> None:
    groups = {(group["index"], group["profile"], group["calibration"]): group for group in told(file)["groups"]}
    assert set(groups) == {("a", "passages", ""), ("b", "pairs", "shop"), ("", "pairs", "")}
    own = groups["a", "passages", ""]
    assert (own["requests"], own["candidates"], own["rejected"], own["searches"]) == (4, 19, 4, 4)
    assert (own["other_first_hit"], own["other_top"], own["lost_every_hit"]) == (3, 4, 1)
    shop = groups["b", "pairs", "shop"]
    assert (shop["candidates"], shop["unverified"], shop["other_top"], shop["mean_overlap"]) == (2, 1, 0, 1.0)
    assert (groups["", "pairs", ""]["searches"], groups["", "pairs", ""]["mean_overlap"]) == (0, None)


def test_other_thresholds(file: Path) -> None:
    passages, pairs = (told(file)["profiles"][name] for name in ("passages", "pairs"))
    counts = dict(zip(passages["from"], passages["probabilities"], strict=True))
    assert {low: count for low, count in counts.items() if count} == {
        0.05: 1, 0.1: 1, 0.15: 1, 0.2: 1, 0.6: 1, 0.7: 1, 0.8: 11, 0.9: 1, 0.95: 1,
    }  # fmt: skip
    assert (sum(passages["thresholds"]), passages["thresholds"][10], passages["thresholds"][8]) == (19, 18, 1)
    at = dict(zip(passages["from"], zip(passages["rejected_at"], passages["emptied_at"], strict=True), strict=True))
    assert at[0.0] == (0, 0)
    assert at[0.2] == (3 / 19, 0), "a probability of 0.2 is accepted at 0.2"
    assert at[0.25] == (4 / 19, 1 / 4)
    assert at[0.85] == (17 / 19, 2 / 4)
    assert at[0.95] == (18 / 19, 3 / 4)
    assert pairs["emptied_at"][19] == 0, "an unverified hit is never dropped"
    assert pairs["rejected_at"][19] == 1


@pytest.mark.parametrize(
    ("arguments", "requests", "remark"),
    [
        (["--index", "a"], 6, "those with errors too"),
        (["--index", "b"], 1, ""),
        (["--since", "2026-01-04"], 5, "from midnight UTC on"),
        (["--since", "2026-01-04T00:00:00.001"], 4, "a moment later"),
        (["--since", "2026-01-04T02:00:00+02:00"], 5, "another time zone"),
        (["--since", "99999d", "--index", "a"], 6, "long ago"),
    ],
)
def test_part_of_a_file(file: Path, arguments: list[str], requests: int, remark: str) -> None:
    assert told(file, *arguments)["requests"] == requests, remark


def test_several_files_count_as_one(file: Path, tmp_path: Path) -> None:
    older = tmp_path / "shadow.jsonl.1"
    older.write_bytes(b"".join(LINES[:2]))
    found = told(file, older)
    assert (found["requests"], found["totals"]["searches"], found["lines_skipped"]) == (10, 7, 1)


def test_examples_need_texts(file: Path) -> None:
    (example,) = told(file)["examples"]
    assert (example["query"], example["text"], example["id"]) == ("red car", "text 0", "d0")
    assert (example["position"], example["probability"], example["threshold"], example["index"]) == (0, 0.1, 0.5, "a")
    assert told(file, "--examples", "0")["examples"] == []


def test_examples_are_those_that_stood_highest_each_once(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    low, high = line("01T00:00:00", [(0.9, 0.5, 0), (0.2, 0.5, "-")], query="a"), [(0.3, 0.5, "-")]
    lines = [line("02T00:00:00", high, query=f"q{number}") for number in range(1200)]
    path.write_bytes(low + b"".join(lines + lines[:1] + [line("03T00:00:00", [(0.1, 0.5, "-")], query="best")]))
    found = told(path, "--examples", "3")["examples"]
    assert [example["query"] for example in found] == ["best", "q0", "q1"]


def test_page(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 0
    for words in (
        "8 requests from 2026-01-01T00:00:00Z to 2026-01-07T00:00:00Z: /_search 6, ",
        "Not recorded: 3 requests (busy 2, disk 1).",
        "Skipped: 1 line that cannot be read.",
        "  2  query: N tokens, the limit is N: shorten it",
        "Of 22 candidates 72.7 % accepted, 22.7 % rejected, 4.55 % unverified (empty 1).",
        "Of 5 searches 60 % (3) would have had another first hit, 80 % (4) another top 10, 1 of them in order only; "
        "20 % (1) would have lost every hit. On average 71.3 % of the top 10 would stay.",
        "Verified within 30 ms (p50), 100 ms (p95), 100 ms (p99).",
        "Hit 1 of a, 0.10 < 0.50",
        "  query  red car",
    ):
        assert words in result.stdout
    rows = [row.split() for row in result.stdout.splitlines()]
    assert ["a", "passages", "4", "19", "21.1", "%", "0", "%", "75", "%", "100", "%", "25", "%"] in rows
    assert ["0.20", "1", "██", "15.8", "%", "0", "%"] in rows
    assert ["0.50", "0", "◀", "94.7", "%", "21.1", "%", "25", "%"] in rows


BROKEN = [
    (b"", "an empty file"),
    (TORN, "half a line"),
    (b"[1]\n\xff\n{}\n", "other lines"),
    (LINES[0].replace(b'"simgate_shadow": 1', b'"simgate_shadow": 2'), "a newer version"),
    (LINES[0].replace(b'"position": 0', b'"position": "0"'), "a text in place of a number"),
    (LINES[0].replace(b'"position": 0', b'"position": true'), "a truth value in place of a number"),
    (LINES[0].replace(b'"ms": 10', b'"ms": NaN'), "no number"),
    (LINES[0].replace(b"2026-01-01", b"2026-31-01"), "no time"),
    (LINES[0].replace(b'"candidates": [', b'"candidates": [1, '), "a number in place of a candidate"),
    (LINES[7].replace(b": 2", b": -2"), "less than nothing lost"),
]


@pytest.mark.parametrize(("raw", "remark"), BROKEN, ids=[remark for _, remark in BROKEN])
def test_what_cannot_be_read_is_skipped(tmp_path: Path, raw: bytes, remark: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(raw)
    result = run(path, "--json")
    assert (result.exit_code, result.stderr) == (
        1,
        "simgate: nothing is recorded there, or nothing of what was asked for\n",
    )
    found = json.loads(result.stdout)
    assert (found["lines_skipped"] > 0) == (raw != b"")
    assert found["lines_of_newer_version"] == (remark == "a newer version")
    path.write_bytes(raw + b"\n" + LINES[1])
    assert told(path)["requests"] == 1, "the next line is read"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["no-such-file"], 2, "No such file"),
        ([], 2, "Missing argument"),
        (["-", "--since", "yesterday"], 1, "'yesterday' is no time: give 2026-01-31,"),
        (["-", "--since", "999999d"], 1, "is too long ago"),
        (["-", "--since", "1d"], 1, "nothing is recorded there"),
    ],
)
def test_wrong_usage(arguments: list[str], code: int, words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert words in result.stderr
