"""The bundle: what opens, and the error of every fault a folder can have."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from plugin_server import Bundle, Reranker
from plugin_server.bundle import (
    CARD,
    ENCODER,
    FILES,
    LONG,
    MANIFEST,
    SHORT,
    TOKENIZER,
    VERIFIER,
    Profile,
    fingerprint,
)
from plugin_server.bundle_file import sha256
from plugin_server.errors import (
    BundleAltered,
    BundleError,
    BundleMalformed,
    BundleMissing,
    BundleTooNew,
    UnknownChoice,
)


@pytest.fixture
def copy(tiny: Bundle, tmp_path: Path) -> Path:
    """A folder with a good bundle, to be spoilt."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "bundle"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest in its file."""
    raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(raw)
    (folder / MANIFEST).write_text(json.dumps(raw), encoding="utf-8")


def put(folder: Path, name: str, content: bytes) -> None:
    """Write a file, and its checksum into the manifest."""
    (folder / name).write_bytes(content)
    edit(folder, lambda raw: raw["files"].update({name: sha256(folder / name)}))


def test_opens(tiny: Bundle) -> None:
    opened = Bundle.open(str(tiny.folder))
    assert opened == tiny
    assert set(opened.manifest.files) == set(FILES)
    assert opened.size == sum(path.stat().st_size for path in tiny.folder.iterdir())
    with pytest.raises(UnknownChoice, match="profile: 'pear' is not known: choose one of pairs, passages"):
        opened.manifest.profile("pear")


def test_fields_of_a_later_minor_version_are_ignored(copy: Path) -> None:
    edit(copy, lambda raw: raw.update(colour="red"))
    assert Bundle.open(copy).manifest.name == "tiny"


def test_manifest_goes_there_and_back(tiny: Bundle, tmp_path: Path) -> None:
    tiny.manifest.write(tmp_path)
    assert tiny.manifest.read(tmp_path) == tiny.manifest


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match=r"nowhere.bundle\.json: No such file or directory: give the folder"):
        Bundle.open(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleMissing, match=re.escape(name) + ": No such file.*copy the whole folder"):
        Bundle.open(copy)


@pytest.mark.parametrize("name", FILES)
def test_truncated_file_is_named(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:-1])
    with pytest.raises(BundleAltered, match=re.escape(name) + ": sha256 is .*the file is truncated or altered"):
        Bundle.open(copy)


@pytest.mark.parametrize("name", [ENCODER, VERIFIER, TOKENIZER, CARD])
def test_one_altered_byte_is_found(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleAltered, match=re.escape(name)):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("content", "message", "remark"),
    [
        ("", "not valid JSON", "an empty file"),
        ('{"name": ', "not valid JSON", "cut short"),
        ("[]", "format_version is missing", "a list"),
        ("null", "format_version is missing", "nothing"),
        ("{}", "format_version is missing", "no field at all"),
        ('{"format_version": "1"}', "format_version is missing or not a number", "text for a number"),
        ('{"format_version": 1}', "profiles", "nothing but the version"),
        ('{"format_version": 1, "profiles": []}', "items", "a list for an object"),
        ('{"format_version": true}', "format_version is missing or not a number", "a truth value"),
        ("[" * 100_000, "not valid JSON", "would exhaust the stack"),
        ('{"format_version": 1, "quality": ' + "[" * 101 + "]" * 101 + "}", "nested too deeply", "could not be copied"),
        ('{"format_version": 1, "name": "\\ud800"}', "surrogates", "no client could be told the name"),
    ],
)
def test_no_manifest(copy: Path, content: str, message: str, remark: str) -> None:
    (copy / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(BundleMalformed, match=message):
        Bundle.open(copy)


def test_manifest_that_is_not_utf8(copy: Path) -> None:
    (copy / MANIFEST).write_bytes(b'{"name": "\xff"}')
    with pytest.raises(BundleMalformed, match="not valid JSON"):
        Bundle.open(copy)


def test_newer_format(copy: Path) -> None:
    edit(copy, lambda raw: raw.update(format_version=2))
    with pytest.raises(BundleTooNew, match=r"format_version 2, this simgate reads up to 1: upgrade simgate"):
        Bundle.open(copy)


REQUIRED = [
    "name", "fingerprint", "recall_dimension", "token_dimension", "token_bits", "window_tokens", "window_overlap",
    "verifier", "profiles", "match_threshold", "files",
]  # fmt: skip


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_field_is_named(copy: Path, name: str) -> None:
    edit(copy, lambda raw: raw.pop(name))
    with pytest.raises(BundleMalformed, match=name):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("field", "value", "remark"),
    [
        ("name", 7, "a number for text"),
        ("verifier", None, "nothing for text"),
        ("fingerprint", "xyz", "not hexadecimal: a blob could not carry it"),
        ("fingerprint", "AB" * 8, "capitals: a blob would give small ones back"),
        ("fingerprint", 12, "a number"),
        ("recall_dimension", 0, "below 1"),
        ("recall_dimension", "384", "text for a number"),
        ("recall_dimension", True, "no number"),
        ("token_dimension", 65536, "more than a blob can say"),
        ("window_tokens", 10**400, "more than a blob can say"),
        ("token_dimension", 64.0, "a fraction"),
        ("token_bits", 6, "neither 4 nor 8"),
        ("token_bits", 4.0, "a fraction"),
        ("token_bits", True, "no number"),
        ("window_tokens", -256, "below 1"),
        ("window_tokens", None, "nothing"),
        ("window_overlap", 254, "no room for a new token beside both marks"),
        ("window_overlap", -1, "below 0"),
        ("window_overlap", "32", "text for a number"),
        ("match_threshold", "0.5", "text for a number"),
        ("match_threshold", float("nan"), "not a number"),
        ("match_threshold", 10**400, "beyond a double"),
        ("files", [], "a list"),
        ("files", {}, "no file"),
        ("files", dict.fromkeys(FILES[:-1], "0" * 64), "a file is left out"),
        ("files", dict.fromkeys([*FILES, "../secret"], "0" * 64), "a file too many"),
        ("files", dict.fromkeys(FILES, 5), "numbers for checksums"),
        ("training", [], "a list for an object"),
        ("quality", "good", "text for an object"),
        ("form", "fp32", "text for an object"),
        ("base", 1, "a number for an object"),
        ("profiles", {}, "no profile"),
        ("profiles", {"pairs": {"threshold": 0.5}}, "a profile is left out"),
        ("profiles", {"pairs": 0.5, "passages": 0.5}, "numbers for objects"),
        ("profiles", {"pairs": {}, "passages": {}}, "no threshold"),
    ],
)
def test_wrong_value(copy: Path, field: str, value: object, remark: str) -> None:
    edit(copy, lambda raw: raw.update({field: value}))
    with pytest.raises(BundleMalformed, match=re.escape(MANIFEST)):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("knobs", "remark"),
    [
        ({"threshold": 0.0}, "everything would be accepted"),
        ({"threshold": 1.0}, "nothing would be"),
        ({"threshold": -0.1}, "below the range"),
        ({"threshold": 1.5}, "above the range"),
        ({"threshold": "0.5"}, "text"),
        ({"threshold": True}, "JSON's true is no number"),
        ({"threshold": float("nan")}, "JSON as Python writes it has NaN"),
        ({"threshold": 0.5, "scale": None}, "no scale"),
        ({"threshold": 0.5, "bias": 10**400}, "beyond a double"),
        ({"threshold": 0.5, "blend": 1e300}, "scores would overflow"),
        ({"threshold": 0.5, "short_threshold": 0}, "has no log-odds"),
        ({"threshold": 0.5, "bias": float("inf")}, "an endless bias"),
        ({"threshold": 0.5, "colour": 1}, "an unknown knob"),
        ({"threshold": 0.5, "short_threshold": 1.0}, "nothing short would be accepted"),
        ({"threshold": 0.5, "short_threshold": "0.5"}, "text"),
    ],
)
def test_wrong_knob(copy: Path, knobs: dict[str, object], remark: str) -> None:
    edit(copy, lambda raw: raw["profiles"].update(passages=knobs))
    with pytest.raises(BundleMalformed):
        Bundle.open(copy)


@pytest.mark.parametrize(
    ("name", "content", "remark"),
    [
        (ENCODER, b"garbage", "no graph"),
        (ENCODER, b"", "an empty graph"),
        (VERIFIER, b"\x08\x07garbage", "starts like a graph"),
        (TOKENIZER, b"{}", "JSON, but no tokenizer"),
        (TOKENIZER, b"garbage", "no JSON"),
    ],
)
def test_garbage_with_the_right_checksum(copy: Path, name: str, content: bytes, remark: str) -> None:
    put(copy, name, content)
    opened = Bundle.open(copy)
    with pytest.raises(BundleMalformed, match=re.escape(name)) as caught:
        Reranker(opened)
    assert isinstance(caught.value, BundleError)


@pytest.mark.parametrize(
    ("parts", "same", "remark"),
    [
        (("a", "b", 256, 32, 4), True, "nothing changed"),
        (("c", "b", 256, 32, 4), False, "another encoder"),
        (("a", "c", 256, 32, 4), False, "another tokenizer"),
        (("a", "b", 128, 32, 4), False, "other windows"),
        (("a", "b", 256, 16, 4), False, "another overlap"),
        (("a", "b", 256, 32, 8), False, "finer numbers"),
    ],
)
def test_fingerprint(parts: tuple[str, str, int, int, int], same: bool, remark: str) -> None:
    assert (fingerprint(*parts) == fingerprint("a", "b", 256, 32, 4)) is same


def test_fingerprint_does_not_depend_on_the_verifier(tiny: Bundle, tiny_patches: Bundle) -> None:
    assert tiny.manifest.files[VERIFIER] != tiny_patches.manifest.files[VERIFIER]
    same_encoder = tiny.manifest.files[ENCODER] == tiny_patches.manifest.files[ENCODER]
    assert (tiny.manifest.fingerprint == tiny_patches.manifest.fingerprint) is same_encoder
    manifest = tiny.manifest
    assert manifest.fingerprint == fingerprint(
        manifest.files[ENCODER], manifest.files[TOKENIZER], manifest.window_tokens, manifest.window_overlap, 4
    )


@pytest.mark.parametrize(
    ("tokens", "threshold", "remark"),
    [
        (2, 0.8, "short"),
        (SHORT, 0.8, "just short"),
        ((SHORT + LONG) // 2, 0.5, "half-way between log 4 and -log 4"),
        (LONG, 0.2, "just long"),
        (100_000, 0.2, "long"),
    ],
)
def test_threshold_depends_on_the_length(tokens: int, threshold: float, remark: str) -> None:
    assert Profile(0.2, short_threshold=0.8).threshold_for(tokens) == pytest.approx(threshold), remark
    assert Profile(0.2).threshold_for(tokens) == 0.2, "without another one for short documents"


def test_threshold_never_jumps() -> None:
    steps = [Profile(0.07, short_threshold=0.3).threshold_for(tokens) for tokens in range(1, 200)]
    assert steps == sorted(steps, reverse=True)
    assert max(a - b for a, b in pairwise(steps)) < 0.01


def test_the_smallest_thresholds_have_one_for_every_length() -> None:
    profile = Profile(5e-324, short_threshold=1 - 2**-53)
    thresholds = [profile.threshold_for(tokens) for tokens in range(SHORT - 1, LONG + 2)]
    assert all(0 < threshold < 1 for threshold in thresholds)
    assert thresholds == sorted(thresholds, reverse=True)
