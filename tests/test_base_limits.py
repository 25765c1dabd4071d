"""Base models that cannot be split, and windows that do not fit: errors that name the field, the limit and the fix."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bases import plain_base
from safetensors.torch import load_file, save_file
from tiny import tiny_bundle, tiny_config
from tokenizers import Tokenizer, processors
from transformers import ViTConfig

from onnx_export.base import plain_tokenizer
from onnx_export.config import Config
from onnx_export.errors import BadConfig, BaseModelUnsupported
from onnx_export.model import Model
from onnx_export.token_encoder import TokenEncoder
from onnx_export.verifiers.maps import LONGEST
from plugin_server import Reranker, Settings
from plugin_server.bundle import TOKENIZER
from plugin_server.encoder import Encoder


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ModernBERT with positions for 1024 tokens."""
    return plain_base(tmp_path_factory.mktemp("modern"), "modernbert")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("albert", "a albert has no list of its 3 layers"),
        ("gpt2", "a gpt2 is a decoder, its words do not see what follows"),
        ("t5", "a t5 has encoder and decoder"),
    ],
)
def test_kinds_that_cannot_be_split(kind: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BaseModelUnsupported, match=f"base: .*{message}"):
        TokenEncoder(plain_base(tmp_path, kind), 1, 16)


def changed(folder: Path, **entries: Any) -> Path:
    """A BERT's folder whose configuration says something else."""
    path = plain_base(folder, "bert") / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    return folder


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"num_attention_heads": 5}, r"The hidden size \(48\) is not a multiple of the number of attention heads"),
        ({"num_hidden_layers": 4}, r"its weights lack encoder\.layer\.3\.attention"),
        ({"model_type": "colour"}, "transformers has no encoder for it"),
    ],
)
def test_configurations_that_do_not_fit(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    with pytest.raises(BaseModelUnsupported, match=message):
        TokenEncoder(changed(tmp_path, **entries), 1, 16)


def test_a_model_of_pictures(tmp_path: Path) -> None:
    ViTConfig().save_pretrained(tmp_path)
    with pytest.raises(BaseModelUnsupported, match="a vit reads no text"):
        TokenEncoder(tmp_path, 1, 16)


def test_code_of_a_folder_is_never_run(tmp_path: Path) -> None:
    names = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    folder = changed(tmp_path / "base", model_type="own", auto_map=names)
    (folder / "own.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    with pytest.raises(BaseModelUnsupported, match="transformers has no encoder for it"):
        TokenEncoder(folder, 1, 16)
    assert not (tmp_path / "run").exists()


def test_weights_that_are_missing_or_broken(tmp_path: Path) -> None:
    folder = plain_base(tmp_path, "bert")
    weights = load_file(folder / "model.safetensors")
    weights.pop("encoder.layer.1.output.dense.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BaseModelUnsupported, match=r"its weights lack encoder\.layer\.1\.output\.dense\.weight"):
        TokenEncoder(folder, 1, 16)
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(BaseModelUnsupported, match="transformers has no encoder for it"):
        TokenEncoder(folder, 1, 16)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BaseModelUnsupported, match="no file named"):
        TokenEncoder(folder, 1, 16)


@pytest.mark.parametrize(
    ("layers", "message"),
    [(-1, "the base model has 4 layers"), (5, "the base model has 4 layers"), (4, "every layer.*give 0 to 3")],
)
def test_layers_that_are_not_there(modern: Path, layers: int, message: str) -> None:
    config = tiny_config(modern)
    with pytest.raises(BadConfig, match=f"encoder: shared_layers: {layers}: .*{message}"):
        Model(replace(config, encoder=replace(config.encoder, shared_layers=layers)))


def test_a_tokenizer_must_mark_both_ends(modern: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(modern / TOKENIZER))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.save(str(tmp_path / TOKENIZER))
    with pytest.raises(BaseModelUnsupported, match="puts 1 marks around a text: 2 are needed"):
        plain_tokenizer(tmp_path)


def windowed(base: Path, window: int, overlap: int = 32, **shape: int) -> Config:
    """A tiny configuration with that window."""
    config = tiny_config(base)
    encoder = replace(config.encoder, window=window, overlap=overlap)
    return replace(config, encoder=encoder, verifier=replace(config.verifier, shape=config.verifier.shape | shape))


@pytest.mark.parametrize(
    ("window", "overlap", "shape", "message"),
    [
        (2000, 32, {}, "window: 2000 tokens: the base model has positions for 1024: give 3 to 1024"),
        (-1, 32, {}, "window: -1 tokens"),
        (1024, 32, {}, r"the verifier has positions for 512: give fewer, or shape\.longest = 1024 in \[verifier\]"),
        (1024, 32, {"longest": 1000}, "the verifier has positions for 1000"),
        (64, 62, {}, "overlap: 62 tokens: give 0 to 61, for windows of 64"),
        (64, -1, {}, "overlap: -1 tokens"),
    ],
)
def test_windows_that_do_not_fit(modern: Path, window: int, overlap: int, shape: dict[str, int], message: str) -> None:
    with pytest.raises(BadConfig, match=f"encoder: .*{message}"):
        Model(windowed(modern, window, overlap, **shape))


def test_a_window_is_padded_within_the_base_models_positions(tmp_path: Path) -> None:
    """130 positions, of which RoBERTa's kind uses 128: what serving pads to must be among them."""
    folder = plain_base(tmp_path, "roberta")
    assert Model(windowed(folder, 0)).window == 128
    with pytest.raises(BadConfig, match="the base model has positions for 128: give 3 to 128"):
        Model(windowed(folder, 129))


@pytest.mark.parametrize(("window", "found"), [(0, 256), (LONGEST, LONGEST), (100, 100)])
def test_windows_that_fit(modern: Path, window: int, found: int) -> None:
    assert Model(windowed(modern, window)).window == found


def test_a_long_window_serves(modern: Path, tmp_path: Path) -> None:
    """A text of 700 tokens in one window, read whole by encoder and verifier."""
    bundle = tiny_bundle(modern, tmp_path, config=windowed(modern, 1000, 64, longest=1024))
    assert (bundle.manifest.window_tokens, bundle.manifest.window_overlap) == (1000, 64)
    text = "the bus " * 250 + "leaves at ten"
    encoded = Encoder(bundle, Settings(threads=1)).documents([text, "bus " * 900])
    assert [len(item.windows) for item in encoded] == [1, 2]
    assert len(encoded[0].windows[0]) > LONGEST
    reranker = Reranker(bundle, Settings(threads=1))
    [alone] = reranker.verify_pairs([("the bus leaves", text)])
    beside = reranker.verify_pairs([("the bus leaves", text), ("a hill", "bread")])[0]
    assert np.isfinite(alone.probability)
    assert abs(alone.probability - beside.probability) < 1e-5
