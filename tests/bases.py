"""Small base models with random weights, of several kinds of encoder, saved as sentence-transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AutoModel,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    ModernBertConfig,
    MPNetConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
)

from plugin_server.demo import CORPUS

#: Marks in the order of their ids: padding comes first, second or last.
BERT_MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_MARKS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
MODERN_MARKS = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]"]
VOCABULARY = 700
SIZE = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 96}
WIDE = {"initializer_range": 0.1, "vocab_size": VOCABULARY}


def config_of(kind: str) -> PretrainedConfig:
    """A small model's configuration; weights are drawn wide, so that words matter to each other."""
    known: dict[str, PretrainedConfig] = {
        "bert": BertConfig(**WIDE, **SIZE | {"hidden_size": 48}),
        "modernbert": ModernBertConfig(
            **WIDE | {"initializer_range": 0.3},
            **SIZE | {"num_hidden_layers": 4},
            max_position_embeddings=1024,
            local_attention=8,
            pad_token_id=4,
            cls_token_id=1,
            bos_token_id=1,
            sep_token_id=2,
            eos_token_id=2,
        ),
        "roberta": RobertaConfig(**WIDE, **SIZE, max_position_embeddings=130, type_vocab_size=1),
        "mpnet": MPNetConfig(**WIDE, **SIZE, max_position_embeddings=130, pad_token_id=1),
        "distilbert": DistilBertConfig(
            **WIDE, dim=64, n_layers=3, n_heads=2, hidden_dim=96, max_position_embeddings=128
        ),
        "electra": ElectraConfig(**WIDE, **SIZE, embedding_size=32),
        "deberta-v2": DebertaV2Config(
            **WIDE, **SIZE, relative_attention=True, pos_att_type=["p2c", "c2p"], position_biased_input=False
        ),
        "albert": AlbertConfig(**WIDE, **SIZE, embedding_size=32),
        "gpt2": GPT2Config(**WIDE, n_embd=64, n_layer=3, n_head=2),
        "t5": T5Config(vocab_size=VOCABULARY, d_model=64, d_ff=96, d_kv=32, num_layers=3, num_heads=2),
    }
    return known[kind]


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    """A tokenizer as the kind has it, trained on the demo's corpus: WordPiece, or pieces of bytes."""
    texts = [json.loads(line)["text"] for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    marks = {"roberta": ROBERTA_MARKS, "mpnet": ROBERTA_MARKS, "modernbert": MODERN_MARKS}.get(kind, BERT_MARKS)
    named = {mark.strip("[]</>").lower(): mark for mark in marks}
    first, last = named.get("cls", "<s>"), named.get("sep", "</s>")
    pad, unknown = named["pad"], named["unk"]
    options: dict[str, Any] = {"vocab_size": VOCABULARY, "special_tokens": marks, "show_progress": False}
    if kind in ("roberta", "modernbert"):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **options)
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(**options)
    tokenizer.train_from_iterator(texts, trainer)
    ids = [(mark, tokenizer.token_to_id(mark)) for mark in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ids)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        unk_token=unknown,
        cls_token=first,
        sep_token=last,
        mask_token=named["mask"],
        model_input_names=["input_ids", "attention_mask"],
    )


def plain_base(folder: Path, kind: str) -> Path:
    """The folder, with a model and its tokenizer as transformers saves them."""
    torch.manual_seed(3)
    AutoModel.from_config(config_of(kind)).save_pretrained(folder)
    tokenizer_of(kind).save_pretrained(folder)
    return folder


def sentence_base(folder: Path, kind: str, pooling: str = "mean", longest: int = 100) -> Path:
    """A folder with such a model in the form that most models on the hub have."""
    plain_base(folder, kind)
    steps = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
        for number, (path, name) in enumerate(steps.items())
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": longest, "do_lower_case": False}))
    (folder / "1_Pooling").mkdir()
    named = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens"}
    read = {key: name == pooling for name, key in named.items()} | {
        "word_embedding_dimension": config_of(kind).hidden_size
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(read))
    return folder


def saved_base(folder: Path, kind: str, pooling: str = "mean") -> Path:
    """The folder, with such a model as today's sentence-transformers saves it."""
    SentenceTransformer(str(sentence_base(folder / "older", kind, pooling)), device="cpu").save(str(folder / "saved"))
    return folder / "saved"
