"""Calibration by hand: weights, the logistic fit, thresholds, and the held-out rows' file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnx_export.calibration import (
    WORDS_LOST,
    Calibration,
    Read,
    best_threshold,
    calibrate,
    capped,
    even_weights,
    load_rows,
    logistic,
    match_threshold,
    readings,
    save_rows,
    source_aurocs,
)
from onnx_export.errors import BadCheckpoint
from onnx_export.ordering import best_weight, dense_hits, highest_threshold
from onnx_export.pair import Label, Pair
from plugin_server import Bundle, Encoded, Reranker
from plugin_server.bundle import PROFILES
from plugin_server.verifier import Reading

NO_QUERY = Encoded(np.zeros((1, 1), np.float32), (np.ones((1, 1), np.int8),), (None,))
TEXTS = ["the bus leaves at ten", "the shop sells bread", "the station is on a hill", "no train before noon"]


def pair(pairs: Label, passages: Label, source: str = "a", number: int = 0) -> Pair:
    return Pair(TEXTS[number % 4], TEXTS[number // 4 % 4], pairs, passages, "general", source, str(number))


def read(
    pairs: Label, passages: Label, best: list[float], logit: float = 0.0, cosine: float = 0.0, source: str = "a"
) -> Read:
    reading = Reading([logit, logit], best, 9)
    return Read(pair(pairs, passages, source), NO_QUERY, [reading], cosine)


@pytest.mark.parametrize(
    ("labels", "sources", "weights", "remark"),
    [
        ([1, 0], "aa", [1, 1], "one of each"),
        ([1, 0, 0], "aaa", [1, 0.5, 0.5], "both labels weigh the same"),
        ([1, 0, 0, 1, 0], "aaabb", [1, 0.5, 0.5, 1, 1], "and so do both sources"),
        ([1, 0, 1, 1], "aabb", [1, 1, 0, 0], "a source with one label tells nothing"),
        ([1, 1], "ab", [0, 0], "none has both"),
    ],
)
def test_even_weights(labels: list[int], sources: str, weights: list[float], remark: str) -> None:
    assert even_weights(np.array(labels), np.array(list(sources))).tolist() == weights, remark


@pytest.mark.parametrize(
    ("labels", "scores", "weights", "threshold", "remark"),
    [
        ([0, 1], [0.2, 0.8], [1, 1], 0.5, "half-way"),
        ([1, 0], [0.8, 0.2], [1, 1], 0.5, "in any order"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], [1, 1, 1, 1], 0.4, "between the two nearest"),
        ([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.9], [1, 1, 3, 1], 0.75, "a heavy false one is rejected with a true one"),
        ([0, 1, 0, 1], [0.1, 0.2, 0.6, 0.9], [1, 3, 1, 1], 0.15, "a heavy true one is accepted with a false one"),
        ([0, 1, 0, 0], [0.1, 0.2, 0.6, 0.9], [1, 1, 1, 1], 0.15, "the highest is false: none stands above it"),
        ([1, 0, 1, 0], [0.1, 0.2, 0.6, 0.9], [3, 1, 1, 1], 0.1, "nothing is better than to accept all"),
        ([0, 1, 1, 0], [0.1, 0.5, 0.5, 0.5], [1, 1, 1, 1], 0.3, "equal scores stay on one side"),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.7], [1, 1, 1, 1], 0.6, "whichever comes first in the list"),
        ([0, 0, 1], [0.5, 0.5, 0.5], [1, 1, 1], 0.5, "nothing to separate"),
    ],
)
def test_best_threshold(
    labels: list[int], scores: list[float], weights: list[float], threshold: float, remark: str
) -> None:
    assert best_threshold(*map(np.array, (labels, scores, weights))) == pytest.approx(threshold), remark


@pytest.mark.parametrize("seed", range(4))
def test_best_threshold_is_the_best_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, scores, weights = random.integers(0, 2, 40), random.normal(size=40).round(1), random.uniform(0.1, 1, 40)

    def right(threshold: float) -> float:
        return float(weights[(scores >= threshold) == (labels == 1)].sum())

    assert right(best_threshold(labels, scores, weights)) == pytest.approx(
        max(right(score) for score in scores), abs=1e-9
    )


def test_logistic_finds_what_the_logits_were_drawn_from() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=20_000) * 2
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(1.5 * logits - 0.5)))).astype(np.int64)
    assert logistic(labels, logits, np.ones(20_000)) == pytest.approx((1.5, -0.5), abs=0.1)


def test_logistic_by_hand() -> None:
    # at -1 three of four are false, at 1 three of four true: log 3 a step, and nothing beside it
    labels, logits = np.array([0, 0, 0, 1, 1, 1, 1, 0]), np.array([-1.0] * 4 + [1.0] * 4)
    assert logistic(labels, logits, np.ones(8)) == pytest.approx((np.log(3), 0), abs=1e-3)
    assert logistic(labels, logits, np.full(8, 1e-6)) == pytest.approx((np.log(3), 0), abs=1e-3), "weights are relative"
    double = np.array([1, 1, 1, 1, 2, 2, 2, 1.0])  # six to one at 1
    scale, bias = logistic(labels, logits, double)
    assert scale + bias == pytest.approx(np.log(6), abs=1e-2)


def test_match_threshold() -> None:
    rows = [read(1, None, [-1, *np.linspace(0, 1, 101), -1]), read(0, 0, [0, 9, 0]), read(None, 1, [0, 9, 0])]
    assert match_threshold(rows) == pytest.approx(WORDS_LOST), "of true pairs alone, without the marks of the text"


def test_source_aurocs() -> None:
    labels, logits = np.array([1, 0, 1, 0, 1]), np.array([0.9, 0.1, 0.2, 0.8, 5])
    assert source_aurocs(labels, logits, np.array(list("aabbc"))) == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize(
    ("sizes", "count", "kept", "remark"),
    [
        ({"a": 3}, 5, {"a": ["0", "1", "2"]}, "fewer than the limit"),
        ({"a": 4}, 2, {"a": ["0", "2"]}, "evenly drawn"),
        ({"a": 10}, 3, {"a": ["0", "3", "6"]}, "from one end to the other"),
        ({"a": 4, "b": 1}, 2, {"a": ["0", "2"], "b": ["0"]}, "each source for itself"),
        ({}, 2, {}, "none"),
    ],
)
def test_capped(sizes: dict[str, int], count: int, kept: dict[str, list[str]], remark: str) -> None:
    rows = [pair(1, 1, source, number) for source, size in sizes.items() for number in range(size)]
    found: dict[str, list[str]] = {}
    for row in capped(rows, count):
        found.setdefault(row.source, []).append(row.group)
    assert found == kept, remark


def test_rows_go_there_and_back(tmp_path: Path) -> None:
    odd = "line\u2028line \x85 tab\t “quoted”\r\n\x1c 🚂"
    rows = [pair(1, None), Pair(odd, odd, None, 0, "general", "a", odd), pair(0, 0)]
    save_rows(tmp_path / "rows.jsonl", rows)
    assert load_rows(tmp_path / "rows.jsonl") == rows


@pytest.mark.parametrize(
    ("content", "remark"),
    [(None, "no file"), (b"{", "no JSON"), (b"[1]", "a list"), (b'{"query": "bus"}', "no row"), (b"\xff", "no text")],
)
def test_bad_rows(tmp_path: Path, content: bytes | None, remark: str) -> None:
    if content is not None:
        (tmp_path / "rows.jsonl").write_bytes(content)
    with pytest.raises(BadCheckpoint, match="the held-out rows of the run are needed"):
        load_rows(tmp_path / "rows.jsonl")


def test_readings_are_what_is_served(tiny_reranker: Reranker) -> None:
    long = "hill bus " * 300
    rows = [
        pair(1, 1, number=6),
        Pair(TEXTS[0], long, 0, 0, "general", "a", ""),
        Pair(long, TEXTS[0], 0, 0, "general", "a", ""),
    ]
    found = readings(tiny_reranker, rows)
    assert [item.pair for item in found] == rows[:2], "a query longer than a window cannot be read"
    assert len(found[1].readings) > 1
    for item in found:
        verdict = tiny_reranker.verify(item.pair.query, item.pair.document)
        assert 1 / (1 + np.exp(-item.logit(0))) == pytest.approx(verdict.probability, abs=1e-5)
        assert item.maxsim == max(reading.maxsim for reading in item.readings)


def test_calibrate(tiny: Bundle) -> None:
    rows = [pair(number % 2, number % 2, source, number) for source in ("a", "squadshifts") for number in range(16)]
    fitted, figures = calibrate(tiny, rows)
    assert set(fitted.profiles) == set(PROFILES) == set(figures["thresholds"])
    assert set(figures["pairs"]) == set(figures["passages"]) == {"a", "squadshifts"}
    assert all(0 < knobs["threshold"] < 1 for knobs in fitted.profiles.values())
    assert fitted.profiles["passages"]["blend"] >= 0
    assert -1 <= fitted.match_threshold <= 1
    assert set(figures["thresholds"]["pairs"]) == {"verifier", "cosine", "maxsim"}


def test_calibrate_without_questions_and_answers(tiny: Bundle) -> None:
    rows = [pair(number % 2, number % 2, "a", number) for number in range(16)]
    fitted, _ = calibrate(tiny, rows)
    assert 0 < fitted.profiles["passages"]["threshold"] < 1, "no true pair that is lost but 2 %"
    assert fitted.profiles["passages"]["blend"] == 0


def test_passages_come_from_the_order_of_held_out_passages(tiny: Bundle) -> None:
    texts = [" ".join([TEXTS[n % 4], TEXTS[n // 4]]) for n in range(16)]
    rows = [Pair(TEXTS[n % 4], texts[n], None, 1, "retrieval", "squadshifts", str(n)) for n in range(16)]
    rows += [Pair(TEXTS[(n + 1) % 4], texts[n], 0, 0, "retrieval", "squadshifts", str(n)) for n in range(16)]
    rows += [pair(number % 2, number % 2, "a", number) for number in range(16)]
    fitted, _ = calibrate(tiny, rows)
    knobs = fitted.profiles["passages"]
    orders = dense_hits(Reranker(tiny), rows)
    assert knobs["blend"] == best_weight(orders, knobs["scale"], knobs["bias"])
    wanted = highest_threshold(orders, knobs["scale"], knobs["bias"], knobs["blend"])
    assert knobs["threshold"] == pytest.approx(wanted, abs=1e-3)
    assert fitted.profiles["pairs"]["blend"] == 0


@pytest.mark.parametrize(
    ("labels", "profile", "remark"),
    [
        ([(1, 1), (1, 0)], "pairs", "one label alone"),
        ([(1, 1), (0, 1)], "passages", "one label alone"),
        ([(1, None), (0, None)], "passages", "no label"),
        ([], "pairs", "no row"),
    ],
)
def test_calibrate_with_too_little(tiny: Bundle, labels: list[tuple[Label, Label]], profile: str, remark: str) -> None:
    rows = [pair(*both, number=number) for number, both in enumerate(labels)]
    with pytest.raises(BadCheckpoint, match=f"no source has rows of both labels for profile {profile}"):
        calibrate(tiny, rows)


def test_neutral() -> None:
    assert Calibration.neutral().profiles == {"pairs": {"threshold": 0.5}, "passages": {"threshold": 0.5}}
