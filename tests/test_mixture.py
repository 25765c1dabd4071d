"""The training mixture: a group stays on one side, in every run; the whole data where SIMGATE_DATA names it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import onnx_export
from onnx_export.config import Config
from onnx_export.errors import DataMissing
from onnx_export.mixture import HELD_OUT, Mixture, held_out
from onnx_export.pair import Pair


def row(source: str, group: str, query: str = "bus", label: int = 1) -> Pair:
    return Pair(query, "shop", label, label, "general", source, group)


@pytest.mark.parametrize(
    ("source", "group", "out", "remark"),
    [
        ("paws_wiki", "0", False, "written down here, so that no later version moves a row"),
        ("paws_wiki", "45", True, "from training to held-out rows or back"),
        ("paws_wiki", "52", True, "another"),
        ("snli", "45", False, "the source counts"),
    ],
)
def test_sides_stay(source: str, group: str, out: bool, remark: str) -> None:
    assert held_out(row(source, group)) is out, remark


def test_a_group_is_on_one_side() -> None:
    for group in map(str, range(200)):
        sides = {held_out(row("snli", group, query, label)) for query in ("bus", "hill", "ten") for label in (0, 1)}
        assert len(sides) == 1


def test_about_one_group_in_twenty() -> None:
    out = sum(held_out(row("snli", str(number))) for number in range(20_000))
    assert out == pytest.approx(20_000 / HELD_OUT, rel=0.1)


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="is missing"):
        Mixture.build(Config(mixture={"snli": 1.0}), tmp_path)


@pytest.mark.skipif("SIMGATE_DATA" not in os.environ, reason="SIMGATE_DATA names no data folder")
def test_whole_mixture() -> None:
    given = Config.read(Path(onnx_export.__file__).parent / "default.toml")
    config = replace(given, generated=dict.fromkeys(given.generated, 300))
    mixture = Mixture.build(config, Path(os.environ["SIMGATE_DATA"]))
    assert mixture == Mixture.build(config, Path(os.environ["SIMGATE_DATA"])), "the same for the same seed"
    assert set(mixture.counts["train"]) == set(config.mixture)
    assert sum(mixture.counts["train"].values()) == len(mixture.train)
    assert set(mixture.counts["heldout"]) >= set(config.generated), "every generator writes held-out rows too"
    sides = [[row for row in rows if row.source not in config.generated] for rows in (mixture.train, mixture.heldout)]
    groups = [{(row.source, row.group) for row in rows} for rows in sides]
    assert not groups[0] & groups[1]
    assert [{held_out(row) for row in rows} for rows in sides] == [{False}, {True}]
    made = [row for row in mixture.heldout if row.source == "topics"]
    trained = {row.document for row in sides[0]}
    assert not trained & {row.group for row in made}, "no paragraph that was trained on"
