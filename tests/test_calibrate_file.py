"""Calibrations as files: there and back, broken ones, and those of another bundle."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from calibrating import calibration

from plugin_server import Bundle, Reranker, Settings
from plugin_server.calibration import Calibration, checked_name
from plugin_server.errors import (
    CalibrationMalformed,
    CalibrationMissing,
    CalibrationOfOtherBundle,
    CalibrationTooNew,
    InvalidField,
    UnknownCalibration,
)


@pytest.fixture
def made(reranker: Reranker) -> Calibration:
    return calibration(reranker.manifest)


def test_there_and_back(made: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "shop.calibration.json"
    made.write(path)
    assert Calibration.read(path) == made
    assert [item.name for item in tmp_path.iterdir()] == [path.name], "no draft is left"


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"threshold": 1.0}, "threshold must lie between 0 and 1", "nothing could be accepted"),
    ({"threshold": float("nan")}, "not valid JSON: NaN is no JSON number", "not finite"),
    ({"threshold": "0.5"}, "threshold is a text", "a number in quotes"),
    ({"threshold": True}, "threshold is a truth value", "true is not 1"),
    ({"scale": 0}, "scale must lie between", "every pair would be alike"),
    ({"scale": -1.0}, "scale must lie between", "the order would be turned round"),
    ({"bias": float("inf")}, "not valid JSON: Infinity is no JSON number", "not finite"),
    ({"scale": 10**400}, "scale must lie between", "no float is so large"),
    ({"scale": 1e-300}, "scale must lie between", "what is divided by it would be endless"),
    ({"bias": -(10**400)}, "bias between", "no float is so low"),
    ({"near_misses": 10**300}, "near_misses_accepted must lie between .* within 10{12}", "nobody labelled them"),
    ({"format_version": 0}, "format_version is missing or not", "no such version"),
    ({"bound": 1.5}, "bound must lie between 0 and 1", "no share"),
    ({"near_misses": 1.5}, "near_misses is a number, 1.5: a whole number is needed", "no count"),
    ({"near_misses_accepted": 150}, "near_misses_accepted must lie between 0 and near_misses", "more than there are"),
    ({"true_pairs_lost": -1}, "true_pairs_lost must lie between 0 and true_pairs", "less than none"),
    ({"profile": "pear"}, "profile 'pear' is none of pairs, passages", "no such profile"),
    ({"name": "../shop"}, "name '../shop' cannot be one", "a path"),
    ({"name": "bundle"}, "name 'bundle' cannot be one", "stands for the bundle's own"),
    ({"per_query": 1}, "per_query is a number", "1 is not true"),
    ({"format_version": "1"}, "format_version is missing or not a whole number", "a text"),
]


@pytest.mark.parametrize(("changed", "message", "remark"), BROKEN, ids=[row[2] for row in BROKEN])
def test_broken_values(made: Calibration, tmp_path: Path, changed: dict[str, Any], message: str, remark: str) -> None:
    path = tmp_path / "a.calibration.json"
    path.write_text(json.dumps(asdict(made) | changed))
    with pytest.raises(CalibrationMalformed, match=message) as caught:
        Calibration.read(path)
    assert str(path) in str(caught.value), remark


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"format_version": 1}', "\x00", "[" * 100_000])
def test_broken_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.calibration.json"
    path.write_text(text)
    with pytest.raises(CalibrationMalformed):
        Calibration.read(path)


def test_every_field_is_needed(made: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "a.calibration.json"
    for name in set(asdict(made)) - {"format_version"}:
        path.write_text(json.dumps({key: value for key, value in asdict(made).items() if key != name}))
        with pytest.raises(CalibrationMalformed, match=f"{name} is missing"):
            Calibration.read(path)


def test_a_newer_format_is_refused_and_unknown_keys_are_not(made: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "a.calibration.json"
    path.write_text(json.dumps(asdict(made) | {"format_version": 2}))
    with pytest.raises(CalibrationTooNew, match="upgrade simgate"):
        Calibration.read(path)
    path.write_text(json.dumps(asdict(made) | {"note": "hers"}))
    assert Calibration.read(path) == made


@pytest.mark.parametrize("name", ["shop", "Shop_1", "faq-2026.01", "a@b", "überblick", "7"])
def test_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "a\\b", "a b", "-a", "a\n", "a\x00", "x" * 129, "bundle"]
)
def test_what_cannot_be_a_name(name: str) -> None:
    with pytest.raises(InvalidField, match="give"):
        checked_name(name)


def loaded(*places: Path, **settings: Any) -> Reranker:
    return Reranker.load(Settings(calibrations=":".join(map(str, places)), **settings))


def test_folders_and_files_are_loaded(made: Calibration, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    made.write(folder / "shop.pairs.calibration.json")
    replace(made, profile="passages").write(folder / "shop.passages.calibration.json")
    (folder / "notes.json").write_text("not a calibration")
    replace(made, name="other").write(tmp_path / "other.json")
    ranked = loaded(folder, tmp_path / "other.json", folder / "shop.pairs.calibration.json")
    assert set(ranked.calibrations.by_name) == {("shop", "pairs"), ("shop", "passages"), ("other", "pairs")}


def test_what_cannot_be_loaded(made: Calibration, tmp_path: Path) -> None:
    with pytest.raises(CalibrationMissing, match="SIMGATE_CALIBRATIONS names folders or files"):
        loaded(tmp_path / "nowhere")
    made.write(tmp_path / "a.calibration.json")
    made.write(tmp_path / "b.calibration.json")
    with pytest.raises(CalibrationMalformed, match=r"a\.calibration\.json is for name 'shop' and profile pairs too"):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fingerprint": "00" * 8}, "made with bundle 0000000000000000"),
        ({"verifier": "00" * 32}, "made with another verifier of bundle"),
    ],
)
def test_one_of_another_bundle_is_refused(
    made: Calibration, tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    replace(made, **changed).write(tmp_path / "a.calibration.json")
    with pytest.raises(CalibrationOfOtherBundle, match=message):
        loaded(tmp_path)


def test_one_of_the_previous_bundle_is_for_its_blobs(tiny: Bundle, tiny_patches: Bundle, tmp_path: Path) -> None:
    calibration(tiny.manifest, name="old").write(tmp_path / "old.calibration.json")
    moved = loaded(tmp_path, bundle=str(tiny_patches.folder), previous_bundle=str(tiny.folder), threads=1)
    assert moved.previous
    assert set(moved.previous.calibrations.by_name) == {("old", "pairs")}
    with pytest.raises(UnknownCalibration):  # its threshold means nothing for the new verifier's probabilities
        moved.verify("a red car", "a car", calibration="old")
