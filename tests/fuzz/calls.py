"""gRPC over a real server: messages that are none, or nearly right, to every method; and bytes that are no HTTP/2."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from random import Random
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from fuzz.blobs import blob
from fuzz.engine import TEXTS, hostile_engine
from fuzz.mutate import NUMBERS, bent
from fuzz.mutate import text as awkward
from fuzz.server import reranker, serving
from fuzz.target import Step, Target, mutations
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import tei_v1_pb2 as tei

#: Codes that say that something of ours is broken.
BROKEN = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNAVAILABLE}
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Sent = tuple[str, list[bytes]]


def text(random: Random) -> str:
    """A text that Protocol Buffers can carry."""
    plain = random.choice(TEXTS) if random.random() < 0.5 else awkward(random)
    return plain.encode("utf-8", "replace").decode()[: random.choice([60, 60, 60, 6000])]


def number(random: Random) -> int:
    """A number of 32 bits."""
    return random.choice([0, 1, 2, 3, 9, 200, 201, 2**31 - 1, 2**32 - 1])


def candidate(random: Random) -> pb.Candidate:
    """A candidate."""
    floats = [float(one) for one in NUMBERS if isinstance(one, float)]
    stored = random.choice(["", "", blob(random).encode("utf-8", "replace").decode()])
    score = random.choice([None, 0.5, random.choice(floats)])
    return pb.Candidate(id=random.choice(["", "a", str(random.random())]), text=text(random), blob=stored, score=score)


def some(random: Random, make: Callable[[Random], Any]) -> list[Any]:
    """A few of them."""
    return [make(random) for _ in range(random.choice([0, 1, 1, 2, 3]))]


def choice(random: Random) -> Any:
    """A number of an enum, or one that it lacks."""
    return random.choice([0, 1, 1, 2, 2, 3, 9, -1])


#: A nearly right request of each method.
METHODS: dict[str, Callable[[Random], Any]] = {
    "/simgate.v1.Simgate/Rerank": lambda random: pb.RerankRequest(
        query=text(random), candidates=some(random, candidate),
        profile=choice(random), policy=choice(random), top_n=number(random),
        calibration=random.choice(["", "", text(random)]), verification=choice(random),
    ),
    "/simgate.v1.Simgate/Verify": lambda random: pb.VerifyRequest(
        pairs=some(random, lambda random: pb.Pair(query=text(random), document=text(random))), profile=choice(random)
    ),
    "/simgate.v1.Simgate/Encode": lambda random: pb.EncodeRequest(texts=some(random, text)),
    "/simgate.v1.Simgate/Info": lambda random: pb.InfoRequest(),
    "/simgate.v1.Simgate/Search": lambda random: pb.SearchRequest(
        query=text(random), k=number(random), top_n=number(random),
        index=random.choice(["", "hills", "hills", text(random)]),
        filter=random.choice(["", "", "{}", '{"a": 1e999}', "[" * 3000, '{"a":' * 500 + "1" + "}" * 500, text(random)]),
        recall_query=random.choice(["", "", '{"match_all": {}}', text(random)]), policy=choice(random),
        hybrid=random.random() < 0.2,
    ),
    "/tei.v1.Rerank/Rerank": lambda random: tei.RerankRequest(
        query=text(random), texts=some(random, text), return_text=True, raw_scores=random.random() < 0.5
    ),
    "/grpc.health.v1.Health/Check": lambda random: health_pb2.HealthCheckRequest(service=text(random)),
    "/grpc.health.v1.Health/List": lambda random: health_pb2.HealthListRequest(),
    "/grpc.health.v1.Health/Watch": lambda random: health_pb2.HealthCheckRequest(service=text(random)),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": lambda random: random.choice([
        reflection_pb2.ServerReflectionRequest(file_by_filename=text(random)),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=text(random)),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="simgate.v1.Simgate"),
        reflection_pb2.ServerReflectionRequest(all_extension_numbers_of_type=text(random)),
        reflection_pb2.ServerReflectionRequest(list_services=""),
    ]),
}  # fmt: skip
WATCH = "/grpc.health.v1.Health/Watch"


def garbage(random: Random) -> Sent:
    """Random bytes, or a message with some of its bytes changed, to any method."""
    name = random.choice([*METHODS])
    return name, [random.randbytes(random.randrange(60)) if random.random() < 0.5 else bent(random, _raw(random, name))]


def right(random: Random) -> Sent:
    """One message that can be decoded, or several to a stream."""
    name = random.choice([*METHODS, *list(METHODS)[:6]])
    return name, [_raw(random, name) for _ in range(random.choice([1, 1, 1, 0, 3]) if "Reflection" in name else 1)]


def _raw(random: Random, name: str) -> bytes:
    raw: bytes = METHODS[name](random).SerializeToString()
    return raw


def check(channel: grpc.Channel, allowed: set[grpc.StatusCode], sent: Sent) -> str | None:
    """The code that a call ended with, if not OK."""
    name, messages = sent
    try:
        if "Reflection" in name:
            list(channel.stream_stream(name)(iter(messages), timeout=60))
        elif name == WATCH:
            watched = channel.unary_stream(name)(messages[0], timeout=60)
            next(iter(watched))
            watched.cancel()
        else:
            channel.unary_unary(name)(messages[0], timeout=60)
    except grpc.RpcError as error:
        ended = error
    else:
        return None
    assert ended.code() not in BROKEN - allowed, (ended.code(), ended.details())
    return str(ended.code().name)


def raw(random: Random) -> bytes:
    """What no HTTP/2 client sends: garbage, or frames that are cut off, too long, or of no kind."""
    if random.random() < 0.3:
        return random.randbytes(random.randrange(200))
    sent = PREFACE if random.random() < 0.8 else bent(random, PREFACE)
    for _ in range(random.randrange(5)):
        payload = random.randbytes(random.choice([0, 4, 6, 8, 9, 30, 200]))
        length = len(payload) if random.random() < 0.8 else random.choice([0, 1, 2**14 + 1, 2**24 - 1])
        kind, flags, stream = (
            random.choice([0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 200]),
            random.randrange(256),
            random.choice([0, 1, 3, 2**31]),
        )
        sent += length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    return sent


def check_raw(address: str, channel: grpc.Channel, sent: bytes) -> str | None:
    """How the connection ended; the server answers afterwards."""
    host, _, port = address.rpartition(":")
    answer = b""
    with suppress(ConnectionError), socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(1 << 16):
            answer += piece
    check(channel, set(), ("/grpc.health.v1.Health/Check", [b""]))
    return "closed with frames" if answer else "closed"


@contextmanager
def opened(make: Callable[[Random], Sent]) -> Iterator[Step]:
    """A server over a hostile engine, and a channel."""
    with hostile_engine(reranker()) as url, serving(url) as server, grpc.insecure_channel(server.address) as channel:
        yield mutations(make, partial(check, channel, {grpc.StatusCode.UNAVAILABLE}))
        check(channel, set(), ("/simgate.v1.Simgate/Info", [b""]))


@contextmanager
def opened_socket() -> Iterator[Step]:
    """A server and its address."""
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        yield mutations(raw, partial(check_raw, server.address, channel))


TARGETS = [
    Target("gRPC: bytes for messages", "mutations", 10_000, 200, lambda: opened(garbage)),
    Target("gRPC: messages, hostile engine", "mutations", 6_000, 150, lambda: opened(right)),
    Target("gRPC: bytes at the socket", "mutations", 5_000, 100, opened_socket),
]
