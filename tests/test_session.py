"""The cores a session takes, and the graphs it refuses."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from plugin_server import Bundle, Reranker, Settings, settings
from plugin_server.bundle import VERIFIER
from plugin_server.cores import usable_cores
from plugin_server.errors import BundleError, BundleMalformed, BundleMissing, InvalidField
from plugin_server.session import PROVIDERS, limit_numpy, open_session
from plugin_server.verifier import Verifier

OWN = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("content", "cores", "remark"),
    [
        ("max 100000\n", OWN, "no limit"),
        ("100000 100000\n", 1, "one core"),
        ("150000 100000\n", min(2, OWN), "one and a half are two"),
        ("50000 100000\n", 1, "half a core is one"),
        ("1000 100000\n", 1, "never less than one"),
        ("20000 10000\n", min(2, OWN), "another period"),
        ("100000000 100000\n", OWN, "a limit above the host's cores"),
        ("", OWN, "an empty file"),
        ("max\n", OWN, "no period"),
        ("100000 100000 100000\n", OWN, "a third word"),
        ("many 100000\n", OWN, "no number"),
        ("100000 0\n", OWN, "a period of 0"),
        ("-1 100000\n", 1, "a quota below 0"),
    ],
)
def test_cores_within_a_container(tmp_path: Path, content: str, cores: int, remark: str) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert usable_cores(tmp_path / "cpu.max") == cores, remark


def test_cores_without_a_container(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "cpu.max") == OWN
    assert usable_cores(tmp_path) == OWN, "a folder in its place"


def test_cores_of_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_bytes(b"\xff\xfe")
    assert usable_cores(tmp_path / "cpu.max") == OWN


def test_affinity_counts(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores(tmp_path / "cpu.max") == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_session_has_the_threads_asked_for(tiny: Bundle, threads: int) -> None:
    options = open_session(tiny.folder / VERIFIER, threads).get_session_options()
    assert options.intra_op_num_threads == (threads or usable_cores())
    assert options.inter_op_num_threads == 1


@pytest.mark.parametrize(
    ("content", "kind", "message", "remark"),
    [
        (b"", BundleMalformed, "onnxruntime cannot load it", "empty"),
        (b"garbage", BundleMalformed, "onnxruntime cannot load it", "no graph"),
        (b"....ORTM" + bytes(64), BundleMalformed, "onnxruntime cannot load it", "onnxruntime's own form"),
        (b"location" * 9, BundleMalformed, "is no ONNX graph", "no graph, which is read before"),
        (None, BundleMissing, "No such file or directory", "no file"),
    ],
)
def test_no_graph(tmp_path: Path, content: bytes | None, kind: type[BundleError], message: str, remark: str) -> None:
    if content is not None:
        (tmp_path / "graph.onnx").write_bytes(content)
    with pytest.raises(kind, match=rf"graph\.onnx: {message}"):
        open_session(tmp_path / "graph.onnx")


def test_a_session_keeps_no_copy_of_its_file(tiny: Bundle) -> None:
    raw = (tiny.folder / VERIFIER).read_bytes()
    before = sys.getrefcount(raw)
    session = open_session(tiny.folder / VERIFIER, raw=raw)
    assert session.get_inputs() and sys.getrefcount(raw) == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"token_dimension": 99},
            r"encoder\.onnx: tokens is \d+ wide, the manifest asks for 99: convert the bundle again",
        ),
        ({"recall_dimension": 7}, r"encoder\.onnx: recall is \d+ wide, the manifest asks for 7"),
    ],
)
def test_graph_of_other_widths_than_the_manifest(tiny: Bundle, changed: dict[str, int], message: str) -> None:
    with pytest.raises(BundleMalformed, match=message):
        Reranker(replace(tiny, manifest=replace(tiny.manifest, **changed)))


def test_verifier_of_another_width(tiny: Bundle) -> None:
    other = replace(tiny, manifest=replace(tiny.manifest, token_dimension=99))
    with pytest.raises(BundleMalformed, match=r"verifier\.onnx: query is \d+ wide, the manifest asks for 99"):
        Verifier(other)


def test_graph_without_an_output(tiny: Bundle) -> None:
    with pytest.raises(BundleMalformed, match="recall does not exist, the manifest asks for 384"):
        open_session(tiny.folder / VERIFIER, widths={"recall": 384})


PROVIDER_TABLE = [
    ("cpu", ["CPUExecutionProvider"], "the default"),
    ("cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"], "operators that CUDA has not run on the CPU"),
    ("tensorrt", ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], "in this order"),
]


@pytest.mark.parametrize(("name", "expected", "remark"), PROVIDER_TABLE)
def test_what_onnxruntime_is_asked_for(name: str, expected: list[str], remark: str) -> None:
    assert [provider for provider, _ in PROVIDERS[name]] == expected, remark
    assert all(options.get("use_tf32") == "0" for provider, options in PROVIDERS[name] if provider.startswith("CUDA"))
    assert set(expected) <= set(onnxruntime.get_all_providers()), "names that onnxruntime knows"


def test_settings_know_every_provider() -> None:
    assert set(PROVIDERS) == set(settings.PROVIDERS)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is one")
@pytest.mark.parametrize("name", ["cuda", "tensorrt"])
def test_a_provider_that_is_not_there(tiny: Bundle, name: str) -> None:
    with pytest.raises(InvalidField, match=rf"provider: {name}: this onnxruntime has no .*install simgate\[gpu\]"):
        Reranker(tiny, Settings(provider=name))


@pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="needs a GPU")
def test_a_gpu_gives_the_verdicts_of_a_cpu(reranker: Reranker) -> None:
    texts = ["turn left at the church", "turn right at the church", "the cat sleeps on the sofa " * 40]
    there = Reranker(reranker.bundle, Settings(provider="cuda"))
    for mine, other in zip(there.encode(texts), reranker.encode(texts), strict=True):
        assert (mine.vectors * other.vectors).sum(axis=1).min() > 0.9999
    for text in texts:
        assert there.verify(texts[0], text).outcome is reranker.verify(texts[0], text).outcome


def test_numpy_takes_as_many_threads() -> None:
    def blas() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = blas()
    try:
        limit_numpy(1)
        assert blas() == {1}
    finally:
        threadpool_limits(max(before), user_api="blas")
    assert blas() == before
