"""The encoder: the same matrices in any batch, no word lost between windows, and a clear error for every bad text."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from tokenizers import Tokenizer

from plugin_server import Bundle, Candidate, Encoded, Reranker, Settings
from plugin_server.bundle import TOKENIZER
from plugin_server.encoder import Encoder
from plugin_server.errors import EmptyText, InvalidText, OverLimit, SimgateError
from plugin_server.room import Room

WORDS = [
    "the", "station", "is", "on", "a", "hill", ",", "last", "bus", "leaves", "at", "ten",
    "and", "shop", "sells", "bread", ":", "not", "before", "noon",
]  # fmt: skip


def text_of(words: int, seed: int) -> str:
    """A text of so many words."""
    return " ".join(Random(seed).choices(WORDS, k=words))


@pytest.fixture(scope="module")
def encoder(tiny: Bundle) -> Encoder:
    return Encoder(tiny, Settings(threads=1))


@pytest.fixture(scope="module")
def tokens(tiny: Bundle) -> Callable[[str], int]:
    """Counts a text's tokens, without its marks."""
    tokenizer = Tokenizer.from_file(str(tiny.folder / TOKENIZER))
    return lambda text: len(tokenizer.encode(text).ids) - 2


def same(one: Encoded, other: Encoded) -> bool:
    """Whether the matrices are the very same, and the vectors within 1e-6."""
    matrices = all(np.array_equal(a, b) for a, b in zip(one.windows, other.windows, strict=True))
    return matrices and float(np.abs(one.vectors - other.vectors).max()) < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_a_text_is_encoded_alike_in_any_batch_and_order(encoder: Encoder, seed: int) -> None:
    random = Random(seed)
    texts = list({text_of(random.choice([1, 3, 13, 14, 15, 30, 60, 300]), random.getrandbits(32)) for _ in range(25)})
    alone = {text: encoder.documents([text])[0] for text in texts}
    for _ in range(3):
        batch = random.sample(texts, random.randint(2, len(texts)))
        assert all(same(found, alone[text]) for text, found in zip(batch, encoder.documents(batch), strict=True))


def test_a_text_is_encoded_alike_in_a_batch_of_several_runs(encoder: Encoder) -> None:
    texts = [text_of(10, seed) for seed in range(600)]
    together = encoder.documents(texts)
    for number in (0, 255, 256, 511, 599):
        assert same(together[number], encoder.documents([texts[number]])[0])


def test_query_and_document_of_one_text_are_the_same(encoder: Encoder) -> None:
    text = text_of(12, 1)
    assert same(encoder.query(text), encoder.documents([text])[0])


def test_equal_texts_are_equal(encoder: Encoder) -> None:
    first, other, second = encoder.documents(["the shop", "a hill", "the shop"])
    assert same(first, second)
    assert not np.array_equal(first.vectors, other.vectors)


def test_shapes(encoder: Encoder, tiny: Bundle, tokens: Callable[[str], int]) -> None:
    text = "the last bus leaves at ten"
    found = encoder.query(text)
    assert found.vectors.shape == (1, tiny.manifest.recall_dimension)
    assert found.vectors.dtype == np.float32
    assert float(np.linalg.norm(found.vectors)) == pytest.approx(1, abs=1e-5)
    assert [window.shape for window in found.windows] == [(tokens(text) + 2, tiny.manifest.token_dimension)]
    assert found.windows[0].dtype == np.int8
    assert np.abs(found.windows[0]).max(1).tolist() == [7] * len(found.windows[0])


def test_no_text_gives_nothing(encoder: Encoder) -> None:
    assert encoder.documents([]) == []


@pytest.mark.parametrize(
    ("extra", "count", "remark"),
    [
        (0, 1, "254 tokens and two marks fill a window"),
        (1, 2, "one more token begins another"),
        (222, 2, "254 - 32 new tokens fill it"),
        (223, 3, "and one more begins the third"),
        (2000, 11, "a long document"),
    ],
)
def test_windows_overlap_and_no_word_is_lost(
    encoder: Encoder, tiny: Bundle, extra: int, count: int, remark: str
) -> None:
    size, overlap = tiny.manifest.window_tokens - 2, tiny.manifest.window_overlap
    text = " ".join(["bus"] * (size + extra))
    [found] = encoder.documents([text])
    lengths = [len(window) - 2 for window in found.windows]
    assert len(lengths) == len(found.vectors) == count, remark
    assert all(length == size for length in lengths[:-1])
    assert sum(lengths) - overlap * (count - 1) == size + extra
    spans = [{span for span in code.offsets if span[1]} for code in encoder._codes(text, "text")]
    assert {place for span in set().union(*spans) for place in range(*span)} >= {
        place for place, character in enumerate(text) if character != " "
    }
    assert all(len(left & right) == overlap for left, right in pairwise(spans))


def test_a_window_is_encoded_like_its_words_alone(encoder: Encoder) -> None:
    text = " ".join(["bus"] * 254 + ["station"] * 100)
    [found] = encoder.documents([text])
    [alone] = encoder.documents([" ".join(["bus"] * 32 + ["station"] * 100)])
    assert np.array_equal(found.windows[1], alone.windows[0])
    assert np.allclose(found.vectors[1], alone.vectors[0], atol=1e-6)


@pytest.mark.parametrize(
    ("limit", "words", "fits", "remark"),
    [
        (256, 254, True, "a whole window"),
        (256, 255, False, "a token more"),
        (10, 8, True, "a lower limit, reached"),
        (10, 9, False, "and passed"),
        (1000, 255, False, "no limit above the window"),
    ],
)
def test_query_length(tiny: Bundle, limit: int, words: int, fits: bool, remark: str) -> None:
    encoder = Encoder(tiny, Settings(threads=1, max_query_tokens=limit))
    if fits:
        assert len(encoder.query(" ".join(["bus"] * words)).windows) == 1, remark
    else:
        message = f"query: {words + 2} tokens, the limit is {min(limit, 256)}: shorten it; only documents are split"
        with pytest.raises(OverLimit, match=re.escape(message)):
            encoder.query(" ".join(["bus"] * words))


def test_length_of_a_very_long_query_counts_no_token_twice(encoder: Encoder) -> None:
    with pytest.raises(OverLimit, match="query: 902 tokens, the limit is 256"):
        encoder.query(" ".join(["bus"] * 900))


BAD = [
    ("", EmptyText, "holds no words", "no text"),
    ("   ", EmptyText, "holds no words", "spaces"),
    ("\t\r\n", EmptyText, "holds no words", "line ends"),
    ("\x00\x01\x1f\x7f", EmptyText, "holds no words", "control characters"),
    ("\u200b\u200e\ufeff", EmptyText, "holds no words", "zero-width marks"),
    ("\u3000\u00a0", EmptyText, "holds no words", "wide and unbreakable spaces"),
    ("a \ud800 b", InvalidText, "is not valid Unicode", "half of a surrogate pair"),
    ("a" * 200_001, OverLimit, "200001 characters, the limit is 200000: split it", "a character too many"),
    ("the bus " * 131_072, OverLimit, "1048576 characters, the limit is 200000", "a megabyte"),
]


@pytest.mark.parametrize(("text", "kind", "message", "remark"), BAD, ids=[row[-1] for row in BAD])
def test_bad_text(encoder: Encoder, text: str, kind: type[SimgateError], message: str, remark: str) -> None:
    with pytest.raises(kind, match=f"^query: {message}"):
        encoder.query(text)
    with pytest.raises(kind, match=rf"^documents\[1\]: {message}"):
        encoder.documents(["a bus", text])
    with pytest.raises(kind, match=rf"^pairs\[7\]\.document: {message}"):
        encoder.documents([text], ["pairs[7].document"])


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("7", "a digit"),
        ("?", "a mark"),
        ("🚂🚃🚃", "emoji"),
        ("👩‍👩‍👧‍👦", "joined emoji"),
        ("الحافلة الأخيرة", "Arabic, from right to left"),
        ("\u202eשלום\u202c", "Hebrew within direction marks"),
        ("車站在山上", "Chinese"),
        ("e\u0301\u0301\u0301", "heaped accents"),
        ("𝔯𝔞𝔦𝔫", "letters beyond 16 bits"),
        ("a\x00b", "a null inside"),
        ("x" * 200_000, "a word as long as a text may be"),
        ("[CLS] [SEP] [PAD]", "the marks of a text, written out"),
    ],
)
def test_odd_text_is_encoded(encoder: Encoder, text: str, remark: str) -> None:
    [found] = encoder.documents([text])
    assert np.isfinite(found.vectors).all()
    assert len(found.windows[0]) == len(found.words)
    assert all(0 <= span[0] <= span[1] <= len(text) for span in found.words if span)


def test_a_raised_limit_lets_a_megabyte_through(tiny: Bundle) -> None:
    text = ("bus" * 40 + " ") * 8700  # words that long are one unknown token each
    assert len(text) > 1 << 20
    [found] = Reranker(tiny, Settings(threads=1, max_characters=len(text))).encode([text])
    assert sum(len(window) - 2 - 32 for window in found.windows) + 32 == 8700
    assert np.isfinite(found.vectors).all()


@pytest.mark.parametrize(
    ("text", "words", "remark"),
    [
        ("the bus", ["the", "bus"], "words"),
        ("the bus, at ten.", ["the", "bus", ",", "at", "ten", "."], "marks are words of their own"),
        ("THE  Bus", ["THE", "Bus"], "as they were written"),
        ("Zwölf", ["Zwölf"], "pieces, and an accent that is taken off"),
        ("🚂 bus", ["🚂", "bus"], "characters, not bytes"),
    ],
)
def test_word_spans(encoder: Encoder, text: str, words: list[str], remark: str) -> None:
    found = encoder.query(text).words
    assert found[0] is None
    assert found[-1] is None
    spans = list(dict.fromkeys(span for span in found if span is not None))
    assert [text[slice(*span)] for span in spans] == words, remark


def test_windows_of_one_request_are_limited(reranker: Reranker) -> None:
    long = "rain falls on the river " * 300
    few = Reranker(reranker.bundle, Settings(max_windows=8, max_candidates=8))
    windows = len(few.encode([long])[0].windows)
    assert 4 < windows < 8
    with pytest.raises(OverLimit, match=rf"candidates\[1\]\.text: {2 * windows} windows of all texts, the limit is 8"):
        few.rerank("rain", [long, long + "!"])
    ranking = few.rerank("rain", [long, long + "!", "rain"], lenient=True)
    reasons = {hit.position: hit.verdict.reason for hit in (*ranking.hits, *ranking.dropped)}
    assert [bool(reasons[place]) for place in range(3)] == [False, True, False], "a shorter one still fits"
    blob = few.encode([long])[0].blob(few.manifest.fingerprint).text()
    with pytest.raises(OverLimit, match=r"candidates\[1\]\.blob: .*raise max_windows"):
        few.rerank("rain", [Candidate(blob=blob), Candidate(blob=blob)])
    twice = few.rerank("rain", [long + "?", long + "?"], lenient=True)
    told = {hit.position: hit.verdict.reason for hit in (*twice.hits, *twice.dropped)}
    assert [bool(told[place]) for place in range(2)] == [False, True], "the same text again takes its windows again"
    with pytest.raises(OverLimit, match=r"pairs\[1\]\.document: "):
        few.verify_pairs([("rain", long), ("rain", long + "!")], room=Room(8))
    assert len(few.verify_pairs([("rain", long), ("rain", long + "!")])) == 2, "in a program there is no such limit"
