"""How sentence-transformers makes a text's embedding with a base model, read from the model's folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from onnx_export.errors import BaseModelUnsupported

#: Modules of sentence-transformers that the recall branch can stand for.
MODULES = ("Transformer", "Pooling", "Normalize")
#: Poolings that it knows.
POOLINGS = ("mean", "cls")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What happens to a text before and after the encoder.

    Attributes:
        pooling: ``mean`` over the words, or ``cls``: the first one.
        longest: tokens at which a text is cut; None where the folder does not say.
    """

    pooling: str = "mean"
    longest: int | None = None

    def vector(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The embedding (b, h), unit length, of hidden states (b, t, h) with their mask (b, t)."""
        if self.pooling == "cls":
            return F.normalize(hidden[:, 0], dim=-1)
        keep = mask[:, :, None].to(hidden.dtype)
        return F.normalize((hidden * keep).sum(1) / keep.sum(1), dim=-1)

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """The recipe of a folder that sentence-transformers saved; the mean of all words for any other.

        Raises:
            BaseModelUnsupported: the folder asks for a step that the recall branch does not have.
        """
        pooling = folder / "1_Pooling"
        for module in _read(folder / "modules.json", []):
            kind = str(module.get("type", "")).rpartition(".")[2]
            if kind not in MODULES:
                raise BaseModelUnsupported(f"base: {folder}: modules.json names {kind}: only {', '.join(MODULES)} work")
            if kind == "Pooling":
                pooling = folder / str(module.get("path", ""))
        read = _read(folder / "sentence_bert_config.json", {})
        if read.get("do_lower_case"):
            raise BaseModelUnsupported(
                f"base: {folder}: sentence_bert_config.json asks for do_lower_case: give a base whose tokenizer does it"
            )
        longest = read.get("max_seq_length") or _read(folder / "tokenizer_config.json", {}).get("model_max_length")
        return cls(_pooling(_read(pooling / "config.json", {}), folder), int(longest) if longest else None)


def _read(path: Path, missing: Any) -> Any:
    """The file's JSON, of the type of ``missing``, which stands for a file that is not there."""
    if not path.is_file():
        return missing
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BaseModelUnsupported(f"base: {path}: not valid JSON: {error}") from error
    if not isinstance(value, type(missing)):
        raise BaseModelUnsupported(f"base: {path}: must hold a JSON {'object' if missing == {} else 'list'}")
    return value


def _pooling(read: dict[str, Any], folder: Path) -> str:
    """The pooling that a module's settings name, in the form of today or in that of before sentence-transformers 5."""
    old = [key for key, value in read.items() if key.startswith("pooling_mode_") and value]
    named = read.get("pooling_mode") or [key.split("_")[2] for key in old] or "mean"
    modes = [named] if isinstance(named, str) else list(named)
    if len(modes) != 1 or modes[0] not in POOLINGS or "pooling_mode_mean_sqrt_len_tokens" in old:
        raise BaseModelUnsupported(
            f"base: {folder}: its pooling is {', '.join(old or modes)}: the recall branch knows {', '.join(POOLINGS)}"
        )
    return str(modes[0])
