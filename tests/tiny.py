"""A tiny base model with random weights, and a bundle on it: real graphs that load in a moment."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

from onnx_export.calibration import Calibration
from onnx_export.config import Config, EncoderConfig, TrainingConfig, VerifierConfig
from onnx_export.convert import BITS, assemble, write_graphs
from onnx_export.model import Model
from onnx_export.parity import parity
from plugin_server.bundle import PROFILES, TOKENIZER, Bundle
from plugin_server.demo import CORPUS

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tiny_base(folder: Path) -> Path:
    """The folder, with a two-layer BERT of 32 channels and a WordPiece tokenizer trained on the demo's corpus."""
    texts = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=800, special_tokens=MARKS, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER))
    torch.manual_seed(1)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=tokenizer.get_vocab_size(), **size)).save_pretrained(folder)
    return folder


def tiny_config(base: Path, kind: str = "alignment", **training: int) -> Config:
    """A configuration of the tiny base model."""
    shape = {"width": 32, "layers": 1} | ({"narrow": 16, "place": 8} if kind == "alignment" else {})
    return Config(
        encoder=EncoderConfig(str(base), shared_layers=1, dimension=16),
        verifier=VerifierConfig(kind, shape),
        training=TrainingConfig(**training),
    )


def tiny_bundle(base: Path, folder: Path, kind: str = "alignment", config: Config | None = None) -> Bundle:
    """A bundle with random weights, written into the folder."""
    torch.manual_seed(2)
    model = Model(config or tiny_config(base, kind)).eval()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TOKENIZER).write_bytes((base / TOKENIZER).read_bytes())
    with TemporaryDirectory() as full:
        write_graphs(model, Path(full), folder)
        compared = parity(model, Path(full), folder, BITS)
    knobs = Calibration({profile: {"threshold": 0.5} for profile in PROFILES}, 0.5)
    return assemble(model, folder, "tiny", knobs, {}, {"parity": compared})
