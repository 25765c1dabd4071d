"""Which folder a base model's name stands for, and what that folder says of its embedding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from onnx_export.base import BASE_NAME, base_folder, base_licence, base_name
from onnx_export.errors import BaseModelMissing, BaseModelUnsupported
from onnx_export.recipe import Recipe

#: What an installed checkout asks for a base model by name, without network and with a cache of its own.
ASK = "import sys; from onnx_export.base import base_folder; print(base_folder(sys.argv[1]))"
REVISION = "0" * 40


def ask(name: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """The folder on standard output, or the error."""
    settings = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    return subprocess.run([sys.executable, "-c", ASK, name], capture_output=True, text=True, env=settings, check=False)


def cached(cache: Path, name: str, *files: str) -> Path:
    """A snapshot in the hub's cache."""
    model = cache / f"models--{name.replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(REVISION)
    snapshot = model / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    for file in files:
        (snapshot / file).write_text("{}")
    return snapshot


def test_the_packaged_model_has_three_names() -> None:
    assert base_folder() == base_folder("all-MiniLM-L6-v2") == base_folder(BASE_NAME)
    assert (base_folder() / "config.json").is_file()
    assert base_licence(base_folder()) == "apache-2.0"


def test_a_folder_is_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert base_name("gte-small") == "thenlper/gte-small"
    Path("gte-small").mkdir()
    assert base_name("gte-small") == "gte-small"
    with pytest.raises(BaseModelMissing, match=r"base: gte-small holds no config\.json"):
        base_folder("gte-small")
    Path("gte-small/config.json").write_text("{}")
    with pytest.raises(BaseModelMissing, match=r"base: gte-small holds no tokenizer\.json"):
        base_folder("gte-small")
    Path("gte-small/tokenizer.json").write_text("{}")
    assert base_folder("gte-small") == Path("gte-small")


def test_what_the_cache_holds_is_taken_from_there(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "thenlper/gte-small", "config.json", "tokenizer.json", "model.safetensors")
    for name in ("gte-small", "thenlper/gte-small"):
        assert ask(name, tmp_path).stdout.strip() == str(snapshot)


@pytest.mark.parametrize(
    ("name", "message", "remark"),
    [
        (
            "gte-small",
            "base: 'thenlper/gte-small' is no folder, not in the Hugging Face hub's cache",
            "not in the cache",
        ),
        (
            "nobody/such-a-model",
            "one of all-MiniLM-L6-v2, all-MiniLM-L12-v2, gte-small",
            "it names what there is",
        ),
        ("a/b/c", "(Repo id must be in the form", "not the form of a name"),
        ("gte-modernbert-base", "holds no tokenizer.json", "the cache has its configuration alone"),
    ],
)
def test_a_name_that_cannot_be_had(tmp_path: Path, name: str, message: str, remark: str) -> None:
    cached(tmp_path, "Alibaba-NLP/gte-modernbert-base", "config.json")
    told = ask(name, tmp_path)
    assert told.returncode == 1
    line = told.stderr.strip().splitlines()[-1]
    assert line.startswith("onnx_export.errors.BaseModelMissing: base: ")
    assert message in line, remark
    assert "give the folder of a transformers encoder" in line


@pytest.mark.parametrize(
    ("card", "licence"),
    [("---\nlicense: mit\n---\n# A model\n", "mit"), ("# A model\n", "unknown"), ("---\ntags: [a]\n---\n", "unknown")],
)
def test_licence(tmp_path: Path, card: str, licence: str) -> None:
    assert base_licence(tmp_path) == "unknown"
    (tmp_path / "README.md").write_text(card)
    assert base_licence(tmp_path) == licence


def write(folder: Path, **files: object) -> Path:
    """The folder with JSON files: ``pooling`` in its own folder, ``modules``, ``body`` and ``tokenizer`` beside."""
    names = {"modules": "modules.json", "body": "sentence_bert_config.json", "tokenizer": "tokenizer_config.json"}
    (folder / "1_Pooling").mkdir()
    for name, content in files.items():
        (folder / names.get(name, "1_Pooling/config.json")).write_text(json.dumps(content))
    return folder


OLD = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}


@pytest.mark.parametrize(
    ("files", "recipe", "remark"),
    [
        ({}, Recipe("mean", None), "a folder of transformers"),
        ({"pooling": OLD}, Recipe("mean", None), "older form"),
        ({"pooling": OLD | {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}}, Recipe("cls"), "cls"),
        ({"pooling": {"pooling_mode": "cls", "include_prompt": True}}, Recipe("cls"), "form of today"),
        ({"body": {"max_seq_length": 128}, "tokenizer": {"model_max_length": 512}}, Recipe("mean", 128), "L12 cuts so"),
        ({"tokenizer": {"model_max_length": 512}}, Recipe("mean", 512), "told by the tokenizer"),
        ({"modules": [{"type": "sentence_transformers.models.Normalize"}]}, Recipe(), "known modules"),
    ],
)
def test_recipe(tmp_path: Path, files: dict[str, object], recipe: Recipe, remark: str) -> None:
    assert Recipe.read(write(tmp_path, **files)) == recipe, remark


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"pooling": OLD | {"pooling_mode_max_tokens": True}},
            "its pooling is pooling_mode_mean_tokens, pooling_mode_max",
        ),
        ({"pooling": {"pooling_mode": "lasttoken"}}, "its pooling is lasttoken: the recall branch knows mean, cls"),
        ({"pooling": {"pooling_mode": ["cls", "mean"]}}, "its pooling is cls, mean"),
        ({"pooling": {"pooling_mode_mean_sqrt_len_tokens": True}}, "its pooling is pooling_mode_mean_sqrt_len_tokens"),
        ({"modules": [{"type": "sentence_transformers.models.Dense"}]}, r"modules\.json names Dense"),
        ({"modules": {}}, r"modules\.json: must hold a JSON list"),
        ({"body": {"do_lower_case": True}}, "asks for do_lower_case"),
    ],
)
def test_recipe_that_recall_cannot_follow(tmp_path: Path, files: dict[str, object], message: str) -> None:
    with pytest.raises(BaseModelUnsupported, match=message):
        Recipe.read(write(tmp_path, **files))


def test_recipe_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[")
    with pytest.raises(BaseModelUnsupported, match=r"modules\.json: not valid JSON"):
        Recipe.read(tmp_path)
