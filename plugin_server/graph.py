"""What an ONNX graph may hold, its weights, but none that are in other files or anywhere in memory; and its parts.

Only the few messages of onnx.proto are described here that lead to a tensor or have the name of a value; protobuf
passes everything else on as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from plugin_server.errors import BundleMalformed

#: Stands in every tensor that is elsewhere, before its place.
LOCATION = b"location"
Field = descriptor_pb2.FieldDescriptorProto
PLAIN = {"int32": Field.TYPE_INT32, "bytes": Field.TYPE_BYTES}
#: Fields by message: number and kind, with a star where there may be several; names are read as bytes, as they may be
#: no Unicode. From onnx.proto, which keeps its numbers.
MESSAGES = {
    "Model": {"graph": (7, "Graph"), "training": (20, "Training*"), "functions": (25, "Function*")},
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Graph": {
        "node": (1, "Node*"), "initializer": (5, "Tensor*"), "output": (12, "Value*"), "value": (13, "Value*"),
        "sparse": (15, "Sparse*"),
    },
    "Function": {"node": (7, "Node*"), "attribute": (11, "Attribute*")},
    "Node": {"input": (1, "bytes*"), "output": (2, "bytes*"), "attribute": (5, "Attribute*")},
    "Value": {"name": (1, "bytes")},
    "Attribute": {
        "t": (5, "Tensor"), "g": (6, "Graph"), "tensors": (10, "Tensor*"), "graphs": (11, "Graph*"),
        "sparse": (22, "Sparse"), "sparses": (23, "Sparse*"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Tensor": {"name": (8, "bytes"), "external_data": (13, "Entry*"), "data_location": (14, "int32")},
    "Entry": {},
}  # fmt: skip


def fault_of(raw: bytes) -> str:
    """What is wrong with a graph; empty for nothing that can be seen without loading it.

    Example:
        >>> fault_of(b""), fault_of(b"location of garbage")
        ('', 'is no ONNX graph')
    """
    if LOCATION not in raw:  # found faster than the messages are read
        return ""
    try:
        model = _model().FromString(raw)
    except DecodeError:
        return "is no ONNX graph"
    if any(tensor.data_location or tensor.external_data for tensor in _all(model, "Tensor")):
        return "has weights in another file: convert the bundle again, with all weights in the graph"
    return ""


def part_of(raw: bytes, outputs: Collection[str]) -> bytes:
    """The graph that computes these of its outputs alone, with the weights that they need.

    Args:
        raw: a graph whose nodes are in the order of their computation, as ONNX demands; a graph as `fault_of` lets
            through.

    Raises:
        BundleMalformed: it is no ONNX graph.
    """
    try:
        model = _model().FromString(raw)
    except DecodeError:
        raise BundleMalformed("a graph is no ONNX graph") from None
    graph, needed = model.graph, {name.encode() for name in outputs}
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if needed.isdisjoint(node.output):
            del graph.node[place]
        else:  # with those within it, as a branch may take what is outside
            needed.update(name for inner in _all(node, "Node") for name in inner.input)
    for values in (graph.initializer, graph.output, graph.value):
        for place in reversed(range(len(values))):
            if values[place].name not in needed:
                del values[place]
    part: bytes = model.SerializeToString()
    return part


def _all(message: Message, name: str) -> Iterator[Any]:
    """Every message of that name within another, itself too; protobuf itself refuses what is nested too deeply."""
    waiting = [message]
    while waiting:
        found = waiting.pop()
        if found.DESCRIPTOR.name == name:
            yield found
        for field, value in found.ListFields():
            if field.message_type:
                waiting += [value] if isinstance(value, Message) else value


@cache
def _model() -> Any:
    """The class of the message ``Model``, in a pool of its own, so that onnx may be loaded beside it."""
    file = descriptor_pb2.FileDescriptorProto(name="simgate_graph.proto", package="simgate.graph", syntax="proto2")
    for name, given in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in given.items():
            label = Field.LABEL_REPEATED if kind.endswith("*") else Field.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            if kind in MESSAGES:
                name = f".simgate.graph.{kind}"
                message.field.add(name=field, number=number, label=label, type=Field.TYPE_MESSAGE, type_name=name)
            else:
                message.field.add(name=field, number=number, label=label, type=PLAIN[kind])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("simgate.graph.Model"))
