"""What is asked: texts of so many tokens, their token blobs, and the requests made of them for gRPC and for HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from plugin_server import Candidate, Reranker
from plugin_server import simgate_v1_pb2 as pb
from plugin_server.reply import rerank_request, verify_request
from plugin_server.service import NAME

#: The candidates of a request, and the tokens of its query and of each document, the two marks of a text included.
CANDIDATES, QUERY, DOCUMENT = 100, 16, 128
#: Words of one token each.
WORDS = ("red", "blue", "car", "house", "dog", "man", "rain", "train", "city", "river", "stone", "paper", "light")
#: The shapes of requests, by what they are called in the tables.
SHAPES = ("100 blobs", "10 blobs", "one pair")


@dataclass(frozen=True, slots=True)
class Shape:
    """A request, ready to be sent.

    Attributes:
        method: of gRPC, with its service.
        message: what gRPC sends.
        path, body: the same over HTTP, the body as JSON.
    """

    name: str
    method: str
    message: pb.RerankRequest | pb.VerifyRequest
    path: str
    body: bytes


def text(tokens: int, number: int = 0) -> str:
    """A text of that many tokens, another one for every number.

    Example:
        >>> text(5), text(5, 1)
        ('red train blue', 'blue train blue')
    """
    wide = len(WORDS)
    # the places count in different digits of the number
    return " ".join(WORDS[(number // wide ** (place % 6) + 7 * place) % wide] for place in range(max(1, tokens - 2)))


def documents(count: int = CANDIDATES, tokens: int = DOCUMENT) -> list[str]:
    """So many different texts."""
    return [text(tokens, number) for number in range(count)]


def blobs(reranker: Reranker, texts: Sequence[str]) -> list[str]:
    """A token blob for each text."""
    return [item.blob(reranker.manifest.fingerprint).text() for item in reranker.encode(texts)]


def shape(name: str, reranker: Reranker, tokens: int = DOCUMENT) -> Shape:
    """The request of that name: one of `SHAPES`, or any other number of blobs."""
    if name == "one pair":
        return pair()
    found = blobs(reranker, documents(int(name.split()[0]), tokens))
    candidates = [Candidate(blob=blob) for blob in found]
    message = rerank_request(text(QUERY), candidates, "passages", "annotate", 0)
    body = {"query": text(QUERY), "documents": found, "policy": "annotate"}
    return Shape(name, f"/{NAME}/Rerank", message, "/v2/rerank", json.dumps(body).encode())


def pair(number: int = 0) -> Shape:
    """A request for the verdict on two short texts, others for every number."""
    query, document = text(QUERY, number), text(QUERY, number + 1)
    message = verify_request([(query, document)], "pairs")
    body = {"query": query, "documents": [document], "profile": "pairs"}
    return Shape("one pair", f"/{NAME}/Verify", message, "/v1/verify", json.dumps(body).encode())
