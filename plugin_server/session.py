"""An onnxruntime session with simgate's settings: the threads this process may use, no spinning, the provider.

The providers for GPUs were never run for lack of one: tests check what onnxruntime is asked for, and that a provider
that it has not is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# Builds of onnxruntime from 1.29 on tell Microsoft of the process, the models and their use, and keep a database in the
# user's home; both begin with the import, and cannot be undone afterwards.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from threadpoolctl import threadpool_limits

from plugin_server.bundle_file import GRAPH_BYTES, content_of
from plugin_server.cores import usable_cores
from plugin_server.errors import BundleMalformed, InvalidField
from plugin_server.graph import fault_of

CPU: tuple[str, dict[str, str]] = ("CPUExecutionProvider", {})
#: What onnxruntime is asked for, by the setting's name, the first that can run an operator running it. TF32 would round
#: recall vectors more than adopting simgate may change them.
PROVIDERS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "cpu": [CPU],
    "cuda": [("CUDAExecutionProvider", {"use_tf32": "0"}), CPU],
    "tensorrt": [("TensorrtExecutionProvider", {}), ("CUDAExecutionProvider", {"use_tf32": "0"}), CPU],
}


def open_session(
    path: Path,
    threads: int = 0,
    widths: Mapping[str, int] = MappingProxyType({}),
    provider: str = "cpu",
    raw: bytes = b"",
) -> onnxruntime.InferenceSession:
    """A session over an ONNX graph, which reads no other file.

    Args:
        path: of the graph.
        threads: within one operator; 0 takes `usable_cores`.
        widths: the last axis of inputs and outputs, by name, that the graph must have.
        provider: a key of `PROVIDERS`.
        raw: the file's content, if it was read and checked already; nothing keeps it.

    Raises:
        InvalidField: this onnxruntime has not got the provider, or it cannot be used here.
        BundleMissing: the file is not there.
        BundleMalformed: it is too large, or has weights in other files; onnxruntime cannot load it, or it has
            other inputs and outputs.
    """
    asked = PROVIDERS[provider]
    if asked[0][0] not in onnxruntime.get_available_providers():
        raise InvalidField(
            f"provider: {provider}: this onnxruntime has no {asked[0][0]}: install simgate[gpu] and take onnxruntime "
            "away, or give cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cores()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # not its own, which is parsed unchecked
    options.log_severity_level = 4  # what is wrong is in the exception
    raw = raw or content_of(path, GRAPH_BYTES)
    if fault := fault_of(raw):
        raise BundleMalformed(f"{path}: {fault}")
    try:
        session = onnxruntime.InferenceSession(raw, options, providers=asked)
        session.disable_fallback()
        session._model_bytes = None  # which it keeps for falling back alone
    except Exception as error:  # onnxruntime's own exceptions share no root below Exception
        raise BundleMalformed(f"{path}: onnxruntime cannot load it: {error}") from error
    if session.get_providers()[0] != asked[0][0]:  # onnxruntime falls back to the CPU by itself
        raise InvalidField(f"provider: {provider}: cannot be used here: is there a GPU, and its driver? Or give cpu")
    found = {item.name: item.shape[-1] for item in (*session.get_inputs(), *session.get_outputs()) if item.shape}
    for name, width in widths.items():
        if found.get(name) != width:
            known = f"is {found[name]} wide" if name in found else "does not exist"
            raise BundleMalformed(f"{path}: {name} {known}, the manifest asks for {width}: convert the bundle again")
    return session


def limit_numpy(threads: int = 0) -> None:
    """Nothing; numpy's matrix products take so many threads in this process, as onnxruntime does.

    Args:
        threads: 0 takes `usable_cores`; numpy by itself takes every core of the host, whatever a container's limit.
    """
    threadpool_limits(threads or usable_cores(), user_api="blas")
