"""The HTTP doors of a real server: what no client sends, in bodies, headers and framing."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from fuzz.engine import TEXTS as SENTENCES
from fuzz.engine import hostile_engine
from fuzz.gateways import BODY, HEADER, SHORT
from fuzz.gateways import query as query_string
from fuzz.mutate import bent, mutated, spelled, text
from fuzz.server import MAX_BYTES, reranker, serving
from fuzz.target import Step, Target, mutations

RERANK = {
    "query": "The station stands on a hill.",
    "documents": [*SENTENCES, {"text": "a", "id": "b", "score": 0.5, "blob": ""}],
    "model": "simgate", "profile": "pairs", "policy": "demote", "top_n": 2, "return_documents": True, "calibration": "",
    "verification": "cascade",
}  # fmt: skip
TEI = {"query": "a hill", "texts": SENTENCES, "raw_scores": True, "return_text": True, "truncate": False}
SEARCH = {
    "query": "a hill", "index": "hills", "k": 5, "top_n": 3, "policy": "filter", "filter": {"term": {"a": 1}},
    "recall_query": None, "hybrid": False, "verification": "light",
}  # fmt: skip
BODIES = {"/v2/rerank": RERANK, "/v1/rerank": RERANK, "/v1/verify": RERANK, "/rerank": TEI, "/v1/search": SEARCH}
KINDS = [
    *("application/json", "application/json", "application/json", "application/json; charset=utf-16", "text/plain", ""),
    *(
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/yaml",
    ),
    *("application/vnd.api+json", "application/json;" * 50, "\xff", "*/*"),
]
METHODS = ["POST"] * 12 + ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "FOO", "post"]
#: Seconds after which a server that has not answered waits for more of a request.
PATIENCE = 0.05
#: Statuses that are answers: of a hostile engine behind the server 502 and 504 besides.
REFUSED, BEHIND = {503}, {502, 503, 504}
Sent = tuple[str, str, dict[str, str], bytes]


class Caller:
    """A client that keeps its connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.host, self.port = host, int(port)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)

    def send(self, sent: Sent) -> tuple[int, bytes]:
        """Status and body of the answer."""
        method, path, headers, body = sent
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except Exception:
            self.connection.close()
            raise

    def alive(self) -> None:
        """Nothing, if the server answers."""
        self.connection.close()
        status, body = self.send(("GET", "/livez", {}, b""))
        assert (status, body) == (200, b'"ok"') or body == b"ok", (status, body)

    def raw(self, sent: bytes) -> bytes:
        """What comes back for the bytes."""
        with socket.create_connection((self.host, self.port), timeout=60) as connection, suppress(ConnectionError):
            connection.sendall(sent)
            if not select.select([connection], [], [], PATIENCE)[0]:
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1 << 16)
            while answer and select.select([connection], [], [], 0)[0] and (piece := connection.recv(1 << 16)):
                answer += piece
            return answer
        return b""


def request(random: Random) -> Sent:
    """A request to a door, most of it right."""
    path = random.choice([*BODIES])
    body = spelled(random, mutated(random, BODIES[path], random.choice([0, 1, 1, 2, 3])))
    if random.random() < 0.03:
        body = random.choice(
            [b"", b"[" * 100_000, b'{"a":' * 100_000, b'"' + b"a" * 2000, b"9" * 100_000, body * 20, b"\0" * 99]
        )
    if random.random() < 0.01:
        body = b'{"query": "a", "documents": ["' + b"a" * (MAX_BYTES + 1) + b'"]}'
    params = random.choice(
        ["", "", "", "?details=false", "?ranked=1", "?details=" + quote(text(random)[:50], errors="replace")]
    )
    return method(random), path + params, headers(random), body


def method(random: Random) -> str:
    """Mostly POST."""
    return random.choice(METHODS)


def headers(random: Random) -> dict[str, str]:
    """Mostly those of JSON."""
    made = {"Content-Type": random.choice(KINDS)} if random.random() < 0.4 else {"Content-Type": "application/json"}
    if random.random() < 0.15:
        name = random.choice(
            ["Accept", "Content-Encoding", "Expect", "Upgrade", "X-Forwarded-For", "Origin", "Cookie", "Range", "TE"]
        )
        made[name] = random.choice(
            ["gzip", "identity", "websocket", "*/*", "bytes=0-", "9" * 5000, "é", "100-continue" * 2]
        )
    return made


def search(random: Random) -> Sent:
    """A request to the gateway or to the search of an engine."""
    kind = random.randrange(10)
    if kind < 3:
        body = spelled(random, mutated(random, SEARCH, random.choice([0, 0, 1, 2])))
        return method(random), "/v1/search", headers(random), body
    index = random.choice(
        ["/hills", "", "/a,b", "/%2e%2e", "/*", "/é", "/" + quote(text(random)[:30], errors="replace"), "//", "/_all"]
    )
    asked = "?" + quote(query_string(random)[:3000], safe="&=;%", errors="replace")
    if kind < 8:
        given = random.choice([BODY, SHORT, SHORT, SHORT])
        body = spelled(random, mutated(random, given, random.choice([0, 0, 1, 2, 3])))
        return method(random), f"{index}/_search{random.choice(['', asked])}", headers(random), body
    if kind == 8:
        lines = []
        for _ in range(random.randrange(1, 4)):
            lines += [spelled(random, mutated(random, HEADER, random.choice([0, 0, 1])))]
            lines += [spelled(random, mutated(random, SHORT, random.choice([0, 0, 1])))]
        return method(random), f"{index}/_msearch", headers(random), b"\n".join(lines) + b"\n"
    path = random.choice(
        ["/", "/_bulk", "/hills/_doc/1", "/_cat/indices", "/openapi.json", "/metrics", "/readyz", index + "/x"]
    )
    return (
        method(random),
        path + random.choice(["", asked]),
        headers(random),
        random.choice([b"", b"{}", random.randbytes(30)]),
    )


def check(caller: Caller, allowed: set[int], sent: Sent) -> str | None:
    """The status of an answer that is not 200; a body that is JSON can be read."""
    try:
        status, body = caller.send(sent)
    except (UnicodeEncodeError, ValueError):
        return "not sent"
    except (http.client.HTTPException, OSError) as error:
        caller.alive()
        return type(error).__name__ if allowed is BEHIND or sent[0] in ("FOO", "post", "TRACE") else unanswered(error)
    own = allowed is REFUSED or b"nternal" in body  # else the engine's
    assert status < 500 or status in allowed or not own, (status, body[:300])
    return None if status == 200 else str(status)


def unanswered(error: Exception) -> str:
    """Never: the server did not answer."""
    raise error


def framed(random: Random) -> bytes:
    """A request whose framing is wrong: lengths, chunks, line ends, versions, headers, several requests in one."""
    body = spelled(random, mutated(random, {"query": "a hill", "documents": ["A hill."]}, random.choice([0, 0, 1])))
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    length = random.choice(
        [b"%d" % len(body)] * 25
        + [b"0", b"-1", b"1", b"999", b"9" * 30, b"9" * 5000, b"\xd9\xa3", b"1, 2", b"", b"0x10"]
    )
    lines = [b"Host: x", b"Content-Type: application/json"]
    coded = random.random() < 0.4
    lines += (
        [
            b"Transfer-Encoding: "
            + random.choice([b"chunked"] * 9 + [b"gzip, chunked", b"xchunked", b"Chunked, chunked"])
        ]
        if coded
        else []
    )
    lines += [] if coded and random.random() < 0.7 else [b"Content-Length: " + length]
    lines += random.choice(
        [[]] * 20 + [[b"Content-Length: 3"], [b"A" * 70_000 + b": 1"], [b" folded"], [b"X: \0"], [b":"], [b"X" * 9] * 2]
    )
    path = random.choice(
        [b"/v2/rerank"] * 25 + [b"*", b"http://other/", b"//", b"/%", b"/\xff", b"/a b", b"?", b"/" + b"a" * 70_000]
    )
    start = random.choice([b"POST"] * 15 + [b"GET", b"P\0ST", b"CONNECT", b""]) + b" " + path
    start += random.choice([b" HTTP/1.1"] * 20 + [b" HTTP/1.0", b" HTTP/9.9", b"", b" HTTP/1.1 "])
    sent = b"\r\n".join([start, *lines]) + b"\r\n\r\n" + (chunks if coded else body)
    kind = random.randrange(8)
    if kind == 0:
        return bent(random, sent)
    if kind == 1:
        return sent[: random.randrange(len(sent))]
    if kind == 2:
        return random.randbytes(random.randrange(300))
    return sent * 2 if kind == 3 else sent


def check_framed(caller: Caller, sent: bytes) -> str | None:
    """The status that came first, if it is not 200."""
    answer = caller.raw(sent)
    if not answer:
        return "no answer"
    status = int(answer.split(b" ", 2)[1])
    assert answer.startswith(b"HTTP/1.") and status < 500, answer[:300]
    return None if status == 200 else str(status)


@contextmanager
def opened(make: Callable[[Random], Any], work: Callable[..., str | None], engine: str = "") -> Iterator[Step]:
    """A server without an engine, or with a hostile one, and a caller."""
    with hostile_engine(reranker()) if engine else nullcontext("") as url, serving(url, engine) as server:
        caller = Caller(server.http_address)
        yield mutations(make, partial(work, caller))
        caller.alive()
        caller.connection.close()


refused, behind = (
    (lambda caller, sent: check(caller, REFUSED, sent)),
    (lambda caller, sent: check(caller, BEHIND, sent)),
)
TARGETS = [
    Target("HTTP doors: bodies and headers", "mutations", 8_000, 150, lambda: opened(request, refused)),
    Target("HTTP doors: framing", "mutations", 5_000, 100, lambda: opened(framed, check_framed)),
    Target("HTTP over a hostile OpenSearch", "mutations", 6_000, 150, lambda: opened(search, behind, "opensearch")),
    Target(
        "HTTP over a hostile Elasticsearch", "mutations", 5_000, 100, lambda: opened(search, behind, "elasticsearch")
    ),
]
