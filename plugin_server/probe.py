"""What a running server answers to a client's first questions."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from plugin_server.channel import Tls, channel
from plugin_server.client import Client
from plugin_server.errors import InvalidField, SimgateError
from plugin_server.printed import chance, shown
from plugin_server.remote import RemoteError

QUERY = "the dog bit the man"
#: Its words with another meaning, and its meaning in another form.
NEAR_MISS, PARAPHRASE = "the man bit the dog", "the man was bitten by the dog"
SERVICE = "simgate.v1.Simgate"


class NotServing(SimgateError):
    """What answered, or did not, is no simgate server that takes requests."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(f"{place}: {fault}")


@dataclass(frozen=True, slots=True)
class Door:
    """How a server is reached: its gRPC address, TLS, an API key, seconds for each question.

    Attributes:
        tls: None without.
        variable: of the environment that the key came from.
    """

    address: str
    tls: Tls | None
    key: str
    variable: str
    timeout: float


def health(door: Door) -> str:
    """``SERVING``.

    Raises:
        NotServing: it answers anything else, or nothing.
    """
    with channel(door.address, door.tls) as made:
        try:
            asked = health_pb2.HealthCheckRequest(service=SERVICE)
            answer = health_pb2_grpc.HealthStub(made).Check(asked, timeout=door.timeout)
        except grpc.RpcError as error:
            raise NotServing(door.address, _fault(error.code().name, error.details() or "", door)) from error
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotServing(door.address, f"its health is {status}: it is stopping; ask another replica, or start it")
    return str(status)


def rerank(door: Door) -> Iterator[str]:
    """A line for each of the two texts.

    Raises:
        NotServing: the server refuses, or does not answer for both.
    """
    texts = [NEAR_MISS, PARAPHRASE]
    with Client(door.address, door.timeout, door.tls, door.key) as client:
        started = time.perf_counter()
        try:
            ranking = client.rerank(QUERY, texts, profile="pairs", policy="annotate")
        except RemoteError as error:
            raise NotServing(door.address, _fault(error.code.name, str(error), door)) from error
        taken = 1000 * (time.perf_counter() - started)
    verdicts = {hit.candidate.text: hit.verdict for hit in ranking.hits}
    if verdicts.keys() != {*texts}:
        raise NotServing(door.address, f"{len(verdicts)} of 2 candidates came back: is a simgate server there?")
    for text in texts:
        verdict = verdicts[text]
        reason = f", {shown(verdict.reason)}" if verdict.reason else ""
        yield f"{QUERY!r} and {text!r}: {verdict.outcome.value} {chance(verdict.probability)}{reason}"
    yield f"answered in {taken:.0f} ms"


def _fault(code: str, details: str, door: Door) -> str:
    """What a gRPC code means here, and what to do."""
    said = f"{code}: {shown(details, 300)}"
    if code in ("UNIMPLEMENTED", "NOT_FOUND"):
        return f"is no simgate server ({said}): give the address of its gRPC port"
    if code == "UNAUTHENTICATED":
        state = "that key is not valid" if door.key else "it is empty"
        return f"wants an API key: put a valid one into ${door.variable}; {state}"
    if code == "DEADLINE_EXCEEDED":
        return f"no answer within {door.timeout:g} s ({said}): give more time with --timeout, or look at its log"
    if code in ("UNAVAILABLE", "INTERNAL", "UNKNOWN"):
        have = "with" if door.tls else "without"
        return f"cannot be asked {have} TLS ({said}): does it run, is that its gRPC port, and has it TLS or not?"
    return said


async def ready(url: str, tls: Tls, timeout: float) -> str:
    """The URL and what ``/readyz`` says.

    Raises:
        NotServing: it says something other than 200 and "ok", or nothing.
    """
    options: dict[str, Any] = {"timeout": aiohttp.ClientTimeout(timeout), "allow_redirects": False}
    if url.startswith("https:"):
        options |= {"ssl": _context(tls), "server_hostname": tls.server_name or None}
    try:
        async with aiohttp.ClientSession(trust_env=True) as session, session.get(url, **options) as answer:
            said = shown((await answer.content.read(200)).decode(errors="replace"))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        fault = "no answer in time" if isinstance(error, TimeoutError) else shown(str(error) or type(error).__name__)
        raise NotServing(url, f"cannot be asked ({fault}): does it run, and is it http or https?") from error
    if (answer.status, said) != (200, "ok"):
        raise NotServing(url, f"says {answer.status} {said!r}, not 200 'ok': it is stopping, or is no simgate server")
    return f"{url}: 200 {said}"


def _context(tls: Tls) -> ssl.SSLContext:
    """What HTTPS is spoken with.

    Raises:
        InvalidField: a file cannot be read, or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        if tls.certificate:
            context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ValueError) as error:
        raise InvalidField(f"tls: {tls.ca} {tls.certificate} {tls.key}: cannot be used: {error}") from error
    return context
