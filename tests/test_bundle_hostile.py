"""Bundles and calibrations that somebody made on purpose: nothing but their own files is read, and nothing hangs."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from plugin_server import Bundle, Reranker, Settings, content
from plugin_server.bundle import CARD, ENCODER, FILES, LIMITS, LONGEST, MANIFEST, TOKENIZER, VERIFIER, WIDEST
from plugin_server.bundle_file import sha256
from plugin_server.calibration import MAX_BYTES, Calibration
from plugin_server.calibrations import read_calibrations
from plugin_server.errors import (
    BundleAltered,
    BundleError,
    BundleMalformed,
    BundleMissing,
    CalibrationError,
    CalibrationMalformed,
    CalibrationMissing,
)
from plugin_server.graph import MESSAGES, fault_of
from plugin_server.session import open_session

OUTSIDE = ["/etc/passwd", "../../etc/passwd", "../secret", "weights.bin", "*/_ORT_MEM_ADDR_/*", ""]


@pytest.fixture
def copy(tiny: Bundle, tmp_path: Path) -> Path:
    """A folder with a good bundle, to be spoilt."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "bundle"))


def put(folder: Path, name: str, raw: bytes) -> None:
    """Nothing; the file has that content, and the manifest its checksum."""
    (folder / name).write_bytes(raw)
    edit(folder, lambda manifest: manifest["files"].update({name: sha256(folder / name)}))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(raw)
    (folder / MANIFEST).write_text(json.dumps(raw), encoding="utf-8")


def load(folder: Path) -> Reranker:
    return Reranker.load(Settings(bundle=str(folder), threads=1))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk


def made_up(path: Path) -> None:
    path.symlink_to("/proc/self/status")


PLACES: list[tuple[Callable[[Path], object], str, str]] = [
    (pipe, "is a pipe or a device", "a pipe that nobody writes into"),
    (endless, "is a pipe or a device", "a device that never ends"),
    (Path.mkdir, "Is a directory", "a folder"),
    (circle, "Too many levels of symbolic links", "a link to itself"),
    (listener, "No such device or address", "a socket"),
    (huge, "has 1099511627776 bytes, the limit is", "larger than any"),
    (lambda path: path.symlink_to("/nowhere"), "No such file", "a link to nothing"),
]


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
@pytest.mark.parametrize(("make", "message", "remark"), PLACES, ids=[row[2] for row in PLACES])
def test_what_stands_in_a_file_s_place(
    copy: Path, name: str, make: Callable[[Path], object], message: str, remark: str
) -> None:
    (copy / name).unlink()
    make(copy / name)
    for use in (Bundle.open, load):
        with pytest.raises(BundleError, match=f"{re.escape(name)}: {message}") as caught:
            use(copy)
        assert type(caught.value) in (BundleMissing, BundleMalformed)


def test_links_are_followed(tiny: Bundle, tmp_path: Path) -> None:
    """As Kubernetes mounts volumes: files are links into a folder that is itself a link."""
    shutil.copytree(tiny.folder, tmp_path / "..2026_01_31")
    (tmp_path / "..data").symlink_to("..2026_01_31")
    for name in (*FILES, MANIFEST):
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert Bundle.open(tmp_path).manifest == tiny.manifest
    assert load(tmp_path).encode(["a red car"])


def test_files_the_system_makes_up_have_a_limit_too(tmp_path: Path) -> None:
    made_up(tmp_path / "file")
    assert (tmp_path / "file").stat().st_size == 0
    with pytest.raises(ValueError, match="has more than 100 bytes, which is the limit"):
        content.read(tmp_path / "file", 100)
    assert content.read(tmp_path / "file", 1 << 20)


@pytest.mark.parametrize("name", [ENCODER, VERIFIER, TOKENIZER])
def test_what_is_used_is_what_was_checked(copy: Path, name: str) -> None:
    """A file that changes between the check of the whole and its use is noticed."""
    opened = Bundle.open(copy)
    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
    with pytest.raises(BundleAltered, match=re.escape(name)):
        Reranker(opened, Settings(threads=1))


def test_the_card_is_checked_as_well(copy: Path) -> None:
    (copy / CARD).write_text("another")
    with pytest.raises(BundleAltered, match=re.escape(CARD)):
        load(copy)


DEEP = '{"a":' * 50_000 + "1" + "}" * 50_000
MANIFESTS = [
    (DEEP, "not valid JSON: is nested too deeply", "deeper than any stack"),
    ("[" * 200_000, "not valid JSON", "and never closed"),
    ('{"format_version": 1, "format_version": 2}', "the key 'format_version' occurs twice", "two versions"),
    ('{"format_version": ' + "9" * 5000 + "}", "not valid JSON", "more digits than Python reads"),
    ('{"format_version": 1e999}', "not valid JSON: 1e999 is out of range", "beyond any number"),
    ('{"format_version": NaN}', "not valid JSON: NaN is no JSON number", "no number"),
    ('{"format_version": true}', "format_version is missing or not a number", "true is not 1"),
    ('{"format_version": 0}', "format_version is missing or not a number", "no such version"),
    ('{"format_version": -1}', "format_version is missing or not a number", "no such version"),
    ('\ufeff{"format_version": 1}', "not valid JSON", "a mark before it"),
    (" " * (LIMITS[MANIFEST] + 1), r"has \d+ bytes, the limit is", "larger than any manifest"),
]


@pytest.mark.parametrize(("text", "message", "remark"), MANIFESTS, ids=[row[2] for row in MANIFESTS])
def test_manifests(copy: Path, text: str, message: str, remark: str) -> None:
    (copy / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(BundleMalformed, match=message):
        load(copy)


NUMBERS = [
    ("window_tokens", 10**12, f"is not a whole number from 1 to {LONGEST}"),
    ("window_tokens", 10**400, "is not a whole number from 1"),
    ("window_tokens", True, "True is not a whole number"),
    ("recall_dimension", 10**12, f"is not a whole number from 1 to {WIDEST}"),
    ("token_dimension", WIDEST + 1, "is not a whole number from 1"),
    ("token_bits", 10**12, "is neither 4 nor 8"),
    ("window_overlap", 10**12, "must be a whole number below"),
    ("window_overlap", False, "must be a whole number below"),
    ("match_threshold", 10**400, "is no cosine"),
    ("match_threshold", -1.5, "is no cosine"),
    ("fingerprint", "../../../../etc", "is not 16 hexadecimal digits"),
    ("fingerprint", "0" * 10**6, "is not 16 hexadecimal digits"),
    ("files", dict.fromkeys(["../encoder.onnx", *FILES[1:]], "0" * 64), "files: must name"),
    ("files", dict.fromkeys(["sub/encoder.onnx", *FILES[1:]], "0" * 64), "files: must name"),
    ("files", dict.fromkeys(["/etc/passwd", *FILES], "0" * 64), "files: must name"),
]


@pytest.mark.parametrize(("name", "value", "message"), NUMBERS)
def test_values(copy: Path, name: str, value: object, message: str) -> None:
    edit(copy, lambda raw: raw.update({name: value}))
    with pytest.raises(BundleMalformed, match=f"{re.escape(MANIFEST)}: {name}: .*{message}|{message}") as caught:
        load(copy)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("knob", ["threshold", "short_threshold", "scale", "bias", "blend"])
@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300, True, "1"], ids=str)
def test_knobs(copy: Path, knob: str, value: object) -> None:
    edit(copy, lambda raw: raw["profiles"]["pairs"].update({knob: value}))
    with pytest.raises(BundleMalformed, match=r"profiles\.pairs: numbers up to 1e"):
        load(copy)


def external(location: str, keep: bool = True) -> TensorProto:
    """A tensor of four numbers in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    if keep:
        tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def inner() -> TensorProto:
    return helper.make_tensor("w", TensorProto.FLOAT, [4], np.arange(4, dtype=np.float32))


def graph(*nodes: onnx.NodeProto, weights: TensorProto | None = None, **more: Any) -> onnx.ModelProto:
    """A graph that adds ``w`` to ``x``, with more nodes before."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    add = helper.make_node("Add", ["x", "w"], ["y"])
    made = helper.make_graph([*nodes, add], "g", [x], [y], [weights] if weights else [])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8, **more)


def branch(tensor: TensorProto) -> onnx.GraphProto:
    y = helper.make_tensor_value_info("b", TensorProto.FLOAT, [4])
    return helper.make_graph([helper.make_node("Constant", [], ["b"], value=tensor)], "b", [], [y])


def hidings(location: str) -> dict[str, onnx.ModelProto]:
    """A graph for each place in which a tensor may be."""
    tensor = external(location)
    sparse = onnx.SparseTensorProto(values=tensor, dims=[4])
    condition = helper.make_node("Constant", [], ["c"], value=helper.make_tensor("c", TensorProto.BOOL, [], [True]))
    choice = helper.make_node("If", ["c"], ["w"], then_branch=branch(tensor), else_branch=branch(inner()))
    constant = helper.make_node("Constant", [], ["w"], value=tensor)
    function = helper.make_function("own", "f", [], ["w"], [constant], [helper.make_opsetid("", 17)])
    made = {
        "initializer": graph(weights=tensor),
        "initializer, not marked": graph(weights=external(location, keep=False)),
        "constant": graph(constant),
        "branch": graph(condition, choice),
        "function": graph(helper.make_node("f", [], ["w"], domain="own"), functions=[function]),
        "sparse initializer": graph(weights=inner()),
        "sparse constant": graph(helper.make_node("Constant", [], ["w"], sparse_value=sparse)),
        "list of tensors": graph(helper.make_node("Any", [], ["w"], values=[tensor])),
        "training": graph(weights=inner()),
    }
    made["sparse initializer"].graph.sparse_initializer.append(sparse)
    made["training"].training_info.add(algorithm=branch(tensor))
    return made


@pytest.mark.parametrize("location", OUTSIDE)
@pytest.mark.parametrize("place", hidings(""))
def test_weights_in_other_files(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, location: str
) -> None:
    for folder in (tmp_path, copy):
        for name in ("secret", "weights.bin"):
            (folder / name).write_bytes(bytes(16))
    monkeypatch.chdir(copy)
    put(copy, VERIFIER, hidings(location)[place].SerializeToString())
    with pytest.raises(BundleMalformed, match=r"verifier\.onnx: has weights in another file"):
        load(copy)


def test_the_same_graph_with_its_weights_in_it_loads(tmp_path: Path) -> None:
    (tmp_path / "graph.onnx").write_bytes(graph(weights=inner()).SerializeToString())
    session = open_session(tmp_path / "graph.onnx")
    assert session.run(None, {"x": np.ones(4, np.float32)})[0].tolist() == [1, 2, 3, 4]


def test_messages_are_those_of_onnx() -> None:
    """The numbers and kinds of the fields, and that no other field of these messages leads to a tensor."""
    kinds = {
        "Model": "ModelProto", "Training": "TrainingInfoProto", "Graph": "GraphProto", "Function": "FunctionProto",
        "Node": "NodeProto", "Attribute": "AttributeProto", "Sparse": "SparseTensorProto", "Tensor": "TensorProto",
        "Entry": "StringStringEntryProto", "Value": "ValueInfoProto",
    }  # fmt: skip
    leading = {kinds[name] for name in MESSAGES} - {"StringStringEntryProto", "ValueInfoProto"}
    for name, given in MESSAGES.items():
        known = getattr(onnx, kinds[name]).DESCRIPTOR.fields_by_number
        assert given.items() == {field: given[field] for field in given}.items()
        for number, kind in given.values():
            found = known[number].message_type
            assert (found.name if found else "") == kinds.get(kind.rstrip("*"), "")
        numbers = {number for number, _ in given.values()}
        assert {n for n, field in known.items() if field.message_type and field.message_type.name in leading} <= numbers


GRAPHS = [
    (graph(helper.make_node("Anything", ["x"], ["w"], domain="own")), "own", "an operator of an unknown domain"),
    (graph(helper.make_node("PyOp", ["x"], ["w"], domain="pyopadd")), "pyopadd", "an operator that runs Python"),
    (
        graph(helper.make_node("EPContext", ["x"], ["w"], domain="com.microsoft", ep_cache_context="../x")),
        "EPContext",
        "an operator that loads a program",
    ),
    (graph(helper.make_node("Add", ["x", "nowhere"], ["w"])), "nowhere", "an input that is not there"),
]


@pytest.mark.parametrize(("model", "words", "remark"), GRAPHS, ids=[row[2] for row in GRAPHS])
def test_operators(copy: Path, model: onnx.ModelProto, words: str, remark: str) -> None:
    put(copy, ENCODER, model.SerializeToString())
    with pytest.raises(BundleMalformed, match=rf"encoder\.onnx: onnxruntime cannot load it: [\s\S]*{words}"):
        load(copy)


def test_graphs_nested_beyond_any_stack() -> None:
    raw = b"\x52\x08location"
    for _ in range(5_000):  # a graph in an attribute of a node of a graph
        for number in (6, 5, 1):
            raw = bytes([number << 3 | 2]) + varint(len(raw)) + raw
    assert fault_of(b"\x3a" + varint(len(raw)) + raw) == "is no ONNX graph"


def varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


TOKENIZERS = [
    (b"[" * 100_000, "deeper than any stack"),
    (b'{"version": "1.0", "model": {"type": "WordPiece"}}', "cut short"),
    (b'{"version": "1.0", "model": {"type": "Python", "file": "/etc/passwd"}}', "a model that is none"),
    (b"\x80\x04cos\nsystem\n(S'true'\ntR.", "a pickle"),
    (b"\xff\xfe", "no text"),
]


@pytest.mark.parametrize(("raw", "remark"), TOKENIZERS, ids=[row[1] for row in TOKENIZERS])
def test_tokenizers(copy: Path, raw: bytes, remark: str) -> None:
    put(copy, TOKENIZER, raw)
    with pytest.raises(BundleMalformed, match=re.escape(TOKENIZER)):
        load(copy)


def tokenizer(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads((copy / TOKENIZER).read_text(encoding="utf-8"))
    change(raw)
    put(copy, TOKENIZER, json.dumps(raw).encode())


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda raw: raw["model"]["vocab"].update(red=10**12), "a number that is no token's"),
        (lambda raw: raw["model"]["vocab"].update(red=-1), "below 0"),
        (lambda raw: raw.update(pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}}), "a broken pattern"),
        (lambda raw: raw.update(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "a broken table"),
    ],
)
def test_changed_tokenizers(copy: Path, change: Callable[[dict[str, Any]], object], remark: str) -> None:
    tokenizer(copy, change)
    with pytest.raises(BundleMalformed, match=re.escape(TOKENIZER)):
        load(copy)


def test_padding_without_end_is_not_done(copy: Path) -> None:
    """It would take 4 TB and end the process."""
    mark = {"pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    tokenizer(copy, lambda raw: raw.update(padding={"strategy": {"Fixed": 10**12}, "direction": "Right"} | mark))
    assert load(copy).encode(["a red car"])


@pytest.mark.parametrize(("make", "message", "remark"), PLACES, ids=[row[2] for row in PLACES])
def test_what_stands_in_a_calibration_s_place(
    tmp_path: Path, make: Callable[[Path], object], message: str, remark: str
) -> None:
    path = tmp_path / "a.calibration.json"
    make(path)
    with pytest.raises(CalibrationError, match=re.escape(path.name)) as caught:
        Calibration.read(path)
    assert message.split(",")[0] in str(caught.value)
    with pytest.raises(CalibrationError, match=re.escape(str(tmp_path))):
        read_calibrations(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DEEP, "nested too deeply"),
        ('{"format_version": 1, "name": "a", "name": "b"}', "the key 'name' occurs twice"),
        (" " * (MAX_BYTES + 1), "the limit is"),
        ("", "not valid JSON"),
        ("cposix\nsystem\n(S'true'\ntR.", "not valid JSON"),
    ],
)
def test_calibrations(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.calibration.json"
    path.write_text(text)
    with pytest.raises(CalibrationMalformed, match=message):
        Calibration.read(path)


def test_calibrations_by_links(tmp_path: Path) -> None:
    """A ConfigMap's mount: the file is found once, and not again behind the folders that Kubernetes keeps."""
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "a.calibration.json").write_text("{}")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.calibration.json").symlink_to("..data/a.calibration.json")
    with pytest.raises(CalibrationMalformed, match="format_version is missing"):
        read_calibrations(str(tmp_path))
    (tmp_path / "a.calibration.json").unlink()
    assert read_calibrations(str(tmp_path)) == []
    with pytest.raises(CalibrationMissing):
        read_calibrations(str(tmp_path / "a.calibration.json"))
