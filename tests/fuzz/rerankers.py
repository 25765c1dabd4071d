"""The Python API: any Unicode as query and candidates, blobs that are nearly right, lenient and strict."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

from hypothesis import strategies as st

from fuzz.blobs import blob
from fuzz.mutate import NUMBERS, TEXTS
from fuzz.mutate import text as awkward
from fuzz.server import reranker
from fuzz.target import Step, Target, mutations, properties
from plugin_server import Candidate, Reranker
from plugin_server.errors import InvalidRequest
from plugin_server.verdict import Verdict

QUERY = "The station stands on a hill."
STORED = ["The station is on a hill.", "The hill is on a station. " * 5]


def text(random: Random) -> str:
    """A text, now and then a plain one."""
    if random.random() < 0.3:
        return random.choice([QUERY, *STORED])
    return awkward(random)[: random.choice([30] * 12 + [300, 10_000])]


def request(random: Random, blobs: list[str]) -> dict[str, Any]:
    """Arguments of `Reranker.rerank`."""
    return {
        "query": QUERY if random.random() < 0.6 else text(random),
        "candidates": [candidate(random, blobs) for _ in range(random.randrange(5))],
        "profile": random.choice(
            ["pairs", "passages", "passages", text(random)[:9]] if random.random() < 0.2 else ["pairs"]
        ),
        "policy": random.choice(
            ["filter", "demote", "annotate", "demote", ""] if random.random() < 0.9 else [text(random)]
        ),
        "lenient": random.random() < 0.7,
        "verification": random.choice(["", "", "full", "cascade", "light", text(random)[:9]]),
        "wanted": random.choice([1, 2, 10]),
        "calibration": random.choice(["", "", "", "bundle", text(random)[:9]]),
    }


def candidate(random: Random, blobs: list[str]) -> str | Candidate:
    """A candidate with a text, a blob, a score and an id, each of them perhaps awkward."""
    if random.random() < 0.3:
        return text(random)
    stored = random.choice(["", "", blob(random), random.choice(blobs), random.choice(blobs)[:-3]])
    floats = [float(number) for number in NUMBERS if isinstance(number, float)]
    score = random.choice([None, 0.5, 0.9, random.choice(floats)])
    return Candidate(text(random), random.choice(["", "a", str(random.random())]), score, stored)


def check(made: Reranker, given: dict[str, Any]) -> None:
    """Nothing; every candidate comes back once, with finite numbers."""
    ranking = made.rerank(**given)
    hits = [*ranking.hits, *ranking.dropped]
    assert sorted(hit.position for hit in hits) == list(range(len(given["candidates"])))
    assert all(math.isfinite(hit.score) for hit in hits), [hit.score for hit in hits]
    for hit in hits:
        sound(hit.verdict)


def sound(verdict: Verdict) -> None:
    """Nothing; the verdict's numbers lie in their ranges."""
    assert 0 < verdict.threshold < 1
    assert (verdict.probability is None) == bool(verdict.reason)
    assert verdict.probability is None or 0 <= verdict.probability <= 1
    assert verdict.maxsim is None or -1.01 <= verdict.maxsim <= 1.01


def check_pairs(made: Reranker, pairs: list[tuple[str, str]]) -> None:
    """Nothing; the verdicts on the pairs are sound."""
    verdicts = made.verify_pairs(pairs)
    assert len(verdicts) == len(pairs)
    for verdict in verdicts:
        sound(verdict)


def check_texts(made: Reranker, texts: list[str]) -> None:
    """Nothing; vectors are unit vectors, and blobs are read again."""
    for item in made.encode(texts):
        assert item.vectors.shape[1] == made.manifest.recall_dimension
        assert all(abs(math.sqrt(float(row @ row)) - 1) < 1e-3 for row in item.vectors)
        item.blob(made.manifest.fingerprint).text()


def anything() -> st.SearchStrategy[str]:
    """Any text, of one kind of characters or of all, also such as cannot be UTF-8."""
    every = st.characters(codec=None, categories=None)
    kinds = [
        st.characters(categories=kinds)
        for kinds in (["Mn", "L"], ["Cf", "Zs"], ["So", "Sk"], ["Lo"], ["Cs"], ["Co", "Cn"])
    ]
    runs = st.builds(lambda character, times: character * times, every, st.integers(1, 60) | st.integers(1, 300))
    return st.one_of(
        st.text(every, max_size=60), *(st.text(kind, max_size=40) for kind in kinds), runs, st.sampled_from(TEXTS)
    )


@contextmanager
def opened_requests() -> Iterator[Step]:
    """Reranking."""
    made = reranker()
    blobs = [item.blob(made.manifest.fingerprint).text() for item in made.encode(STORED)]
    yield mutations(partial(request, blobs=blobs), partial(check, made))


@contextmanager
def opened_pairs() -> Iterator[Step]:
    """Verifying."""
    texts = anything()
    yield properties(st.lists(st.tuples(texts | st.just(QUERY), texts), max_size=3), partial(check_pairs, reranker()))


@contextmanager
def opened_texts() -> Iterator[Step]:
    """Encoding."""
    yield properties(st.lists(anything(), max_size=3), partial(check_texts, reranker()))


TARGETS = [
    Target("reranker: rerank", "mutations", 5_000, 150, opened_requests, (InvalidRequest,)),
    Target("reranker: verify_pairs", "hypothesis", 5_000, 80, opened_pairs, (InvalidRequest,)),
    Target("reranker: encode", "hypothesis", 5_000, 80, opened_texts, (InvalidRequest,)),
]
