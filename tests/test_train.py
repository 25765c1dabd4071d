"""Real training runs of a few steps on a tiny base model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from tiny import tiny_config

from onnx_export.base import plain_tokenizer
from onnx_export.batches import Batch, Rows
from onnx_export.checkpoint import load_checkpoint, save_checkpoint, write_state
from onnx_export.config import Config
from onnx_export.errors import BadCheckpoint
from onnx_export.mixture import Mixture
from onnx_export.model import Model, rounded
from onnx_export.pair import Pair
from onnx_export.restore import carried_on
from onnx_export.train import fit, heldout_figures, logits_of
from onnx_export.trainable import pair_loss, ranking_loss

WORDS = ["station", "hill", "bus", "ten", "shop", "bread", "noon", "train", "bridge", "river", "school", "garden"]


class StoppedError(Exception):
    """Raised in the middle of a run."""


def toy(count: int, seed: int) -> list[Pair]:
    """Rows that can be learnt: the document has the query's words in another order, or other words."""
    random, rows = Random(seed), []
    for number in range(count):
        words = random.sample(WORDS, 6)
        label = number % 2
        document = random.sample(words[:3] if label else words[3:], 3)
        rows.append(Pair(" ".join(words[:3]), " ".join(document), label, label, "general", "toy", str(number)))
    return rows


MIXTURE = Mixture(toy(200, 1), toy(60, 2), {"train": {"toy": 200}, "heldout": {"toy": 60}, "dropped_as_overlap": {}})


def config_of(base: Path, kind: str = "alignment", **training: float) -> Config:
    knobs = {"steps": 60, "warmup": 5, "batch_tokens": 400, "encoder_rate": 1e-3, "verifier_rate": 3e-3, "threads": 1}
    config = tiny_config(base, kind)
    return replace(config, training=replace(config.training, **(knobs | training)), mixture={"toy": 1.0})  # type: ignore[arg-type]


class Told:
    """What a run told of its progress; stops it at a step if asked to."""

    def __init__(self, stop: int = 0) -> None:
        self.stop, self.steps, self.losses = stop, [0][:0], [0.0][:0]

    def __call__(self, step: int, steps: int, line: str) -> None:
        found = re.fullmatch(r"loss (\d+\.\d{4}), \d+ pairs a second", line)
        assert found, line
        self.steps.append(step)
        self.losses.append(float(found[1]))
        if step == self.stop:
            raise StoppedError


def tensors(path: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["trained"]
    return found


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module", autouse=True)
def threads() -> Iterator[None]:
    """A run sets torch's threads; they are put back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["alignment", "patches"])
def test_loss_falls(tiny_base_folder: Path, tmp_path: Path, kind: str) -> None:
    told = Told()
    path = fit(config_of(tiny_base_folder, kind, hint=0.5), MIXTURE, tmp_path, told)
    assert told.steps == [20, 40, 60]
    assert told.losses[0] < 0.8, "it begins near the logarithm of 2"
    assert told.losses[2] < told.losses[0] - (0.15 if kind == "alignment" else 0.02)
    assert path == tmp_path / "checkpoint.pt"
    assert json.loads((tmp_path / "data.json").read_text()) == MIXTURE.counts
    figures = json.loads((tmp_path / "heldout.json").read_text())
    assert set(figures) == {"pairs", "passages"}
    assert figures["pairs"]["toy"] > (0.9 if kind == "alignment" else 0.5)
    assert len((tmp_path / "heldout.jsonl").read_text().splitlines()) == 60


def test_frozen_parts_stay(tiny_base_folder: Path, tmp_path: Path) -> None:
    config = config_of(tiny_base_folder, steps=3)
    model, _ = load_checkpoint(fit(config, MIXTURE, tmp_path, Told()))
    torch.manual_seed(config.training.seed)
    fresh = Model(config)
    before, after = fresh.state_dict(), model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith(("encoder.branch", "encoder.projection", "verifier")) for name in moved)
    assert {"encoder.projection.weight", "verifier.linear.weight"} <= moved


def test_the_same_seed_gives_the_same_tensors(tiny_base_folder: Path, tmp_path: Path) -> None:
    found = [
        tensors(fit(config_of(tiny_base_folder, steps=8, seed=seed), MIXTURE, tmp_path / str(number), Told()))
        for number, seed in enumerate((7, 7, 8))
    ]
    assert equal(found[0], found[1])
    assert not equal(found[0], found[2])


def test_a_stopped_run_goes_on(tiny_base_folder: Path, tmp_path: Path) -> None:
    config = config_of(tiny_base_folder, checkpoint_every=15, dropout=0.0)
    with pytest.raises(StoppedError):
        fit(config, MIXTURE, tmp_path / "stopped", Told(stop=40))
    _, state = load_checkpoint(tmp_path / "stopped" / "checkpoint.pt")
    assert state["step"] == 30
    assert state["optimiser"]
    told = Told()
    path = fit(config, MIXTURE, tmp_path / "stopped", told)
    assert told.steps == [40, 60]
    _, state = load_checkpoint(path)
    assert state["step"] == 60
    assert state["optimiser"] is None, "a finished checkpoint is small"
    whole = Told()
    straight = tensors(fit(config, MIXTURE, tmp_path / "straight", whole))
    assert told.losses[1] == whole.losses[2], "the same batches from the same state"
    assert equal(tensors(path), straight)


def test_a_finished_run_stays(tiny_base_folder: Path, tmp_path: Path) -> None:
    config = config_of(tiny_base_folder, steps=3)
    before = tensors(fit(config, MIXTURE, tmp_path, Told()))
    assert equal(before, tensors(fit(config, MIXTURE, tmp_path, Told())))


@pytest.mark.parametrize(
    ("changed", "remark"),
    [({"steps": 4}, "longer"), ({"seed": 8}, "another seed"), ({"dropout": 0.2}, "another dropout")],
)
def test_another_configuration_is_refused(
    tiny_base_folder: Path, tmp_path: Path, changed: dict[str, float], remark: str
) -> None:
    knobs = {"steps": 1}
    fit(config_of(tiny_base_folder, **knobs), MIXTURE, tmp_path, Told())
    with pytest.raises(BadCheckpoint, match="is of another configuration: give another output folder or delete it"):
        fit(config_of(tiny_base_folder, **(knobs | changed)), MIXTURE, tmp_path, Told())


def test_going_on_from_another_run(tiny_base_folder: Path, tmp_path: Path) -> None:
    """With other shares and more steps; what came before is told."""
    first = fit(config_of(tiny_base_folder, steps=20), MIXTURE, tmp_path / "first", Told())
    start = tensors(first)
    config = config_of(tiny_base_folder, steps=40, verifier_rate=1e-4)
    path = tmp_path / "second" / "checkpoint.pt"
    write_state(path, carried_on(first, config))
    assert equal(tensors(path), start)
    told = Told()
    assert fit(config, MIXTURE, path.parent, told) == path
    assert told.steps == [40], "the steps of both runs count"
    assert not equal(tensors(path), start)
    _, state = load_checkpoint(path)
    assert state["step"] == 40
    assert [(part["until"], part["config"]["training"]["steps"]) for part in state["before"]] == [(20, 20)]
    again = carried_on(path, config_of(tiny_base_folder, steps=41))
    assert [part["until"] for part in again["before"]] == [20, 40]


@pytest.mark.parametrize(
    ("kind", "steps", "message"),
    [("alignment", 2, "has had 2 steps: .* higher number than 2"), ("patches", 3, r"\[verifier\] is .* so, not")],
)
def test_what_cannot_go_on(tiny_base_folder: Path, tmp_path: Path, kind: str, steps: int, message: str) -> None:
    first = fit(config_of(tiny_base_folder, steps=2), MIXTURE, tmp_path / "first", Told())
    with pytest.raises(BadCheckpoint, match=message):
        carried_on(first, config_of(tiny_base_folder, kind, steps=steps))


def test_no_warm_up(tiny_base_folder: Path, tmp_path: Path) -> None:
    fit(config_of(tiny_base_folder, steps=2, warmup=0), MIXTURE, tmp_path, Told())


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04garbage", None])
def test_no_checkpoint(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "checkpoint.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="not a checkpoint that `simgate train` wrote"):
        load_checkpoint(path)


@pytest.mark.parametrize("state", [[], {}, {"config": 5}, {"config": {"encoder": {"colour": 1}}}])
def test_something_else_that_torch_saved(tmp_path: Path, state: object) -> None:
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(BadCheckpoint, match="not a checkpoint that `simgate train` wrote"):
        load_checkpoint(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda trained: trained.pop("encoder.projection.bias"), "one is missing"),
        (lambda trained: trained.update(colour=torch.zeros(1)), "one too many"),
        (lambda trained: trained.update({"encoder.projection.bias": torch.zeros(5)}), "another shape"),
    ],
)
def test_tensors_that_do_not_fit(tiny_base_folder: Path, tmp_path: Path, change: object, remark: str) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, Model(tiny_config(tiny_base_folder)), 1, None)
    state = torch.load(path, weights_only=True)
    assert callable(change)
    change(state["trained"])
    torch.save(state, path)
    with pytest.raises(BadCheckpoint, match="do not fit its configuration"):
        load_checkpoint(path)


def test_a_checkpoint_goes_there_and_back(tiny_base_folder: Path, tmp_path: Path) -> None:
    model = Model(tiny_config(tiny_base_folder)).eval()
    save_checkpoint(tmp_path / "checkpoint.pt", model, 5, None)
    back, state = load_checkpoint(tmp_path / "checkpoint.pt")
    assert state["step"] == 5
    assert back.config == model.config
    assert equal(back.state_dict(), model.state_dict())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.pt"], "nothing half-written is left"


def test_unknown_labels_do_not_count() -> None:
    nan = float("nan")
    logits = torch.tensor([[0.0, 9.0], [-9.0, 0.0]], requires_grad=True)
    loss = pair_loss(logits, torch.tensor([[1.0, nan], [nan, 0.0]]))
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == [[-0.25, 0.0], [0.0, 0.25]]


def test_logits_are_in_the_rows_order(tiny_base_folder: Path) -> None:
    model, tokenizer = Model(tiny_config(tiny_base_folder)).eval(), plain_tokenizer(tiny_base_folder)
    pairs = [replace(row, document=row.document + " bus" * (7 * number % 50)) for number, row in enumerate(toy(20, 3))]
    together = logits_of(model, Rows(pairs, tokenizer), tokens=200)
    alone = np.concatenate([logits_of(model, Rows([pair], tokenizer)) for pair in pairs])
    assert np.abs(together - alone).max() < 0.05, "but for bfloat16"
    assert np.corrcoef(together[:, 0], alone[:, 0])[0, 1] > 0.98


def test_heldout_figures_by_hand(tiny_base_folder: Path) -> None:
    labels = [("a", 1, 1), ("a", 0, 1), ("a", 0, None), ("b", 1, 1), ("b", 1, 0), ("b", None, 0)]
    pairs = [Pair(str(n), "bus", p, q, "general", source, str(n)) for n, (source, p, q) in enumerate(labels)]
    logits = np.array([[3, 0], [1, 0], [5, 9], [0, 2], [0, 1], [0, 3]], np.float32)
    figures = heldout_figures(Rows(pairs, plain_tokenizer(tiny_base_folder)), logits)
    assert figures == {"pairs": {"a": 0.5}, "passages": {"b": 0.5}}, "a source with one label has no figure"


def test_rounded_rows_are_those_of_a_blob() -> None:
    rows = torch.nn.functional.normalize(torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    rows.requires_grad_()
    found = rounded(rows)
    stored = torch.from_numpy(
        np.rint(rows.detach().numpy() * (127 / np.abs(rows.detach().numpy()).max(-1, keepdims=True)))
    )
    assert torch.allclose(found, torch.nn.functional.normalize(stored, dim=-1), atol=1e-6)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert rows.grad is not None
    assert torch.equal(rows.grad, torch.ones_like(rows)), "the gradient passes as if nothing was rounded"


def test_plain_tokenizer_neither_pads_nor_cuts(tiny_base_folder: Path) -> None:
    tokenizer = plain_tokenizer(tiny_base_folder)
    lengths = [len(code.ids) for code in tokenizer.encode_batch(["bus", "bus " * 1000])]
    assert lengths == [3, 1002]


def test_ranking_loss_by_hand() -> None:
    # two true pairs and two near-misses; 0 and 1 share a query, 2 and 3 a document, 0 and 3 nothing
    labels = torch.tensor([[1.0, 1.0], [0.0, float("nan")], [1.0, 0.0], [0.0, 0.0]])
    none = torch.zeros(4, 1, dtype=torch.long)
    batch = Batch(none, none, none, none, labels, torch.tensor([1, 1, 2, 3]), torch.tensor([4, 5, 6, 6]))
    logits = torch.tensor([[2.0, 9.0], [1.0, 9.0], [0.0, 9.0], [3.0, 9.0]])
    gaps = [1.0 - 2.0, 3.0 - 0.0]  # the near-miss less the true pair that it shares a text with, profile pairs
    assert float(ranking_loss(logits, batch)) == pytest.approx(np.mean(np.log1p(np.exp(gaps))))
    crossed = replace(batch, query_texts=torch.tensor([1, 2, 3, 4]), document_texts=torch.tensor([5, 6, 7, 1]))
    gaps = [3.0 - 2.0, 9.0 - 9.0]  # 0 and 3 share a text, each on its side; under either profile
    assert float(ranking_loss(logits, crossed)) == pytest.approx(np.mean(np.log1p(np.exp(gaps))))
    alone = replace(batch, query_texts=torch.arange(4), document_texts=torch.arange(4, 8))
    assert float(ranking_loss(logits, alone)) == 0


def test_a_run_that_ranks_learns(tiny_base_folder: Path, tmp_path: Path) -> None:
    told = Told()
    config = config_of(tiny_base_folder, ranking=1.0)
    fit(config, MIXTURE, tmp_path, told)
    assert told.losses[-1] < told.losses[0]
