"""Grids: what a file decides, and what is said of a file that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onnx_export.checkpoint import MODELS
from onnx_export.cli_lab import PACKAGED
from onnx_export.errors import BadConfig
from onnx_export.generators.written import WRITTEN, squares, written_pairs
from onnx_export.lab.grid import GIVEN, Grid, seeded
from onnx_export.lab.report import markdown
from onnx_export.lab.results import Results

TEXT = """
seeds = [1, 2]
rows = 50

[training]
steps = 10

[mixture]
toy = 1.0

[[system]]
name = "cosine"
kind = "cosine"

[[system]]
name = "ours"
kind = "alignment"
about = "what it shows"
encoder = { frozen = true }
training = { steps = 20 }

[[system]]
name = "model-a"
kind = "dual"
mixture = { other = 1 }
"""


def grid_of(folder: Path, text: str) -> Grid:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return Grid.read(path)


def test_systems_start_from_the_grids_own_sections(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, TEXT)
    cosine, ours, dual = grid.systems
    assert (grid.name, grid.rows) == ("small", 50)
    assert (cosine.trained, ours.trained, ours.about) == (False, True, "what it shows")
    assert (ours.config.training.steps, dual.config.training.steps) == (20, 10)
    assert ours.config.encoder.frozen
    assert not dual.config.encoder.frozen
    assert (ours.config.mixture, dual.config.mixture) == ({"toy": 1.0}, {"other": 1})
    assert ours.config.verifier.kind == "alignment"


def test_cells_are_systems_times_seeds_but_nothing_untrained_twice(tmp_path: Path) -> None:
    cells = [(system.name, seed, system.config.training.seed) for system, seed in grid_of(tmp_path, TEXT).cells()]
    assert cells == [("cosine", 1, 1), ("ours", 1, 1), ("model-a", 1, 1), ("ours", 2, 2), ("model-a", 2, 2)]


def test_a_system_may_have_seeds_of_its_own(tmp_path: Path) -> None:
    own = TEXT.replace('name = "ours"', 'name = "ours"\nseeds = [3, 1]').replace(
        'name = "cosine"', 'name = "cosine"\nseeds = [2, 1]'
    )
    cells = [(system.name, seed) for system, seed in grid_of(tmp_path, own).cells()]
    assert cells == [("cosine", 2), ("model-a", 2), ("ours", 3), ("ours", 1), ("model-a", 1)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seeds = [1, 2]", "seeds = []", r"seeds: \[\] is no list of whole numbers with at least one"),
        ("seeds = [1, 2]", 'seeds = ["a"]', r"seeds: \['a'\] is no list"),
        ('name = "ours"', 'name = "ours"\nseeds = [0.5]', r"system.. 2: seeds: \[0.5\] is no list of whole numbers"),
        ("rows = 50", "rows = -1", "rows: -1 is no whole number of at least 0"),
        ("rows = 50", 'squares = "all"', "squares: 'all' is no whole number of at least 0"),
        ("rows = 50", "colour = 1", "unknown section 'colour'"),
        ("[training]", "[measuring]\ndepths = 1\n[training]", "unknown field 'depths' in .measuring."),
        ('name = "ours"', 'name = "cosine"', "two systems are named 'cosine'"),
        ('name = "ours"', 'name = "../ours"', "letters, digits and hyphens alone"),
        ('name = "ours"', "", "system.. 2: name is missing"),
        ('kind = "alignment"', "kind = 3", "kind is missing or no text"),
        ("encoder = { frozen = true }", "encoder = { frosen = true }", "unknown field 'frosen' in .encoder."),
        ("encoder = { frozen = true }", "encodr = 1", "unknown field 'encodr' in ..system.. 2"),
        ("encoder = { frozen = true }", "encoder = 1", "encoder"),
        ("mixture = { other = 1 }", "mixture = { other = -1 }", "other in .mixture.: -1 is no float of at least 0"),
        ("[mixture]", "[mixture", "Expected"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(BadConfig, match=told):
        grid_of(tmp_path, TEXT.replace(old, new, 1))


def test_squares_that_are_written_later_change_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = tmp_path / "written.jsonl"
    longer.write_bytes(WRITTEN.read_bytes() + b"{}\n")
    count = len(squares())
    whole, first = (TEXT.replace("rows = 50", f"squares = {number}") for number in (0, count))
    whole, first = (text.replace("[mixture]", "[mixture]\nwritten = 1", 1) for text in (whole, first))
    before = grid_of(tmp_path, whole).decides_rows()
    assert grid_of(tmp_path, first).decides_rows() == before
    monkeypatch.setattr("onnx_export.lab.grid.WRITTEN", longer)
    assert grid_of(tmp_path, first).decides_rows() == before
    assert grid_of(tmp_path, whole).decides_rows() != before
    assert len(written_pairs(3)) == 18 < len(written_pairs())


def test_no_system(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="give at least one, with a name and a kind"):
        grid_of(tmp_path, "seeds = [1]\n")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.toml"):
        Grid.read(tmp_path / "none.toml")


def test_the_packaged_grid_has_every_system_that_is_compared() -> None:
    grid = Grid.read(PACKAGED / "paper.toml")
    kinds = {system.kind for system in grid.systems}
    assert kinds == {*GIVEN, *MODELS}
    frozen = {system.kind for system in grid.systems if system.config.encoder.frozen}
    assert frozen == {*MODELS} - {"cross", "dual", "unordered"}
    assert all(system.about for system in grid.systems)
    measured = {system.kind for system in grid.systems if len(system.seeds) >= 3}
    assert measured >= {"alignment", "cross", "maxsim"}, "what bars rest on has a deviation"


def test_the_packaged_page_is_of_its_configuration() -> None:
    """Its figures, its text and the grid's own file go together."""
    path = PACKAGED / "paper.toml"
    grid, cells = Grid.read(path), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    for system in grid.systems:
        found = [cell["config"] for cell in cells.get(system.name, ())]
        configs = [seeded(system, seed).config.plain() if system.trained else None for seed in system.seeds]
        assert [config for config in configs if config in found] == found, system.name
    text = markdown(Results(grid, cells), path.read_text(encoding="utf-8"))
    assert text == path.with_suffix(".md").read_text(encoding="utf-8")
