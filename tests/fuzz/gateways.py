"""The gateway's own work, without the wire: requests from hostile callers, responses from a hostile engine."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from fuzz.mutate import bent, mutated, spelled, text
from fuzz.target import Target, at_once, coverage, mutations, properties
from plugin_server import strict
from plugin_server.bundle import DEFAULT, PROFILES, Manifest
from plugin_server.candidate import Candidate
from plugin_server.errors import SimgateError
from plugin_server.gateway import multi
from plugin_server.gateway.answer import answer, hits_of, kept_of
from plugin_server.gateway.ask import Ask, ask
from plugin_server.gateway.content import decoded, is_foreign, may_concern
from plugin_server.gateway.context import context_of
from plugin_server.gateway.options import Search
from plugin_server.gateway.params import Params
from plugin_server.gateway.recall import recall_of
from plugin_server.gateway.recount import merged, recount, recount_params
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.gateway.verify import candidates_of
from plugin_server.ranking import Ranking, rank
from plugin_server.verdict import Outcome, Verdict, unverified

SETTINGS = GatewaySettings("http://127.0.0.1:9200")
MANIFEST = Manifest.read(DEFAULT)
LIMIT = 1 << 20
BODY = {
    "query": {"match": {"title": {"query": "red car"}}}, "from": 0, "size": 3, "sort": ["_score"], "fields": ["text"],
    "aggs": {"years": {"terms": {"field": "year"}, "aggs": {"top": {"top_hits": {"sort": ["year"]}}}}},
    "stored_fields": ["a"], "collapse": {"field": "group"}, "script_fields": {"s": {}}, "track_total_hits": True,
    "ext": {
        "rerank": {"query_context": {"query_text_path": "query.match.title.query"}}, "other": 1,
        "simgate": {
            "k": 20, "policy": "filter", "profile": "pairs", "scores": "raw", "aggregations": "kept",
            "verification": "full",
        },
    },
}  # fmt: skip
HEADER = {"index": ["hills"], "search_pipeline": "p", "routing": "1"}
QUERIES = [
    *("", "pretty", "size=3", "from=1&size=2", "sort=year:asc", "scroll=1m", "format=yaml",),
    *("filter_path=hits", "routing=a;b"),
    *("size=%ff", "size=9" + "9" * 5000, "from=-1", "size=1_0", "size=١", "pretty=false&pretty",),
    *("&&;;==", "typed_keys=&q=%00"),
    *("stored_fields=_none_", "search_pipeline=p", "verbose_pipeline", "_source=false",),
    "source=%7B%7D&source_content_type=x",
]  # fmt: skip
HIT = {"_index": "hills", "_id": "7", "_score": 0.9, "_source": {"a": 1}, "fields": {"text": ["A red", "car."]}}
RESPONSE = {
    "took": 3, "timed_out": False, "_shards": {"total": 2, "successful": 2, "failed": 0},
    "hits": {
        "total": {"value": 3, "relation": "eq"}, "max_score": 0.9,
        "hits": [HIT, HIT | {"_id": "8", "_score": 0.1}, HIT | {"_id": "9", "fields": {"simgate_blob": ["sgb1:AA"]}}],
    },
    "aggregations": {"years": {"buckets": []}},
}  # fmt: skip
SECOND = {
    "took": 1,
    "timed_out": False,
    "_shards": {"failed": 0},
    "hits": {"total": {"value": 3}},
    "aggregations": {"a": 1},
}
SHORT = {key: BODY[key] for key in ("query", "size", "ext")}


def exchange(random: Random) -> tuple[bytes, str, bytes, bytes, int]:
    """A body, a query string, the engine's two responses, and a number for what else is chosen."""
    given: Any = random.choice([BODY, SHORT, SHORT, {"aggs": BODY["aggs"]} | SHORT])
    body = spelled(random, mutated(random, given, random.randrange(4)))
    first = spelled(random, mutated(random, RESPONSE, random.randrange(4)))
    second = spelled(random, mutated(random, SECOND, random.randrange(3)))
    return body, query(random), first, second, random.randrange(1 << 30)


def query(random: Random) -> str:
    """The query string of a URL."""
    if random.random() < 0.5:
        return random.choice(["", "", *QUERIES])
    return "&".join(random.choice([*QUERIES, text(random)]) for _ in range(random.randrange(3)))


def check(given: tuple[bytes, str, bytes, bytes, int]) -> str | None:
    """How the request was refused; one that is not is answered with JSON, whatever the engine says."""
    body, raw, first, second, chosen = given
    params = Params(raw)
    try:
        parsed = strict.parse(body)
    except ValueError:
        return "not strict JSON"
    context = context_of(parsed, 1000)
    if context is None:
        return "no context"
    asked = ask(Search(parsed, params, context), SETTINGS)
    strict.parse(strict.write(asked.body))
    assert asked.start + asked.size <= context.k or not asked.verifies
    json.dumps([asked.params.raw, recount_params(asked.params).raw])
    verified(asked, first, second, Random(chosen))
    return None


def verified(asked: Ask, first: bytes, second: bytes, random: Random) -> None:
    """Nothing; the engine's response was answered as `Exchange` does it, with verdicts drawn by lot."""
    response = strict.answered(first)
    candidates = candidates_of(hits_of(response), SETTINGS)
    kind = asked.context.scores
    scores = [recall_of(item.score or 0.0, kind) for item in candidates]
    ranking = by_lot(candidates, scores, asked, random)
    result = answer(asked, response, ranking, SETTINGS, failed=random.random() < 0.1)
    if asked.search.recounts():
        kept = kept_of(response, ranking)
        strict.write(recount(asked, kept))
        result = merged(result, strict.answered(second), len(kept))
    made = json.loads(strict.passed_on(result, asked.params.flag("pretty")))
    assert len(made["hits"]["hits"]) <= max(asked.size, 0)
    assert all("simgate" in hit["fields"] for hit in made["hits"]["hits"])


def by_lot(candidates: Sequence[Candidate], scores: Sequence[float], asked: Ask, random: Random) -> Ranking:
    """A ranking of the candidates."""
    if not candidates:
        return Ranking((), ())
    profile = asked.context.profile
    assert profile in PROFILES
    verdicts = [
        random.choice(
            [
                Verdict(Outcome.ACCEPTED, random.random(), 0.5, profile, 0.5),
                Verdict(Outcome.REJECTED, 0.0, 0.5, profile, 0.5, unmatched=("\ud800",)),
                unverified("a reason", MANIFEST, profile),
            ]
        )
        for _ in candidates
    ]
    return rank(candidates, verdicts, scores, MANIFEST.profile(profile), asked.context.policy)


def searches(random: Random) -> bytes:
    """The lines of a multi-search."""
    lines = []
    for _ in range(random.randrange(1, 4)):
        lines += [spelled(random, mutated(random, HEADER, random.randrange(3))) if random.random() < 0.8 else b""]
        lines += [spelled(random, mutated(random, SHORT, random.randrange(3)))]
    raw = random.choice([b"\n", b"\n", b"\n", b"\r\n"]).join(lines) + random.choice([b"\n", b"\n", b""])
    return bent(random, raw) if random.random() < 0.1 else raw


def check_searches(raw: bytes) -> str | None:
    """As `check`, for what is done with the lines of a multi-search."""
    try:
        listed = multi.split(raw)
        parsed = [strict.parse(body) for _, body in listed]
    except ValueError:
        return "not strict JSON"
    assert multi.split(multi.join(listed)) == listed
    for (header, _), body in zip(listed, parsed, strict=True):
        assert isinstance(multi.index_of(header, "b"), str)
        multi.without_pipeline(header)
        context = context_of(body, 1000)
        if context:
            strict.write(ask(Search(body, Params(), context), SETTINGS).body)
    return None


def content(random: Random) -> tuple[bytes, str, str]:
    """A body as it may come, its content encoding and its content type."""
    raw = spelled(random, mutated(random, SHORT, 1))
    packed = random.choice([gzip.compress, zlib.compress, bytes, lambda raw: gzip.compress(bytes(LIMIT + 1))])(raw)
    packed = bent(random, packed) if random.random() < 0.4 else packed
    coding = random.choice(["", "gzip", "GZIP ", "deflate", "x-gzip", "br", "gzip, gzip", "identity", text(random)])
    return packed, coding, random.choice(["application/json", "application/yaml", "text/plain", "", text(random)])


def check_content(given: tuple[bytes, str, str]) -> str | None:
    """How it was refused; what is uncompressed is within the limit."""
    raw, coding, kind = given
    is_foreign(kind)
    body = decoded(raw, coding, LIMIT)
    if body is None:
        return "left to the engine"
    assert len(body) <= LIMIT or coding.strip().lower() in ("", "identity")
    may_concern(body)
    return None


def check_bytes(raw: bytes) -> str | None:
    """As `check_searches`, or as `check` with the bytes as a body, a query string and a response."""
    kind, rest = raw[:1], raw[1:]
    if kind == b"m":
        return check_searches(rest)
    body, _, more = rest.partition(b"\x1e")
    said, _, response = more.partition(b"\x1e")
    return check((body, said.decode("latin-1"), response, response, len(raw)))


def seeds() -> list[bytes]:
    """Inputs for `check_bytes` to begin with."""
    small = {"size": 2, "ext": SHORT["ext"] | {"rerank": {"query_context": {"query_text": "a"}}}}  # type: ignore[operator]
    body, found = json.dumps(small).encode(), json.dumps({"hits": {"hits": [HIT], "total": 1}}).encode()
    return [b"s" + body + b"\x1esize=1&pretty\x1e" + found, b'm{"index":"a"}\n' + body + b"\n"]


def values() -> st.SearchStrategy[tuple[bytes, str, bytes, bytes, int]]:
    """Bodies and responses of any JSON at the places that are read."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
    anything = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    )
    keys = st.sampled_from(
        ["from", "size", "sort", "fields", "aggs", "_source", "collapse", "docvalue_fields", "search_after"]
    )
    knobs = st.dictionaries(
        st.sampled_from(["k", "policy", "profile", "scores", "aggregations", "calibration"]), anything, max_size=2
    )
    bodies = st.builds(
        lambda body, more, text: body | {"ext": {"rerank": {"query_context": {"query_text": text}}, "simgate": more}},
        st.dictionaries(keys, anything, max_size=3), st.just({}) | knobs, st.text(),
    )  # fmt: skip
    hits = st.lists(
        st.dictionaries(st.sampled_from(["_id", "_index", "_score", "fields"]), anything, max_size=4), max_size=3
    )
    found = st.builds(
        lambda hits, total, took: {"took": took, "hits": {"hits": hits, "total": total}}, hits, anything, anything
    )
    spell = (
        st.builds(lambda value: json.dumps(value).encode(), bodies),
        st.builds(lambda value: json.dumps(value).encode(), found | anything),
    )
    return st.tuples(spell[0], st.text(max_size=20), spell[1], spell[1], st.integers(0, 1 << 30))


OURS = (SimgateError,)
TARGETS = [
    Target("gateway: requests and responses", "mutations", 90_000, 800, at_once(mutations(exchange, check)), OURS),
    Target("gateway: requests and responses", "hypothesis", 10_000, 200, at_once(properties(values(), check)), OURS),
    Target("gateway: multi-searches", "mutations", 40_000, 400, at_once(mutations(searches, check_searches)), OURS),
    Target("gateway: encodings", "mutations", 10_000, 200, at_once(mutations(content, check_content)), OURS),
    Target("gateway: all of these", "atheris", 60_000, 1000, coverage("gateways"), OURS),
]
