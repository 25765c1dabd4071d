"""The straight line, end to end on a tiny bundle: what a verdict depends on, and what it does not."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from tiny import tiny_config

from onnx_export.graphs import export_verifier
from onnx_export.model import Model
from onnx_export.model_card import finish
from plugin_server import Bundle, Candidate, Outcome, Reranker, Settings, SimgateError, Verdict
from plugin_server.blob import TokenBlob
from plugin_server.bundle import VERIFIER, Profile
from plugin_server.errors import (
    BlobMalformed,
    BlobOfOtherBundle,
    DuplicateId,
    EmptyText,
    InvalidField,
    InvalidText,
    NoCandidates,
    OverLimit,
    UnknownChoice,
)
from plugin_server.ranking import log_odds
from plugin_server.reranker import CHUNK

QUERY = "which bus leaves at ten"
TEXTS = [
    "The last bus leaves at ten.",
    "The shop sells bread.",
    "The station is on a hill.",
    "No bus leaves before noon, and the last one leaves at ten from the station on the hill behind the shop.",
    "🚂",
]
WORDS = [
    "the", "station", "is", "on", "a", "hill", ",", "last", "bus", "leaves", "at", "ten",
    "and", "shop", "sells", "bread", ":", "not", "before", "noon",
]  # fmt: skip
OTHER = "ff" * 8


def blob_of(reranker: Reranker, text: str, fingerprint: str = "") -> str:
    """The text's token blob, by default of the bundle that is loaded."""
    return reranker.encode([text])[0].blob(fingerprint or reranker.manifest.fingerprint).text()


def alike(one: Verdict, other: Verdict) -> bool:
    """Whether two verdicts are the same, their numbers within 1e-5."""
    assert one.probability is not None
    assert other.probability is not None
    assert one.maxsim is not None
    assert other.maxsim is not None
    near = abs(one.probability - other.probability) < 1e-5 and abs(one.maxsim - other.maxsim) < 1e-5
    return near and replace(one, probability=None, maxsim=None) == replace(other, probability=None, maxsim=None)


def settled(reranker: Reranker, texts: list[str | Candidate], profile: str = "passages") -> list[Verdict]:
    """The verdicts on the candidates, in the order sent."""
    hits = reranker.rerank(QUERY, texts, profile, "annotate").hits
    return [hit.verdict for hit in sorted(hits, key=lambda hit: hit.position)]


@pytest.fixture(scope="module")
def other(tiny: Bundle) -> dict[str, Reranker]:
    """A reranker for each way to treat another bundle's blob."""
    return {rule: Reranker(tiny, Settings(threads=1, on_mismatch=rule)) for rule in ("encode", "unverified", "refuse")}


@pytest.mark.parametrize("profile", ["pairs", "passages"])
def test_rerank_is_verify_for_each_candidate(tiny_reranker: Reranker, profile: str) -> None:
    for text, verdict in zip(TEXTS, settled(tiny_reranker, [*TEXTS], profile), strict=True):
        assert alike(verdict, tiny_reranker.verify(QUERY, text, profile))


def test_a_text_and_its_blob_get_the_same_verdict(tiny_reranker: Reranker) -> None:
    blobs = [blob_of(tiny_reranker, text) for text in TEXTS]
    texts = settled(tiny_reranker, [*TEXTS])
    as_text = settled(tiny_reranker, [*blobs])
    as_field = settled(tiny_reranker, [Candidate("another text", blob=blob) for blob in blobs])
    for number, verdict in enumerate(texts):
        assert alike(verdict, as_text[number])
        assert alike(verdict, as_field[number])
        assert alike(verdict, tiny_reranker.verify(QUERY, blobs[number], "passages"))


@pytest.mark.parametrize("seed", range(3))
def test_a_verdict_does_not_depend_on_the_other_candidates(tiny_reranker: Reranker, seed: int) -> None:
    random = Random(seed)
    texts = [" ".join(random.choices(WORDS, k=random.choice([1, 5, 14, 40, 300]))) for _ in range(12)]
    alone = [tiny_reranker.verify(QUERY, text, "passages") for text in texts]
    order = random.sample(range(12), 12)
    found = settled(tiny_reranker, [texts[number] for number in order])
    assert all(alike(verdict, alone[number]) for verdict, number in zip(found, order, strict=True))


def test_the_best_window_of_a_long_document_counts(tiny_reranker: Reranker) -> None:
    text = " ".join(Random(5).choices(WORDS, k=1500))
    [encoded] = tiny_reranker.encode([text])
    assert len(encoded.windows) > 3
    whole = tiny_reranker.verify(QUERY, text)
    each = [
        tiny_reranker.verify(QUERY, TokenBlob(tiny_reranker.manifest.fingerprint, (window,)).text())
        for window in encoded.windows
    ]
    assert whole.probability == pytest.approx(max(verdict.probability or 0 for verdict in each), abs=1e-5)
    assert alike(whole, replace(each[whole.window], window=whole.window))


def test_recall_of_a_long_document_is_that_of_its_best_window(tiny_reranker: Reranker) -> None:
    text = " ".join(["bread"] * 400 + QUERY.split())
    [hit] = tiny_reranker.rerank(QUERY, [text], policy="annotate").hits
    query, document = tiny_reranker.encode([QUERY, text])
    blend = tiny_reranker.manifest.profile("passages").blend * log_odds(hit.verdict.probability or 0)
    assert hit.score == pytest.approx(float((document.vectors @ query.vectors[0]).max()) + blend, abs=1e-6)


@pytest.mark.parametrize(
    ("candidates", "order", "remark"),
    [
        (
            [Candidate("bus", score=1.0), Candidate("shop", score=3.0), Candidate("hill", score=2.0)],
            "120",
            "the engine's",
        ),
        ([Candidate("bus", score=-9.0), Candidate("shop", score=-1.0)], "10", "below 0 too"),
        ([Candidate(QUERY, score=0.0), Candidate("bread", score=0.1)], "10", "even against the cosine"),
        ([Candidate("bread", score=9.0), Candidate(QUERY)], "10", "one without: the cosine of all"),
        (["bread", QUERY], "10", "none: the cosine"),
    ],
)
def test_recall_score(tiny_reranker: Reranker, candidates: list[str | Candidate], order: str, remark: str) -> None:
    hits = tiny_reranker.rerank(QUERY, candidates, policy="annotate").hits
    assert "".join(str(hit.position) for hit in hits) == order, remark


def test_recall_score_of_blobs_is_maxsim(tiny_reranker: Reranker) -> None:
    blobs: list[str | Candidate] = [blob_of(tiny_reranker, text) for text in ("bread", QUERY)]
    hits = tiny_reranker.rerank(QUERY, blobs, policy="annotate").hits
    assert [hit.score for hit in hits] == [hit.verdict.maxsim for hit in hits]
    assert [hit.position for hit in hits] == [1, 0]


def test_duplicates_are_alike_and_keep_their_order(tiny_reranker: Reranker) -> None:
    hits = tiny_reranker.rerank(QUERY, [TEXTS[0]] * 3 + [Candidate(TEXTS[0], "x")], policy="annotate").hits
    assert [hit.position for hit in hits] == [0, 1, 2, 3]
    assert len({hit.score for hit in hits}) == len({hit.verdict for hit in hits}) == 1


def test_ten_thousand_candidates(tiny: Bundle, tiny_reranker: Reranker) -> None:
    texts = [" ".join(Random(number).choices(WORDS, k=6)) for number in range(10_000)]
    with pytest.raises(OverLimit, match="candidates: 10000 candidates, the limit is 1000: send fewer, or raise"):
        tiny_reranker.rerank(QUERY, texts)
    ranking = Reranker(tiny, Settings(threads=1, max_candidates=10_000)).rerank(QUERY, texts)
    every = sorted((*ranking.hits, *ranking.dropped), key=lambda hit: hit.position)
    assert [hit.position for hit in every] == list(range(10_000))
    for number in (0, 1, 4999, 9999):
        assert alike(every[number].verdict, tiny_reranker.verify(QUERY, texts[number], "passages"))


@pytest.mark.parametrize(
    ("rule", "text", "outcome", "remark"),
    [
        ("encode", "the shop", "read", "its text is encoded"),
        ("encode", "", "unverified", "there is no text"),
        ("unverified", "the shop", "unverified", "its text is not looked at"),
        ("unverified", "", "unverified", "there is none"),
    ],
)
def test_blob_of_another_bundle(other: dict[str, Reranker], rule: str, text: str, outcome: str, remark: str) -> None:
    reranker = other[rule]
    blob = blob_of(reranker, "the shop", OTHER)
    for policy in ("filter", "demote", "annotate"):
        ranking = reranker.rerank(QUERY, ["bread", Candidate(text, blob=blob)], policy=policy)
        [found] = [hit for hit in (*ranking.hits, *ranking.dropped) if hit.position == 1]
        if outcome == "read":
            assert alike(found.verdict, reranker.verify(QUERY, text, "passages")), remark
        else:
            assert found in ranking.hits, "never dropped"
            assert (found.verdict.outcome, found.verdict.probability) == (Outcome.UNVERIFIED, None), remark
            assert f"made by bundle {OTHER}" in found.verdict.reason


def test_blob_of_another_bundle_is_refused(other: dict[str, Reranker]) -> None:
    blob = blob_of(other["refuse"], "the shop", OTHER)
    with pytest.raises(BlobOfOtherBundle, match=f"made by bundle {OTHER}, but {other['refuse'].manifest.fingerprint}"):
        other["refuse"].rerank(QUERY, [Candidate("the shop", blob=blob)])


def test_blob_of_another_width_is_malformed(tiny_reranker: Reranker) -> None:
    narrow = tuple(window[:, :8] for window in tiny_reranker.encode(["the shop"])[0].windows)
    with pytest.raises(BlobMalformed, match="rows of 8 numbers"):
        tiny_reranker.rerank(QUERY, [TokenBlob(tiny_reranker.manifest.fingerprint, narrow).text()])


BAD = [
    ([], NoCandidates, "candidates: the list is empty", "none"),
    (["bus", ""], EmptyText, r"candidates\[1\]\.text: holds no words", "an empty text"),
    (["bus", " \n"], EmptyText, r"candidates\[1\]\.text: holds no words", "a blank one"),
    (["bus", "\ud800"], InvalidText, r"candidates\[1\]\.text: is not valid Unicode", "half of a surrogate pair"),
    (["a" * 200_001], OverLimit, r"candidates\[0\]\.text: 200001 characters", "too long"),
    (
        ["bus", "sgb1:AAAA"],
        BlobMalformed,
        r"candidates\[1\]\.text: the token blob is truncated",
        "a broken blob as text",
    ),
    ([Candidate("bus", blob="sgb1:AAAA")], BlobMalformed, r"candidates\[0\]\.blob", "a broken blob beside a text"),
    (
        [Candidate("bus", blob="bus")],
        BlobMalformed,
        r"candidates\[0\]\.blob.* does not start with",
        "a text for a blob",
    ),
    ([Candidate("a", "1"), Candidate("b", "1")], DuplicateId, "the id '1' occurs twice", "an id twice"),
    ([Candidate("a", score=float("nan"))], InvalidField, r"candidates\[0\]\.score: nan is not", "a score that is NaN"),
]


@pytest.mark.parametrize(("candidates", "kind", "message", "remark"), BAD, ids=[row[-1] for row in BAD])
def test_bad_candidates(
    tiny_reranker: Reranker, candidates: list[str | Candidate], kind: type[SimgateError], message: str, remark: str
) -> None:
    with pytest.raises(kind, match=message):
        tiny_reranker.rerank(QUERY, candidates)


@pytest.mark.parametrize(
    ("query", "profile", "policy", "kind", "message", "remark"),
    [
        ("", "pairs", "filter", EmptyText, "query: holds no words", "no query"),
        ("bus " * 300, "pairs", "filter", OverLimit, "query: 302 tokens, the limit is 256", "a long one"),
        (QUERY, "pear", "filter", UnknownChoice, "profile: 'pear'", "no such profile"),
        (QUERY, "pairs", "drop", UnknownChoice, "policy: 'drop'", "no such policy"),
    ],
)
def test_bad_query(
    tiny_reranker: Reranker, query: str, profile: str, policy: str, kind: type[SimgateError], message: str, remark: str
) -> None:
    with pytest.raises(kind, match=message):
        tiny_reranker.rerank(query, ["bus"], profile, policy)


def test_pairs_beyond_a_chunk_keep_their_order(tiny_reranker: Reranker) -> None:
    texts = [" ".join(Random(number).choices(WORDS, k=4)) for number in range(CHUNK + 3)]
    pairs = [(text, texts[-number]) for number, text in enumerate(texts)]
    pairs[CHUNK] = (QUERY, blob_of(tiny_reranker, TEXTS[3]))
    found = tiny_reranker.verify_pairs(pairs)
    assert len(found) == len(pairs)
    for number in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 2):
        assert alike(found[number], tiny_reranker.verify(*pairs[number]))


def test_no_pair_gives_no_verdict(tiny_reranker: Reranker) -> None:
    assert tiny_reranker.verify_pairs([]) == []


@pytest.mark.parametrize(
    ("number", "pair", "kind", "message", "remark"),
    [
        (0, ("", "bus"), EmptyText, r"pairs\[0\]\.query: holds no words", "the first pair"),
        (CHUNK - 1, ("bus", ""), EmptyText, r"pairs\[255\]\.document: holds no words", "the last of a chunk"),
        (CHUNK, ("bus", ""), EmptyText, r"pairs\[256\]\.document: holds no words", "the first of the next"),
        (CHUNK, ("bus " * 300, "bus"), OverLimit, r"pairs\[256\]\.query: 302 tokens", "a long query"),
        (CHUNK, ("bus", "sgb1:AAAA"), BlobMalformed, r"pairs\[256\]\.document", "a broken blob"),
    ],
)
def test_bad_pair_is_named_by_its_number(
    tiny_reranker: Reranker, number: int, pair: tuple[str, str], kind: type[SimgateError], message: str, remark: str
) -> None:
    pairs = [("bus", "shop")] * (CHUNK + 1)
    pairs[number] = pair
    with pytest.raises(kind, match=message):
        tiny_reranker.verify_pairs(pairs)


def test_several_threads_at_once(tiny_reranker: Reranker) -> None:
    alone = settled(tiny_reranker, [*TEXTS])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: settled(tiny_reranker, [*TEXTS]), range(12)):
            assert all(alike(one, other) for one, other in zip(alone, found, strict=True))


def test_a_verifier_that_gives_no_number_drops_nothing(tiny: Bundle, tiny_base_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "bundle"))
    verifier = Model(tiny_config(tiny_base_folder)).verifier
    torch.nn.init.constant_(verifier.get_parameter("linear.bias"), float("nan"))
    export_verifier(verifier, 16, folder / VERIFIER)
    finish(folder, tiny.manifest)
    ranking = Reranker(Bundle.open(folder), Settings(threads=1)).rerank(QUERY, [*TEXTS])
    assert not ranking.dropped
    assert {hit.verdict.outcome for hit in ranking.hits} == {Outcome.UNVERIFIED}


def test_threshold_decides(tiny: Bundle, tiny_reranker: Reranker) -> None:
    chance = tiny_reranker.verify(QUERY, TEXTS[0]).probability
    assert chance is not None
    for threshold, outcome in ((chance + 1e-3, Outcome.REJECTED), (chance - 1e-3, Outcome.ACCEPTED)):
        profiles = tiny.manifest.profiles | {"pairs": Profile(threshold)}
        changed = Reranker(Bundle(tiny.folder, replace(tiny.manifest, profiles=profiles)), Settings(threads=1))
        assert changed.verify(QUERY, TEXTS[0]).outcome is outcome


def test_load(tiny: Bundle) -> None:
    loaded = Reranker.load(Settings(bundle=str(tiny.folder), threads=1))
    assert loaded.manifest == tiny.manifest
    assert loaded.settings.bundle == str(tiny.folder)
