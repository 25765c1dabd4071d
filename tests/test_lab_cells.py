"""A small grid on a tiny base model, trained and measured for real; its page."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tiny import tiny_base, tiny_bundle

from onnx_export.errors import BadCheckpoint, BadResults, ResultsMissing
from onnx_export.lab.cells import known_figures, run
from onnx_export.lab.grid import Grid
from onnx_export.lab.material import Material, some_groups
from onnx_export.lab.report import POLICIES, html, write
from onnx_export.lab.results import Results, Spread
from onnx_export.mixture import Mixture
from onnx_export.pair import Pair
from onnx_export.sources import Collection
from onnx_export.verifiers import KINDS

WORDS = ["station", "hill", "bus", "ten", "shop", "bread", "noon", "train", "bridge", "river", "school", "garden"]
TRAINED = [*sorted(KINDS), "cross", "dual"]


def rows_of(source: str, count: int, seed: int) -> list[Pair]:
    """Documents with the query's words in their order, or in another."""
    random, rows = Random(seed), []
    for number in range(count):
        words = random.sample(WORDS, 4)
        document = words if number % 2 else [words[1], words[0], *words[2:]]
        text = " ".join(words)
        rows.append(Pair(text, " ".join(document) + " .", number % 2, number % 2, "role", source, str(number // 2)))
    return rows


def asked(source: str, count: int) -> list[Pair]:
    return [
        Pair(f"{word} of the {source}", f"the {source} has a {word}", None, 1, "retrieval", source, word)
        for word in WORDS[:count]
    ]


@pytest.fixture(scope="module")
def material() -> Material:
    train, held = rows_of("toy", 120, 1), rows_of("toy", 40, 2)
    held += [replace(row, source="apart", pairs=0, passages=0) for row in rows_of("apart", 20, 4)]
    questions = {"squadshifts": asked("squadshifts", 6), "topics": asked("topics", 6)}
    triples = [Pair(WORDS[n], WORDS[n + k], 1 - k, None, "role", "triples", str(n)) for n in range(6) for k in (0, 1)]
    return Material(
        mixture=Mixture(
            train, held, {"train": {"toy": 120}, "heldout": {"toy": 40, "apart": 20}, "dropped_as_overlap": {}}
        ),
        heldout=held,
        sets={"toy": rows_of("toy", 40, 3), "triples": triples},
        asked=questions,
        passages=sorted({row.document for rows in questions.values() for row in rows}),
        collections=[
            Collection(
                "small",
                {f"d{n}": f"the {word} is near the {WORDS[-n - 1]}" for n, word in enumerate(WORDS)},
                {f"q{n}": word for n, word in enumerate(WORDS[:5])},
                {f"q{n}": {f"d{n}": 1} for n in range(5)},
            )
        ],
    )


def systems(base: Path, bundle: Path) -> str:
    shapes = {"alignment": "{ width = 32, layers = 1, narrow = 16, place = 8 }", "convolution": "{ width = 8 }"}
    shapes |= dict.fromkeys(("patches", "unordered"), "{ width = 32, layers = 1 }")
    lines = [f'[[system]]\nname = "{kind}"\nkind = "{kind}"' for kind in ("cosine", "bm25", "hybrid")]
    lines.append(f'[[system]]\nname = "served"\nkind = "bundle"\nbundle = "{bundle}"')
    for kind in TRAINED:
        shape = f"\nshape = {shapes[kind]}" if kind in shapes else ""
        lines.append(f'[[system]]\nname = "{kind}"\nkind = "{kind}"{shape}')
    frozen = '[[system]]\nname = "frozen"\nkind = "patches"\nencoder = { frozen = true }\nshape = { width = 32 }'
    return "\n".join([*lines, frozen])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the grid's file, its base model and a bundle."""
    folder = tmp_path_factory.mktemp("lab")
    base = tiny_base(folder / "base")
    tiny_bundle(base, folder / "bundle")
    (folder / "small.toml").write_text(
        f"""seeds = [1, 2]
[measuring]
depth = 5
[encoder]
base = "{base}"
shared_layers = 1
dimension = 16
[training]
steps = 4
warmup = 1
batch_tokens = 400
threads = 1
[mixture]
toy = 1.0
{systems(base, folder / "bundle")}
""",
        encoding="utf-8",
    )
    return folder


def silent(done: int, total: int, line: str) -> None:
    """Nothing."""


@pytest.fixture(scope="module")
def figures(place: Path, material: Material) -> list[Path]:
    return run(Grid.read(place / "small.toml"), material, place / "out", silent)


def test_every_system_has_figures_of_its_seeds(place: Path, figures: list[Path]) -> None:
    names = [(path.parent.parent.name, path.parent.name) for path in figures]
    given = [(name, "1") for name in ("cosine", "bm25", "hybrid", "served")]
    assert sorted(names) == sorted(given + [(name, seed) for name in [*TRAINED, "frozen"] for seed in ("1", "2")])
    for path in figures:
        found = json.loads(path.read_text(encoding="utf-8"))
        assert 0 <= found["sets"]["toy"]["pairs"]["auroc"] <= 1
        assert set(found["retrieval"]["small"]["recall"]) == {"ndcg@10", "mrr@10"}
        assert found["cost"]["ms"] >= 0
        searches = found["system"] in ("cosine", "bm25", "hybrid", "dual")
        assert set(found["retrieval"]["small"]) == ({"recall"} if searches else set(POLICIES))
    # every reranking starts from the base model's order
    reranked = [json.loads(path.read_text(encoding="utf-8")) for path in figures if path.parts[-3] in KINDS]
    assert len({found["retrieval"]["small"]["recall"]["ndcg@10"] for found in reranked}) == 1


def test_what_is_measured_is_left(place: Path, material: Material, figures: list[Path]) -> None:
    before = {path: path.stat().st_mtime_ns for path in figures}
    told: list[str] = []
    assert run(Grid.read(place / "small.toml"), material, place / "out", lambda *line: told.append(line[2])) == figures
    assert before == {path: path.stat().st_mtime_ns for path in figures}
    assert not told
    figures[4].unlink()
    run(Grid.read(place / "small.toml"), material, place / "out", lambda *line: told.append(line[2]))
    assert {line.partition(",")[0] for line in told} == {figures[4].parts[-3]}


def test_another_configuration_in_the_same_folder(place: Path, material: Material, figures: list[Path]) -> None:
    changed = (place / "small.toml").read_text(encoding="utf-8").replace("steps = 4", "steps = 5")
    other = place / "changed" / "small.toml"
    other.parent.mkdir()
    other.write_text(changed, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match="of another configuration"):
        run(Grid.read(other), material, place / "out", silent)


def test_figures_of_a_page_are_taken(place: Path, material: Material, figures: list[Path], tmp_path: Path) -> None:
    """For the cells that they are of, by whatever name; a system that the page does not have is measured."""
    grid = Grid.read(place / "small.toml")
    write(grid, place / "out", tmp_path / "page", "")
    known = known_figures(tmp_path / "page.json")
    assert len(known) == len(figures)
    small = replace(grid, systems=(replace(grid.systems[0], name="renamed"), grid.systems[1]))
    del known[json.loads(figures[1].read_text(encoding="utf-8"))["digest"]]
    told: list[str] = []
    paths = run(small, material, tmp_path / "out", lambda *line: told.append(line[2]), known)
    assert told == ["bm25, seed 1"]
    was, found = (json.loads(path.read_text(encoding="utf-8")) for path in (figures[0], paths[0]))
    assert found == was | {"system": "renamed"}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"cosine": [{"sets": {}}]}'])
def test_what_is_no_page(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadResults, match="not the JSON that `simgate lab report` writes"):
        known_figures(tmp_path / "page.json")


def test_lower_layers_are_computed_once(place: Path, figures: list[Path]) -> None:
    # one file for the shared layer, one for the whole frozen encoder, whatever the number of systems and seeds
    kept = sorted((place / "out" / "lower").glob("*.bf16"))
    assert len(kept) == 2
    assert all(path.with_suffix(".npy").exists() for path in kept)


def test_the_page(place: Path, figures: list[Path]) -> None:
    path = place / "small.toml"
    written = write(Grid.read(path), place / "out", place / "pages" / "small", path.read_text(encoding="utf-8"))
    assert [file.suffix for file in written] == [".md", ".html", ".json"]
    text, page, kept = (file.read_text(encoding="utf-8") for file in written)
    for system in [*TRAINED, "frozen", "cosine", "served"]:
        assert f"| {system} |" in text
        assert system in json.loads(kept)
    assert "steps = 4" in text
    for table in (part for part in text.split("\n\n") if part.startswith("| system |")):
        columns = zip(*(line.split("|")[1:-1] for line in table.splitlines()), strict=True)
        assert all("".join(column[2:]).strip() for column in columns), "no column without a figure"
    assert page.count("<svg") == 3
    links = {link.split("/")[2] for link in re.findall(r"https?://[^\s\"<]+", page)}
    assert links <= {"www.w3.org", "purl.org", "creativecommons.org"}, "names of XML, nothing that is fetched"
    again = html(Results.read(Grid.read(path), place / "out"), path.read_text(encoding="utf-8"))
    assert again == page


def test_a_page_tells_what_it_lacks(place: Path, figures: list[Path], tmp_path: Path) -> None:
    """Figures that were not measured, or of another configuration."""
    path = place / "small.toml"
    assert "Not measured yet" not in (place / "pages" / "small.md").read_text(encoding="utf-8")
    shutil.copytree(place / "out", tmp_path / "out", ignore=shutil.ignore_patterns("*.pt", "*.jsonl", "lower"))
    (tmp_path / "out" / "cosine" / "1" / "figures.json").unlink()
    (tmp_path / "out" / "dual" / "2" / "figures.json").unlink()
    text = path.read_text(encoding="utf-8").replace('name = "frozen"', 'name = "frozen"\ntraining = { dropout = 0.3 }')
    (tmp_path / "small.toml").write_text(text, encoding="utf-8")
    write(Grid.read(tmp_path / "small.toml"), tmp_path / "out", tmp_path / "page", text)
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "Not measured yet: cosine (1 of its seeds), dual (1 of its seeds), frozen (2 of its seeds).\n" in page
    assert "| frozen |" not in page


def test_a_page_of_nothing(place: Path, tmp_path: Path) -> None:
    shutil.copy(place / "small.toml", tmp_path)
    with pytest.raises(ResultsMissing, match="no figures of small: `simgate lab run` writes them"):
        Results.read(Grid.read(tmp_path / "small.toml"), tmp_path)


def test_spread_by_hand() -> None:
    assert Spread.of([1.0, 2.0, 3.0]) == Spread(2.0, 1.0)
    assert Spread.of([1.0]) == Spread(1.0, None)


def test_groups_stay_whole() -> None:
    rows = rows_of("one", 20, 1) + rows_of("two", 6, 2)
    chosen = some_groups(rows, 8)
    assert len([row for row in chosen if row.source == "one"]) == 8
    assert len([row for row in chosen if row.source == "two"]) == 6
    groups = {(row.source, row.group) for row in chosen}
    assert len(chosen) == len([row for row in rows if (row.source, row.group) in groups])
