import threading

import numpy as np
import pytest

from plugin_server import Bundle, Reranker, Settings
from plugin_server.cache import OVERHEAD, Cache
from plugin_server.encoder import Encoder
from plugin_server.errors import OverLimit


def filled(limit: int, texts: str) -> "Cache[np.ndarray]":
    cache: Cache[np.ndarray] = Cache(limit)
    for text in texts:
        if cache.get(text) is None:
            cache.put(text, np.zeros(500, np.int8))
    return cache


TABLES = [
    (4 * 1004, "abcd", "abcd", "all fit to the byte"),
    (4 * 1004 + 1003, "abcde", "bcde", "the first to come goes first"),
    (4 * 1004, "abcdae", "acde", "what was asked for lately stays"),
    (4 * 1003, "aaaa", "", "one value may take a quarter of the limit at most"),
    (0, "ab", "", "no cache"),
]


@pytest.mark.parametrize(("limit", "asked", "held", "remark"), TABLES)
def test_what_stays(limit: int, asked: str, held: str, remark: str) -> None:
    cache = filled(limit, asked)
    assert "".join(text for text in "abcdef" if cache.get(text) is not None) == held, remark
    assert cache.bytes == len(held) * (500 + 4 + OVERHEAD) <= limit


def test_figures() -> None:
    cache = filled(4 * 1004, "abacdeb")
    assert (cache.hits, cache.misses, cache.evictions) == (1, 6, 2)


def test_an_encoder_encodes_a_text_once(tiny: Bundle) -> None:
    encoder = Encoder(tiny, Settings(threads=1))
    first = encoder.documents(["a red car", "a blue house", "a red car"])
    assert first[0] is first[2] and encoder.cache.misses == 2
    assert encoder.query("a red car") is first[0] and encoder.cache.hits == 1
    assert 0 < encoder.cache.bytes < 20_000


def test_cached_or_not_the_numbers_are_the_same(reranker: Reranker) -> None:
    bare = Encoder(reranker.bundle, Settings(cache_bytes=0))
    texts = ["the dog bit the man", "rain " * 700]
    for _ in range(2):
        for cached, encoded in zip(reranker.encoder.documents(texts), bare.documents(texts), strict=True):
            assert cached.words == encoded.words
            assert all(np.array_equal(*pair) for pair in zip(cached.windows, encoded.windows, strict=True))
            assert np.array_equal(cached.vectors, encoded.vectors)
    assert bare.cache.bytes == bare.cache.hits == 0


def test_a_document_in_the_cache_may_be_too_long_for_a_query(tiny: Bundle) -> None:
    encoder = Encoder(tiny, Settings(threads=1, max_query_tokens=8))
    text = "one two three four five six seven eight nine"
    encoder.documents([text])
    for _ in range(2):
        with pytest.raises(OverLimit, match=r"query: \d+ tokens, the limit is 8"):
            encoder.query(text)
    found = encoder.try_queries([text, "one two", text], ["a", "b", "c"])
    assert [type(item).__name__ for item in found] == ["OverLimit", "Encoded", "OverLimit"]


def test_many_threads_keep_the_books(tiny: Bundle) -> None:
    cache: Cache[np.ndarray] = Cache(50_000)

    def use(start: int) -> None:
        for number in range(2000):
            text = str((start + number) % 97)
            if cache.get(text) is None:
                cache.put(text, np.zeros(500, np.int8))

    threads = [threading.Thread(target=use, args=(start,)) for start in range(0, 80, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [str(number) for number in range(97) if cache.get(str(number)) is not None]
    assert cache.bytes == sum(500 + 4 * len(text) + OVERHEAD for text in held)
    assert cache.hits + cache.misses == 8 * 2000 + 97
