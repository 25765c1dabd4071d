"""What an ONNX graph may hold: its weights, but no weights that are in other files or anywhere in memory.

Only the few messages of onnx.proto are described here that lead to a tensor; protobuf passes over everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

#: Stands in every tensor that is elsewhere, before its place.
LOCATION = b"location"
Field = descriptor_pb2.FieldDescriptorProto
#: Fields by message: number and kind, with a star where there may be several. From onnx.proto, which keeps its numbers.
MESSAGES = {
    "Model": {"graph": (7, "Graph"), "training": (20, "Training*"), "functions": (25, "Function*")},
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Graph": {"node": (1, "Node*"), "initializer": (5, "Tensor*"), "sparse": (15, "Sparse*")},
    "Function": {"node": (7, "Node*"), "attribute": (11, "Attribute*")},
    "Node": {"attribute": (5, "Attribute*")},
    "Attribute": {
        "t": (5, "Tensor"), "g": (6, "Graph"), "tensors": (10, "Tensor*"), "graphs": (11, "Graph*"),
        "sparse": (22, "Sparse"), "sparses": (23, "Sparse*"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Tensor": {"external_data": (13, "Entry*"), "data_location": (14, "")},
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
    if any(tensor.data_location or tensor.external_data for tensor in _tensors(model)):
        return "has weights in another file: convert the bundle again, with all weights in the graph"
    return ""


def _tensors(model: Message) -> Iterator[Any]:
    """Every tensor, wherever it is; protobuf itself refuses what is nested too deeply."""
    waiting = [model]
    while waiting:
        message = waiting.pop()
        if message.DESCRIPTOR.name == "Tensor":
            yield message
            continue
        for _, value in message.ListFields():
            waiting += [value] if isinstance(value, Message) else value


@cache
def _model() -> Any:
    """The class of the message ``Model``, in a pool of its own, so that onnx may be loaded beside it."""
    file = descriptor_pb2.FileDescriptorProto(name="simgate_graph.proto", package="simgate.graph", syntax="proto2")
    for name, given in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in given.items():
            label = Field.LABEL_REPEATED if kind.endswith("*") else Field.LABEL_OPTIONAL
            if kind:
                name = f".simgate.graph.{kind.rstrip('*')}"
                message.field.add(name=field, number=number, label=label, type=Field.TYPE_MESSAGE, type_name=name)
            else:
                message.field.add(name=field, number=number, label=label, type=Field.TYPE_INT32)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("simgate.graph.Model"))
