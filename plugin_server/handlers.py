"""gRPC's handlers of methods, whatever they stream, and others made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

#: By whether requests and responses are streams: what makes a handler, and the attribute that has its behaviour.
KINDS: dict[tuple[bool, bool], tuple[Callable[..., Any], str]] = {
    (False, False): (grpc.unary_unary_rpc_method_handler, "unary_unary"),
    (True, False): (grpc.stream_unary_rpc_method_handler, "stream_unary"),
    (False, True): (grpc.unary_stream_rpc_method_handler, "unary_stream"),
    (True, True): (grpc.stream_stream_rpc_method_handler, "stream_stream"),
}


def behaviour_of(handler: Any) -> Callable[..., Any]:
    """What a handler calls with the request, or with the requests, and the context."""
    _, name = KINDS[handler.request_streaming, handler.response_streaming]
    behaviour: Callable[..., Any] = getattr(handler, name)
    return behaviour


def remade(handler: Any, behaviour: Callable[..., Any], decode: Callable[[bytes], Any] | None = None) -> Any:
    """A handler of the same kind with another behaviour.

    Args:
        decode: reads requests; the handler's own if not given.
    """
    made, _ = KINDS[handler.request_streaming, handler.response_streaming]
    return made(behaviour, decode or handler.request_deserializer, handler.response_serializer)
