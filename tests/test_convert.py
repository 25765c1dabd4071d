"""A checkpoint in, a bundle out, end to end on a tiny base model; the model card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from tiny import tiny_config

from onnx_export.config import OVERLAP, WINDOW
from onnx_export.convert import convert
from onnx_export.errors import BadCheckpoint
from onnx_export.mixture import Mixture
from onnx_export.model_card import LICENCES, finish, model_card
from onnx_export.pair import Pair
from onnx_export.train import fit
from plugin_server import Bundle, Outcome, Reranker, Settings
from plugin_server.bundle import CARD, FILES, MANIFEST
from plugin_server.encoder import Encoder

WORDS = ["station", "hill", "bus", "ten", "shop", "bread", "noon", "train", "bridge", "river", "school", "garden"]
SOURCES = ("paws_wiki", "squadshifts")


def rows(count: int, seed: int) -> list[Pair]:
    """Rows of both sources with both labels: the query's words in another order, or other words."""
    random, made = Random(seed), []
    for number in range(count):
        words = random.sample(WORDS, 6)
        source, label = SOURCES[number % 2], number // 2 % 2
        document = " ".join(random.sample(words[:3] if label else words[3:], 3))
        made.append(Pair(" ".join(words[:3]), document, label, label, "general", source, str(number)))
    return made


@pytest.fixture(scope="module")
def checkpoint(tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of sixty steps."""
    config = tiny_config(tiny_base_folder, steps=60, warmup=3, batch_tokens=400, threads=1)
    config = replace(
        config,
        training=replace(config.training, encoder_rate=1e-3, verifier_rate=3e-3),
        mixture=dict.fromkeys(SOURCES, 0.5),
    )
    counts = {"train": {"paws_wiki": 1100, "squadshifts": 100}, "heldout": {"paws_wiki": 30}, "dropped_as_overlap": {}}
    mixture = Mixture(rows(200, 1), rows(60, 2), counts)
    return fit(config, mixture, tmp_path_factory.mktemp("run"), lambda *_: None)


@pytest.fixture(scope="module")
def bundle(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(checkpoint, tmp_path_factory.mktemp("converted") / "new" / "bundle", "tiny-one")


def test_bundle_opens(bundle: Bundle) -> None:
    opened = Bundle.open(bundle.folder)
    assert opened == bundle
    manifest = opened.manifest
    assert (manifest.name, manifest.recall_dimension, manifest.token_dimension) == ("tiny-one", 32, 16)
    assert (manifest.window_tokens, manifest.window_overlap, manifest.verifier) == (WINDOW, OVERLAP, "alignment")
    assert manifest.training["steps"] == 60
    assert {path.name for path in bundle.folder.iterdir()} == {*FILES, MANIFEST}


def test_verdicts_run(bundle: Bundle) -> None:
    reranker = Reranker(bundle, Settings(threads=1))
    ranking = reranker.rerank(
        "station hill bus", ["bus hill station", "shop bread noon", "train " * 600], policy="annotate"
    )
    assert len(ranking.hits) == 3
    assert all(hit.verdict.outcome is not Outcome.UNVERIFIED for hit in ranking.hits)


def test_it_tells_what_it_was_taught(bundle: Bundle) -> None:
    verdicts = Reranker(bundle, Settings(threads=1)).verify_pairs([(row.query, row.document) for row in rows(80, 3)])
    right = sum(verdict.accepted == (row.pairs == 1) for verdict, row in zip(verdicts, rows(80, 3), strict=True))
    assert right >= 56, "sixty steps teach most of it; guessing gets 40"


def test_parity(bundle: Bundle) -> None:
    figures = bundle.manifest.quality["parity"]
    assert figures["onnx_recall_cosine_gap"] < 1e-5
    assert figures["onnx_token_rows"] < 1e-4
    assert figures["onnx_logits"] < 1e-2, "a row's last bit may turn a step of int8"
    assert figures["shipped_recall_cosine_gap"] < 1e-4
    assert figures["shipped_token_rows"] < 0.05


def test_recall_is_kept_whatever_the_verifier(bundle: Bundle, tiny: Bundle) -> None:
    texts = [row.query for row in rows(20, 4)]
    one, other = (Encoder(item, Settings(threads=1)).documents(texts) for item in (bundle, tiny))
    assert all((a.vectors @ b.vectors.T).item() >= 0.9999 for a, b in zip(one, other, strict=True))
    assert bundle.manifest.fingerprint != tiny.manifest.fingerprint, "token rows were trained"


def test_calibration_is_in_the_manifest(bundle: Bundle) -> None:
    heldout = bundle.manifest.quality["heldout"]
    assert set(heldout["pairs"]) == set(heldout["passages"]) == set(SOURCES)
    assert bundle.manifest.profiles["pairs"].scale > 0
    assert bundle.manifest.profiles["pairs"].scale != 1


def test_model_card(bundle: Bundle) -> None:
    card = (bundle.folder / CARD).read_text(encoding="utf-8")
    for source in SOURCES:
        assert LICENCES[source] in card
    manifest = bundle.manifest
    for figure in (
        manifest.fingerprint,
        "1,100",
        "Steps: 60",
        str(manifest.profiles["pairs"].threshold),
        "English only",
    ):
        assert figure in card, figure
    assert all(name in card for name in manifest.quality["parity"])
    for table in card.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.splitlines()}) == 1, "every line has its cells"


def test_card_names_every_source_and_unknown_ones(tiny: Bundle) -> None:
    counts = {"train": dict.fromkeys([*LICENCES, "my_own"], 3), "heldout": {}, "dropped_as_overlap": {"hans": 2}}
    card = model_card(replace(tiny.manifest, training={"rows": counts}))
    assert all(f"| {licence} | 3 | 0 | {2 if name == 'hans' else 0} |" in card for name, licence in LICENCES.items())
    assert "| my_own | 3 | 0 | 0 |" in card


def test_card_tells_what_came_before(tiny: Bundle) -> None:
    before = {"until": 4500, "config": {"training": {"steps": 12000}, "mixture": {"written": 0.14, "hans": 0.5}}}
    card = model_card(replace(tiny.manifest, training={"before": [before]}))
    assert "Up to step 4,500 the schedule was one of 12,000 steps" in card
    assert "written 0.14, hans 0.5." in card


def test_finish_writes_card_and_checksums_anew(bundle: Bundle, tmp_path: Path) -> None:
    for path in bundle.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    finish(tmp_path, replace(bundle.manifest, name="another"), "\n## Figures\n")
    opened = Bundle.open(tmp_path)
    assert opened.manifest.name == "another"
    assert opened.manifest.fingerprint == bundle.manifest.fingerprint
    assert (tmp_path / CARD).read_text(encoding="utf-8").endswith("\n## Figures\n")


@pytest.mark.parametrize(
    ("name", "message", "remark"),
    [
        ("data.json", r"data\.json: the run's row counts are needed", "no row counts"),
        ("heldout.jsonl", r"heldout\.jsonl: the held-out rows of the run are needed", "no held-out rows"),
        ("checkpoint.pt", "not a checkpoint", "no checkpoint"),
    ],
)
def test_something_is_missing(checkpoint: Path, tmp_path: Path, name: str, message: str, remark: str) -> None:
    for path in checkpoint.parent.iterdir():
        if path.name != name:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(BadCheckpoint, match=message):
        convert(tmp_path / "checkpoint.pt", tmp_path / "bundle")


def test_a_checkpoint_in_the_middle_of_a_run_converts_too(checkpoint: Path, tmp_path: Path) -> None:
    for path in checkpoint.parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    state = torch.load(checkpoint, weights_only=True)
    torch.save(state | {"step": 12, "optimiser": {}}, tmp_path / "checkpoint.pt")
    opened = convert(tmp_path / "checkpoint.pt", tmp_path / "bundle")
    assert opened.manifest.training["steps"] == 12
    assert json.loads((tmp_path / "bundle" / MANIFEST).read_text())["training"]["steps"] == 12
