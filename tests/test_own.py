"""Training on a team's own pairs: from their file to a bundle, and what is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import tiny_config

from onnx_export.config import Config, OwnConfig
from onnx_export.convert import convert
from onnx_export.errors import BadConfig, DataMalformed
from onnx_export.mixture import Mixture
from onnx_export.sources import own_pairs
from plugin_server.cli import main

WORDS = ["station", "hill", "bus", "ten", "shop", "bread", "noon", "train", "bridge", "river", "school", "garden"]


def line(query: str, document: str, label: object, **more: str) -> str:
    return json.dumps({"query": query, "document": document, "label": label, **more}) + "\n"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """120 queries with a true pair and a near-miss each."""
    path = tmp_path / "pairs.jsonl"
    lines = []
    for one in WORDS:
        for other in WORDS[:10]:
            lines.append(line(f"from {one} to {other}", f"to {other} from {one}", 1))
            lines.append(line(f"from {one} to {other}", f"from {other} to {one}", 0, category="role"))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def settings(
    base: Path, pairs: Path, folder: Path, steps: int, mixture: str = "shop = 1.0", profile: str = "both"
) -> Path:
    path = folder / "own.toml"
    path.write_text(
        f"""[encoder]
base = "{base}"
shared_layers = 1
dimension = 16
[verifier]
shape = {{ width = 32, layers = 1, narrow = 16, place = 8 }}
[training]
steps = {steps}
warmup = 1
threads = 1
[own.shop]
file = "{pairs}"
profile = "{profile}"
[mixture]
{mixture}
""",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(("profile", "labels"), [("pairs", (1, None)), ("passages", (None, 1)), ("both", (1, 1))])
def test_labels_are_of_the_profile(tmp_path: Path, profile: str, labels: tuple[int | None, int | None]) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(line("a", "b", 1) + line("a", "b", 1) + line("a", "c", 0, category="role"), encoding="utf-8")
    rows = own_pairs("shop", OwnConfig(str(path), profile))
    assert [(row.document, row.category, row.source) for row in rows] == [
        ("b", "general", "shop"),
        ("c", "role", "shop"),
    ]
    assert (rows[0].pairs, rows[0].passages) == labels
    assert rows[0].group == rows[1].group, "of one query"


def test_from_pairs_to_a_bundle_and_on(tiny_base_folder: Path, pairs: Path, tmp_path: Path) -> None:
    """No data sets are needed; every pair is used; training goes on from the bundle that was made."""
    command = ["train", str(settings(tiny_base_folder, pairs, tmp_path, 3)), "--output", str(tmp_path / "run")]
    told = CliRunner().invoke(main, command)
    assert told.exit_code == 0, told.output
    counts = json.loads((tmp_path / "run" / "data.json").read_text(encoding="utf-8"))
    assert counts["train"]["shop"] + counts["heldout"]["shop"] == 240
    bundle = convert(tmp_path / "run" / "checkpoint.pt", tmp_path / "bundle")
    assert bundle.manifest.training["config"]["own"] == {"shop": {"file": str(pairs), "profile": "both"}}
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Steps: 3. " in card
    assert "or a near copy of one, was trained on was not looked at" in card, "no report set was at hand"
    command = ["train", str(settings(tiny_base_folder, pairs, tmp_path, 5)), "--output", str(tmp_path / "on")]
    pairs.rename(tmp_path / "moved")
    told = CliRunner().invoke(main, [*command, "--from", str(bundle.folder)])
    assert "cannot be read" in told.output
    assert not (tmp_path / "on").exists(), "nothing that a mended run would stumble over"
    (tmp_path / "moved").rename(pairs)
    told = CliRunner().invoke(main, [*command, "--from", str(bundle.folder)])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "on" / "checkpoint.pt").exists()


def test_a_profile_that_nothing_could_be_fitted_for(tiny_base_folder: Path, pairs: Path, tmp_path: Path) -> None:
    """Told before the training, not after it."""
    path = settings(tiny_base_folder, pairs, tmp_path, 3, profile="pairs")
    told = CliRunner().invoke(main, ["train", str(path), "--output", str(tmp_path / "run")])
    assert told.exit_code == 1
    assert "no held-out rows of both labels for profile passages" in told.output
    assert not (tmp_path / "run").exists()


def test_beside_other_sources(tiny_base_folder: Path, pairs: Path, tmp_path: Path) -> None:
    path = settings(tiny_base_folder, pairs, tmp_path, 3, "shop = 0.5\nwritten = 0.3\ngrammar = 0.2")
    config = Config.parse(
        {"generated": {"grammar": 100, "edits": 100}} | tomllib.loads(path.read_text(encoding="utf-8")), path
    )
    mixture = Mixture.build(config, None)
    assert set(mixture.counts["train"]) == {"shop", "written", "grammar"}
    assert {row.source for row in mixture.heldout} >= {"shop", "written"}
    sides = [{row.query for row in rows if row.source == "shop"} for rows in (mixture.train, mixture.heldout)]
    assert not sides[0] & sides[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "both labels are needed"),
        (line("a", "b", 1), "both labels are needed"),
        (line("a", "b", 1) + '{"query": "a"}\n', "line 2: document: is missing"),
        (line("a", "b", 1) + line("a", "b", 0), "line 2: contradicts the label of the same pair on line 1"),
        ("[]\n" * 7, "line 5: .*; and 2 lines more"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataMalformed, match=f"own.jsonl: .*{message}"):
        own_pairs("shop", OwnConfig(str(path)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataMalformed, match=r"nowhere\.jsonl: cannot be read: No such file"):
        own_pairs("shop", OwnConfig(str(tmp_path / "nowhere.jsonl")))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"own": {"shop": {}}, "mixture": {"shop": 1.0}}, r"\[own.shop\]: file is missing"),
        ({"own": {"shop": "x.jsonl"}, "mixture": {"shop": 1.0}}, r"write it as a section \[shop\]"),
        ({"own": {"shop": {"file": "x", "kind": "y"}}}, "unknown field 'kind'"),
        ({"own": {"shop": {"file": "x", "profile": "all"}}}, "'all': choose pairs, passages, both"),
        ({"own": {"shop": {"file": "x"}}, "mixture": {"written": 1.0}}, "has no share: give shop one"),
    ],
)
def test_sections_that_are_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        Config.parse(table, Path("own.toml"))


@pytest.mark.parametrize(
    ("name", "mixture", "message"),
    [
        ("shop", {"shop": 1.0, "paws_wiki": 0.1}, "paws_wiki is made of the data sets: say where they are"),
        ("written", {"written": 1.0}, "written is the name of another source"),
        ("shop", {"shop": 1.0, "grammar": 0.1}, r"grammar has no row: is it generated, or one of .*shop"),
    ],
)
def test_mixtures_that_are_refused(pairs: Path, name: str, mixture: dict[str, float], message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        Mixture.build(Config(mixture=mixture, own={name: OwnConfig(str(pairs))}), None)


def test_a_configuration_without_own_pairs_is_told_as_before(tiny_base_folder: Path) -> None:
    assert "own" not in tiny_config(tiny_base_folder).plain()
