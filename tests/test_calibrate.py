"""``simgate calibrate`` on the default bundle: what it writes, says and refuses."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from calibrating import calibration, lines, write_lines
from click.testing import CliRunner, Result

from plugin_server import Reranker
from plugin_server.bundle import Profile
from plugin_server.calibration import Calibration
from plugin_server.cli import main
from plugin_server.commands.calibrate import place
from plugin_server.errors import InvalidField
from plugin_server.thresholds.bounds import percent
from plugin_server.thresholds.fit import TooFewPairs, fit
from plugin_server.thresholds.labelled import Labelled, probabilities
from plugin_server.thresholds.platt import platt
from plugin_server.thresholds.reliability import bins, error
from plugin_server.verdict import Outcome

NEAR = [Labelled(f"query {number}", "text", 0, logits=(number / 10, 0.0)) for number in range(-100, 100)]


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["calibrate", *map(str, arguments)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lines(tmp_path_factory.mktemp("pairs") / "pairs.jsonl", lines())


@pytest.fixture(scope="module")
def written(pairs: Path) -> tuple[Calibration, Result, dict[str, Any]]:
    """The calibration from 270 true pairs and as many near-misses, and what was said."""
    path, plot = pairs.parent / "shop.calibration.json", pairs.parent / "plot.svg"
    told = run("default", pairs, "--name", "shop", "-o", path, "--plot", plot)
    assert told.exit_code == 0, told.output
    as_json = run("default", pairs, "--name", "shop", "-o", path, "--json")
    return Calibration.read(path), told, json.loads(as_json.stdout)


def test_the_file_keeps_its_word_on_the_pairs_themselves(
    written: tuple[Calibration, Result, dict[str, Any]], reranker: Reranker, pairs: Path
) -> None:
    made, _, told = written
    rows = lines()
    verdicts = reranker.verify_pairs([(row["query"], row["document"]) for row in rows])
    own = reranker.manifest.profile("pairs")
    odds = np.log([verdict.probability / (1 - verdict.probability) for verdict in verdicts])
    chances = probabilities((odds - own.bias) / own.scale, made.scale, made.bias)
    accepted = chances >= made.threshold
    labels = np.array([row["label"] for row in rows])
    assert (made.near_misses, made.true_pairs) == (270, 270)
    assert made.near_misses_accepted == accepted[labels == 0].sum() == 1, "270 near-misses allow one"
    assert made.true_pairs_lost == (~accepted)[labels == 1].sum()
    assert made.loss_low <= made.true_pairs_lost / 270 < made.loss_high
    assert (made.loss_low < made.true_pairs_lost / 270) == (made.true_pairs_lost > 0)
    assert made.bound <= 0.02
    assert made.holds
    assert (told["threshold"], told["auroc"] > 0.5) == (made.threshold, True)


def test_what_is_said(written: tuple[Calibration, Result, dict[str, Any]], pairs: Path) -> None:
    made, told, _ = written
    assert (
        f"At most {percent(made.bound)} of near-misses are accepted, with 95 % confidence: 1 of 270 here."
        in told.stdout
    )
    assert f"{made.true_pairs_lost} of 270 here." in told.stdout
    assert f"Accepted from a probability of {made.threshold:.4f} (profile pairs, any length)." in told.stdout
    assert re.search(r"said +seen +between +true pairs +near-misses", told.stdout)
    assert "Mind" not in told.stdout or "verifier puts" in told.stdout


def test_the_plot_is_one_self_contained_svg(written: tuple[Calibration, Result, dict[str, Any]], pairs: Path) -> None:
    _, _, told = written
    text = (pairs.parent / "plot.svg").read_text()
    circles = minidom.parseString(text).getElementsByTagName("circle")
    assert len(circles) == len(told["bins"])
    assert "href" not in text
    assert sum(part["true_pairs"] + part["near_misses"] for part in told["bins"]) == 540


def test_it_serves(written: tuple[Calibration, Result, dict[str, Any]], pairs: Path) -> None:
    path = pairs.parent / "shop.calibration.json"
    result = CliRunner().invoke(main, ["verify", str(pairs), "--calibration", str(path)])
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    accepted = [row for row in rows if row["verdict"] == Outcome.ACCEPTED]
    assert {(row["calibration"], row["threshold"]) for row in rows} == {("shop", written[0].threshold)}
    assert sum(row["label"] == 0 for row in accepted) == written[0].near_misses_accepted
    assert sum(row["label"] == 1 for row in accepted) == 270 - written[0].true_pairs_lost


BAD = [
    # a line, what is said of it
    ({"query": "a", "document": "b"}, "label: is missing"),
    ({"query": "a", "document": "b", "label": 2}, "label: is 2: give 1 for a true pair, 0 for a near-miss"),
    ({"query": "a", "document": "b", "label": 0.5}, "label: is 0.5"),
    ({"query": "a", "document": "b", "label": "1"}, "label: is a text"),
    ({"query": "a", "document": "b", "label": None}, "label: is null"),
    ({"query": "a", "label": 1}, "document: is missing"),
    ({"document": "a", "label": 1}, "query: is missing"),
    ({"query": " ", "document": "b", "label": 1}, "query: holds no words"),
    ({"query": "a", "document": ["b"], "label": 1}, "document: is a list"),
    ({"query": "word " * 300, "document": "b", "label": 1}, "query: 302 tokens, the limit is 256"),
    ({"query": "a", "document": "sgb1:AAAA", "label": 1}, "document: is a token blob: give its text"),
    (lines()[0] | {"label": 0}, "contradicts the label of the same pair on line 1"),
]


def test_bad_lines_are_named_and_the_others_count(tmp_path: Path) -> None:
    good = lines(2)
    path = write_lines(tmp_path / "pairs.jsonl", good + [row for row, _ in BAD])
    path.write_bytes(path.read_bytes() + b'{"query": "a", "document": "b", "label": NaN}\nno json\n')
    result = run("default", path, "-o", tmp_path / "out.calibration.json", "--json")
    assert result.exit_code == 1
    for number, (_, message) in enumerate(BAD, len(good) + 1):
        assert re.search(rf"{path}:{number}: {re.escape(message)}", result.stderr), (number, message, result.stderr)
    assert re.search(rf"{path}:{len(good) + len(BAD) + 1}: .*not a finite number", result.stderr)
    assert (json.loads(result.stdout)["near_misses"], json.loads(result.stdout)["true_pairs"]) == (180, 180)


def test_a_pair_that_stands_there_twice_counts_once(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "pairs.jsonl", [*lines(2), *lines(1)])
    result = run("default", path, "-o", tmp_path / "out.calibration.json", "--json")
    assert result.exit_code == 0, result.stderr
    assert (json.loads(result.stdout)["near_misses"], json.loads(result.stdout)["true_pairs"]) == (180, 180)


FAILURES = [
    # pairs, arguments, part of the line on standard error
    (b"", [], "label: no pair has 0"),
    (b'{"query": "a", "document": "b", "label": 1}\n', [], "label: no pair has 0"),
    (b'{"query": "a", "document": "b", "label": 0}\n', [], "near-misses: 1 can bound false accepts by 95 % at best"),
    (b'{"query": "a", "document": "b", "label": 0}\n', [], "2 % needs 148 more"),
    (b"", ["--name", "../../etc/passwd"], "--name: '../../etc/passwd' cannot be a name"),
    (b"", ["--name", "bundle"], "stands for the bundle's own thresholds"),
]


@pytest.mark.parametrize(("stdin", "arguments", "message"), FAILURES, ids=[row[2][:40] for row in FAILURES])
def test_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stdin: bytes, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("default", "-", *arguments, stdin=stdin)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--max-false-accept", "0"], ["--confidence", "1"], ["--profile", "pear"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert run("default", "-", *arguments, stdin=b"").exit_code == 2


def test_too_few_near_misses_alone_give_a_weak_bound_if_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = [row for row in lines(1) if row["label"] == 0][:30]
    text = b"".join(json.dumps(row).encode() + b"\n" for row in few)
    result = run("default", "-", "--allow-weak", stdin=text)
    assert result.exit_code == 0, result.output
    made = Calibration.read(tmp_path / "default.pairs.calibration.json")
    assert (made.near_misses_accepted, made.true_pairs, made.holds) == (0, 0, False)
    assert made.bound == pytest.approx(1 - 0.05 ** (1 / 30))
    assert (made.loss_low, made.loss_high) == (0, 1)
    own = Reranker.load().manifest.profile("pairs")
    assert (made.scale, made.bias) == (own.scale, own.bias), "one label alone tells nothing of probabilities"
    assert "weaker than the 2 % asked for" in result.stdout
    assert "No true pairs: what is lost of them is not known" in result.stdout


def test_where_it_is_written(reranker: Reranker, written: tuple[Calibration, Result, Any], tmp_path: Path) -> None:
    made = written[0]
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    assert place(reranker.bundle.folder, made) == Path("shop.pairs.calibration.json"), "not into the installed package"
    assert place(folder, made) == folder.parent / "shop.pairs.calibration.json"
    if os.geteuid():
        folder.parent.chmod(0o500)
        assert place(folder, made) == Path("shop.pairs.calibration.json")


def test_one_of_another_bundle_is_neither_in_the_way_nor_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reranker: Reranker
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIMGATE_CALIBRATIONS", str(tmp_path))
    other = calibration(reranker.manifest, name="default", fingerprint="00" * 8)
    other.write(tmp_path / "default.pairs.calibration.json")
    text = b"".join(json.dumps(row).encode() + b"\n" for row in lines(1))
    refused = run("default", "-", "--allow-weak", stdin=text)
    assert (refused.exit_code, "holds the calibration of another bundle" in refused.stderr) == (1, True)
    assert Calibration.read(tmp_path / "default.pairs.calibration.json") == other
    for _ in range(2):  # the second time over its own
        assert run("default", "-", "--allow-weak", "-o", "new.calibration.json", stdin=text).exit_code == 0
    assert Calibration.read(tmp_path / "new.calibration.json").fits(reranker.manifest)


def test_a_query_with_several_near_misses_counts_once_if_asked(reranker: Reranker) -> None:
    doubled = [*NEAR, *(Labelled(item.query, "third", 0, logits=(item.logits[0] - 5, 0.0)) for item in NEAR)]
    once = fit(doubled, reranker.manifest, "pairs", 0.02, per_query=True)
    assert (once.near_misses, once.per_query) == (200, True)
    assert once.threshold == pytest.approx(fit(NEAR, reranker.manifest, "pairs", 0.02).threshold)
    assert fit(doubled, reranker.manifest, "pairs", 0.02).near_misses == 400


def test_fit_names_what_is_missing(reranker: Reranker) -> None:
    with pytest.raises(TooFewPairs, match=r"near-misses: 100 .* by 2\.95 % at best.* 2 % needs 49 more"):
        fit(NEAR[:100], reranker.manifest, "pairs", 0.02)
    sure = [Labelled(str(number), "text", 0, logits=(1e6, 0.0)) for number in range(200)]
    with pytest.raises(InvalidField, match="no threshold keeps them out"):
        fit(sure, reranker.manifest, "pairs", 0.02)


OWN = Profile(0.5, scale=0.5, bias=0.25)


def test_few_pairs_stay_near_the_bundle_and_many_find_their_own() -> None:
    generator = np.random.default_rng(1)
    for count, near in ((6, 0.5), (20_000, 0.05)):
        logits = generator.normal(scale=4, size=count)
        labels = (generator.random(count) < probabilities(logits, 1.5, 0.0)).astype(np.int64)
        labels[:2] = 0, 1
        scale, _ = platt(logits, labels, OWN)
        wanted = 1.5 if count > 6 else OWN.scale
        assert abs(np.log(scale / wanted)) < near * 2, count


@pytest.mark.parametrize("flip", [False, True], ids=["separable", "reversed"])
def test_the_fit_is_finite_and_keeps_the_order(flip: bool) -> None:
    logits = np.array([-900.0, -3.0, 2.0, 900.0])
    scale, bias = platt(logits, np.array([1, 1, 0, 0] if flip else [0, 0, 1, 1]), OWN)
    assert 0 < scale < 50
    assert np.isfinite(bias)


def test_the_mix_of_labels_does_not_move_probabilities() -> None:
    generator = np.random.default_rng(2)
    true, near = generator.normal(2, 2, 4000), generator.normal(-2, 2, 4000)
    even = platt(np.concatenate((true, near)), np.repeat([1, 0], [4000, 4000]), OWN)
    uneven = platt(np.concatenate((true[:400], near)), np.repeat([1, 0], [400, 4000]), OWN)
    assert uneven == pytest.approx(even, abs=0.2)


def test_bins_of_probabilities_that_are_right_are_on_the_line() -> None:
    generator = np.random.default_rng(3)
    chances = generator.random(40_000)
    labels = (generator.random(40_000) < chances).astype(np.int64)
    parts = bins(chances, labels)
    assert len(parts) == 10
    assert error(parts) < 0.01
    assert sum(part.seen_low <= part.said <= part.seen_high for part in parts) >= 8
    assert not bins(chances, np.ones(40_000, np.int64)), "without near-misses there is nothing to see"
