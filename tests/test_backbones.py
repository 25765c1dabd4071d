"""Base models of several kinds, from a folder to a bundle that serves: split, trained and exported."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from bases import plain_base, saved_base
from sentence_transformers import SentenceTransformer
from test_train import toy
from tiny import tiny_config
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel

from onnx_export.base import plain_tokenizer
from onnx_export.checkpoint import load_checkpoint
from onnx_export.config import VerifierConfig
from onnx_export.convert import RECALL_GAP, convert, write_graphs
from onnx_export.evaluation.graphs import batch_invariance, recall_parity
from onnx_export.graphs import INT8_PART, export_encoder, shrink
from onnx_export.lab.scorers import scorer_of
from onnx_export.mixture import Mixture
from onnx_export.model import Model
from onnx_export.pair import Pair
from onnx_export.parity import recall_gap
from onnx_export.stem import Stem
from onnx_export.token_encoder import TokenEncoder
from onnx_export.train import fit
from onnx_export.trainable import ChannelDropout
from plugin_server import Bundle, Reranker, Settings
from plugin_server.bundle import ENCODER, TOKENIZER
from plugin_server.encoder import Encoder

#: Kinds of which a bundle is made, and those of which the encoder alone is.
SERVED = ["bert", "modernbert", "roberta", "mpnet"]
SCRIPTED = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")
SPLIT = [*SERVED, "distilbert", "electra", pytest.param("deberta-v2", marks=SCRIPTED)]
TEXTS = [
    "bus",
    "The station is on a hill, and the last bus leaves at ten.",
    "Which train leaves before noon? The express leaves at 11:40.",
    "The shop sells bread. " * 40,
]


@pytest.fixture(scope="module", params=SERVED)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model of each kind as sentence-transformers saves it, the second pooled by its first token."""
    folder = tmp_path_factory.mktemp(request.param)
    return saved_base(folder, request.param, "cls" if request.param == "modernbert" else "mean")


@pytest.fixture(scope="module")
def checkpoint(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps."""
    config = tiny_config(base, steps=6, warmup=1, batch_tokens=400, threads=1)
    config = replace(config, mixture={"paws_wiki": 1.0})
    rows = [replace(row, source="paws_wiki") for row in toy(60, 1)]
    counts = {"train": {"paws_wiki": 40}, "heldout": {"paws_wiki": 20}, "dropped_as_overlap": {}}
    before = torch.get_num_threads()
    path = fit(config, Mixture(rows[:40], rows[40:], counts), tmp_path_factory.mktemp("run"), lambda *_: None)
    torch.set_num_threads(before)
    return path


@pytest.fixture(scope="module")
def bundle(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(checkpoint, tmp_path_factory.mktemp("bundle"))


def ids_and_mask(batch: int, tokens: int, filler: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random ids, ever more of the end padded with the filler."""
    ids = torch.randint(5, 600, (batch, tokens), generator=torch.Generator().manual_seed(batch * 100 + tokens))
    lengths = (tokens - torch.arange(batch) * (tokens // (batch + 1))).clamp_min(1)
    mask = (torch.arange(tokens)[None] < lengths[:, None]).long()
    return ids * mask + filler * (1 - mask), mask


def test_frozen_parts_stay_and_the_branch_moves(checkpoint: Path) -> None:
    model, _ = load_checkpoint(checkpoint)
    torch.manual_seed(model.config.training.seed)
    before, after = Model(model.config).state_dict(), model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert all(name.startswith(("encoder.branch.", "encoder.projection.", "verifier.")) for name in moved)
    numbers = {name.split(".")[2] for name in moved if name.startswith("encoder.branch.")}
    assert numbers == {str(number) for number in range(len(model.encoder.branch))}, "every layer, and the final norm"


def test_parity(bundle: Bundle) -> None:
    figures = bundle.manifest.quality["parity"]
    assert figures["onnx_recall_cosine_gap"] < 1e-5
    assert figures["onnx_token_rows"] < 1e-4
    assert figures["shipped_recall_cosine_gap"] < RECALL_GAP
    assert figures["shipped_token_rows"] < 0.1


def test_recall_is_that_of_sentence_transformers(base: Path, bundle: Bundle) -> None:
    wanted = SentenceTransformer(str(base), device="cpu").encode(TEXTS)
    found = np.stack([item.vectors[0] for item in Encoder(bundle, Settings(threads=1)).documents(TEXTS)])
    assert (found * wanted).sum(1).min() >= 0.9999
    assert bundle.manifest.window_tokens == 100, "where sentence-transformers cuts"


def test_a_text_is_encoded_alike_in_any_batch(bundle: Bundle) -> None:
    encoder = Encoder(bundle, Settings(threads=1))
    texts = [*TEXTS, "ten", "noon " * 60]
    alone = [encoder.documents([text])[0] for text in texts]
    order = Random(1).sample(range(len(texts)), len(texts))
    for number, item in zip(order, encoder.documents([texts[number] for number in order]), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(item.windows, alone[number].windows, strict=True))
        assert np.abs(item.vectors - alone[number].vectors).max() < 1e-5


def test_an_evaluation_finds_the_base_model(bundle: Bundle) -> None:
    reranker = Reranker(bundle, Settings(threads=1))
    figures = recall_parity(reranker, [*TEXTS, *(text * 3 for text in TEXTS)], lambda *_: None)
    assert figures["lowest"] >= 0.9999
    assert figures["longer_than_a_window"] == 2
    pairs = [*toy(6, 2), Pair(TEXTS[1], TEXTS[3], 1, 1, "general", "toy", "long")]
    moved = batch_invariance(reranker, pairs, lambda *_: None)
    assert moved["served"] < 1e-5
    assert moved["encoder_graph"] < 0.05, "another width may move a number by a step of its rounding"


def test_a_long_text_has_windows(bundle: Bundle) -> None:
    reranker = Reranker(bundle, Settings(threads=1))
    long = Encoder(bundle, Settings(threads=1)).documents([TEXTS[3]])[0]
    assert len(long.windows) > 1
    assert [len(window) for window in long.windows[:-1]] == [100] * (len(long.windows) - 1)
    hits = reranker.rerank("the shop sells bread", TEXTS[1:], policy="annotate").hits
    assert {hit.verdict.outcome.value for hit in hits} <= {"accepted", "rejected"}


def test_words_are_words(bundle: Bundle) -> None:
    """Pieces of bytes carry the space before a word; a word's place does not."""
    text = "the last  bus, leaves"
    spans = [span for span in Encoder(bundle, Settings(threads=1)).query(text).words if span]
    assert {text[start:end] for start, end in spans} == {"the", "last", "bus", ",", "leaves"}


def test_int8_weights_are_the_branchs_alone(checkpoint: Path, tmp_path: Path) -> None:
    model, _ = load_checkpoint(checkpoint)
    export_encoder(model.encoder, tmp_path / "full.onnx")
    shrink(tmp_path / "full.onnx", tmp_path / "small.onnx")
    nodes = onnx.load(str(tmp_path / "small.onnx")).graph.node
    stored = {node.output[0]: node.input[0] for node in nodes if node.op_type in ("Mul", "Cast")}
    products = {node.name: stored.get(node.input[1], "") for node in nodes if node.op_type == "MatMul"}
    int8 = {name for name, source in products.items() if source.endswith(".float")}
    half = {name for name, source in products.items() if source.endswith(".float16")}
    assert int8
    assert all(name.startswith(INT8_PART) for name in int8)
    assert {name.split("/")[1].split(".")[0] for name in half} == {"shared", "recall"}


def test_embeddings_are_int8_where_recall_bears_it(bundle: Bundle, checkpoint: Path, tmp_path: Path) -> None:
    """ModernBERT's weights are drawn so wide here that it does not; BERT's width of 48 has no whole blocks."""
    names = [tensor.name for tensor in onnx.load(str(bundle.folder / ENCODER)).graph.initializer]
    tables = [name for name in names if "embeddings" in name and name.endswith(".int8")]
    model, _ = load_checkpoint(checkpoint)
    kind = model.encoder.config.model_type
    assert bool(tables) == (kind in ("roberta", "mpnet"))
    if kind == "modernbert":
        (tmp_path / "small").mkdir()
        write_graphs(model, tmp_path, tmp_path / "small", [])
        codes = [code.ids for code in plain_tokenizer(bundle.folder).encode_batch(TEXTS)]
        assert recall_gap(tmp_path / ENCODER, tmp_path / "small" / ENCODER, codes) > RECALL_GAP
        assert recall_gap(tmp_path / ENCODER, bundle.folder / ENCODER, codes) < RECALL_GAP


@pytest.mark.parametrize("kind", SPLIT)
def test_parts_compute_what_the_whole_computes(kind: str, tmp_path: Path) -> None:
    folder = plain_base(tmp_path / kind, kind)
    whole = AutoModel.from_pretrained(str(folder), attn_implementation="eager").eval()
    encoder = TokenEncoder(folder, 1, 16).eval()
    assert isinstance(encoder.embeddings, Stem) != (kind == "bert")
    for batch, tokens in [(1, 4), (3, 40), (2, 112)]:
        ids, mask = ids_and_mask(batch, tokens)
        with torch.no_grad():
            hidden = whole(input_ids=ids, attention_mask=mask).last_hidden_state
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            recall, rows = encoder(ids, mask)
        assert torch.allclose(recall, nn.functional.normalize(mean, dim=-1), atol=1e-5)
        assert rows.shape == (batch, tokens, 16)
        assert not rows[mask == 0].any(), "rows of padding are zero"


@pytest.mark.parametrize("kind", SPLIT)
def test_onnx_is_torch_whatever_pads(kind: str, tmp_path: Path) -> None:
    encoder = TokenEncoder(plain_base(tmp_path / kind, kind), 2, 16).eval()
    export_encoder(encoder, tmp_path / "encoder.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"))
    assert [item.shape[-1] for item in session.get_outputs()] == [encoder.config.hidden_size, 16]
    for filler in (0, 1, 4):
        for batch, tokens in [(1, 3), (4, 48), (2, 128)]:
            ids, mask = ids_and_mask(batch, tokens, filler)
            with torch.no_grad():
                wanted = [part.numpy() for part in encoder(ids_and_mask(batch, tokens)[0], mask)]
            found = session.run(["recall", "tokens"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
            assert all(np.abs(a - b).max() < 2e-5 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("kind", "shared"), [("bert", 0), ("modernbert", 0), ("modernbert", 3), ("mpnet", 2)])
def test_token_rows_from_hidden_states_that_were_kept(kind: str, shared: int, tmp_path: Path) -> None:
    encoder = TokenEncoder(plain_base(tmp_path / kind, kind), shared, 16).eval()
    ids, mask = ids_and_mask(3, 40)
    with torch.no_grad():
        hidden, calls = encoder.lower(ids, mask)
        kept = encoder.token_rows(hidden, encoder.calls(hidden, mask))
        assert torch.equal(kept, encoder.token_rows(hidden, calls))


@pytest.mark.parametrize("verifier", ["cross", "dual", "mean"])
def test_systems_to_compare_with_train_on_any_kind(base: Path, verifier: str, tmp_path: Path) -> None:
    """A cross-encoder, a dual encoder, and a frozen encoder whose rows are the base model's own."""
    config = tiny_config(base, steps=2, warmup=0, batch_tokens=400, threads=1)
    config = replace(config, verifier=VerifierConfig(verifier, {}), mixture={"toy": 1.0})
    config = replace(config, encoder=replace(config.encoder, frozen=verifier == "mean"))
    before = torch.get_num_threads()
    counts = {"train": {"toy": 40}, "heldout": {"toy": 20}, "dropped_as_overlap": {}}
    path = fit(config, Mixture(toy(40, 1), toy(20, 2), counts), tmp_path / "run", lambda *_: None, tmp_path / "lower")
    torch.set_num_threads(before)
    model, _ = load_checkpoint(path)
    trained = {name.split(".")[0] for name in model.trained()}
    assert trained == {"cross": {"base", "head"}, "dual": {"base"}, "mean": {"verifier"}}[verifier]
    pairs = [(row.query, row.document) for row in toy(4, 3)]
    assert np.isfinite(scorer_of(model, 8).scores(pairs)).all()


def test_local_attention_is_local(tmp_path: Path) -> None:
    """The recorded masks reach the layers: with every layer local, a far word changes nothing."""
    folder = plain_base(tmp_path / "base", "modernbert")
    config = json.loads((folder / "config.json").read_text())
    ids, mask = ids_and_mask(1, 60)
    changed = ids.clone()
    changed[0, 59] += 1
    reach = []
    for every in (3, 100):
        (folder / "config.json").write_text(json.dumps(config | {"global_attn_every_n_layers": every}))
        encoder = TokenEncoder(folder, 1, 16).eval()
        with torch.no_grad():
            hidden, calls = encoder.lower(ids, mask)
            one = encoder.token_rows(hidden, calls)
            # only what is above the shared layers, of which the first is always global
            hidden[0, 59] += 1
            reach.append(float((encoder.token_rows(hidden, calls) - one)[0, 20].abs().max()))
    assert reach[0] > 0
    assert reach[1] == 0


def test_dropout_is_of_channels_and_spares_attention(tmp_path: Path) -> None:
    for kind in ("distilbert", "modernbert", "bert"):
        config = tiny_config(plain_base(tmp_path / kind, kind), dropout=1)
        model = Model(replace(config, training=replace(config.training, dropout=0.5)))
        drops = [part for part in model.encoder.branch.modules() if isinstance(part, nn.Dropout)]
        assert drops and all(isinstance(part, ChannelDropout) and part.p == 0 for part in drops)
        assert not any(isinstance(part, ChannelDropout) for part in model.encoder.recall.modules())
    drop = ChannelDropout(0.5).train()
    weights = torch.rand(2, 3, 5, 5)
    assert drop(weights) is weights, "weights of attention stay whole"
    dropped = drop(torch.ones(4, 6, 32))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped)), "one draw for all tokens"


def test_lighter_layers_keep_their_rotary_frequencies(tmp_path: Path) -> None:
    model = Model(tiny_config(plain_base(tmp_path / "base", "modernbert"))).lighten()
    shared = model.encoder.shared
    assert {tensor.dtype for tensor in shared.parameters()} == {torch.bfloat16}
    assert {tensor.dtype for tensor in shared.buffers()} == {torch.float32}


def test_it_serves_without_torch(bundle: Bundle) -> None:
    code = (
        "import sys; from plugin_server import Bundle, Reranker; "
        f"reranker = Reranker(Bundle.open({str(bundle.folder)!r})); "
        "print(len(reranker.rerank('a bus', ['the bus', 'a hill'], policy='annotate').hits), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]


def test_the_tokenizer_is_the_bases(base: Path, bundle: Bundle) -> None:
    own, served = (Tokenizer.from_file(str(folder / TOKENIZER)) for folder in (base, bundle.folder))
    assert own.get_vocab() == served.get_vocab()
    assert (bundle.folder / ENCODER).is_file()
