"""Texts in, recall vectors and token matrices out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from plugin_server.blob import TokenBlob, TokenMatrix
from plugin_server.bundle import TOKENIZER, Bundle
from plugin_server.cache import Cache
from plugin_server.errors import BundleMalformed, EmptyText, InvalidRequest, InvalidText, OverLimit
from plugin_server.room import Room
from plugin_server.settings import Settings
from plugin_server.spans import span
from plugin_server.windows import Windows

#: The settings' own defaults.
DEFAULT = Settings()


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text, encoded.

    Attributes:
        vectors: (w, recall_dimension) float32, a unit row for each window; a text that fits one window has one, which
            is the base model's own embedding. (w, 0) if they were not asked for.
        windows: the token matrix of each window, int8 (t, token_dimension), first and last row the marks of the text.
        words: for each token of the first window, its word's characters as (start, end), None for marks and spaces.
    """

    vectors: NDArray[np.float32]
    windows: tuple[TokenMatrix, ...]
    words: tuple[tuple[int, int] | None, ...]

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        arrays = self.vectors.nbytes + sum(window.nbytes + 112 for window in self.windows)
        return arrays + 72 * len(self.words)

    def blob(self, fingerprint: str) -> TokenBlob:
        """The windows as a token blob."""
        return TokenBlob(fingerprint, self.windows)


class Encoder:
    """The encoder graph of a bundle with its tokenizer.

    Args:
        bundle: where the files are.
        settings: threads, provider, limits and the bytes of the cache.

    Attributes:
        cache: what was encoded lately, by text.
        windows: runs the graph.

    Raises:
        BundleError: a file is missing, altered or of no use.
    """

    def __init__(self, bundle: Bundle, settings: Settings = DEFAULT) -> None:
        self.manifest = bundle.manifest
        self.max_characters = settings.max_characters
        self.max_query_tokens = min(settings.max_query_tokens, self.manifest.window_tokens)
        self.cache: Cache[Encoded] = Cache(settings.cache_bytes)
        self._tokenizer = _tokenizer(bundle.folder / TOKENIZER, bundle.read(TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.manifest.window_tokens, stride=self.manifest.window_overlap)
        self.windows = Windows(bundle, settings.threads, settings.provider)

    @classmethod
    def load(cls, settings: Settings = DEFAULT) -> Encoder:
        """Of the bundle that the settings name, or of the one in the package; its verifier is not looked at.

        Raises:
            BundleError: it cannot be loaded.
        """
        return cls(Bundle.at(settings.bundle), settings)

    def query(self, text: str, field: str = "query", recall: bool = True) -> Encoded:
        """A query, which must fit one window.

        Args:
            recall: as in `documents`.

        Raises:
            InvalidRequest: as `queries`.
        """
        return self.queries([text], [field], recall)[0]

    def queries(self, texts: Sequence[str], fields: Sequence[str], recall: bool = True) -> list[Encoded]:
        """Queries, each of which must fit one window, in the order given; equal ones are encoded once.

        Args:
            fields: names of the texts, for error messages.
            recall: as in `documents`.

        Raises:
            OverLimit: a query has too many characters or tokens.
            EmptyText, InvalidText: as `documents`.
        """
        return _all(self.try_queries(texts, fields, recall))

    def documents(
        self,
        texts: Sequence[str],
        fields: Sequence[str] | None = None,
        room: Room | None = None,
        recall: bool = True,
    ) -> list[Encoded]:
        """Texts of any length, longer ones as windows, in the order given; equal ones are encoded once.

        Args:
            texts: 1 to `max_characters` characters each.
            fields: names of the texts for error messages; their numbers when not given.
            room: for windows; any number of them without.
            recall: whether recall vectors are wanted, which take time of their own.

        Raises:
            EmptyText: a text holds no words.
            InvalidText: a text is not valid Unicode.
            OverLimit: a text has too many characters, or all have too many windows.
        """
        fields = fields or [f"documents[{number}]" for number in range(len(texts))]
        return _all(self.try_documents(texts, fields, room, recall))

    def try_documents(
        self, texts: Sequence[str], fields: Sequence[str], room: Room | None = None, recall: bool = True
    ) -> list[Encoded | InvalidRequest]:
        """What `documents` gives, with the error that it would raise in the place of a text that cannot be encoded.

        Args:
            room: for windows; a text that does not fit any more is an error.
        """
        return self._encoded(texts, fields, _any_length, room, recall)

    def try_queries(
        self, texts: Sequence[str], fields: Sequence[str], recall: bool = True
    ) -> list[Encoded | InvalidRequest]:
        """What `queries` gives, with the error that it would raise in the place of a text that cannot be encoded."""
        return self._encoded(texts, fields, self._check_query, None, recall)

    def _encoded(
        self,
        texts: Sequence[str],
        fields: Sequence[str],
        check: Callable[[int, str], None],
        room: Room | None,
        recall: bool,
    ) -> list[Encoded | InvalidRequest]:
        """Every distinct text from the cache, or through tokenizer and graph, in the order given.

        Args:
            check: raises if a text has too many tokens.
        """
        codes: dict[str, list[Encoding]] = {}
        known: dict[str, Encoded] = {}
        faults: dict[int, InvalidRequest] = {}
        for number, (text, name) in enumerate(zip(texts, fields, strict=True)):
            try:
                if text not in known and text not in codes:
                    self._look_up(text, name, known, codes, recall)
                lengths = [len(part) for part in (known[text].windows if text in known else codes[text])]
                check(self._tokens(lengths), name)
                if room:
                    room.take(len(lengths), name)
            except InvalidRequest as error:
                faults[number] = error
        needed = {text for number, text in enumerate(texts) if number not in faults}
        codes = {text: found for text, found in codes.items() if text in needed}
        with span("simgate.encode", texts=len(codes), held=len(known)) if codes else nullcontext():
            ran = self._run(codes, recall)
        for text, encoded in zip(codes, ran, strict=True):
            known[text] = encoded
            self.cache.put(text, encoded)
        return [faults.get(number) or known[text] for number, text in enumerate(texts)]

    def _look_up(
        self, text: str, field: str, known: dict[str, Encoded], codes: dict[str, list[Encoding]], recall: bool
    ) -> None:
        """Nothing; the text is among what is known, or its codes are among those to be run."""
        held = self.cache.get(text, lambda found: not recall or found.vectors.size > 0)
        if held:
            known[text] = held
        else:
            codes[text] = self._codes(text, field)

    def _tokens(self, lengths: Sequence[int]) -> int:
        """Tokens of a text whose windows have so many."""
        repeated = 2 + self.manifest.window_overlap  # of every window but the first: its marks and its overlap
        return sum(lengths) - repeated * (len(lengths) - 1)

    def _check_query(self, tokens: int, field: str) -> None:
        """Nothing, if a query may have so many tokens.

        Raises:
            OverLimit: it may not.
        """
        if tokens > self.max_query_tokens:
            raise OverLimit(field, tokens, self.max_query_tokens, "tokens", "shorten it; only documents are split")

    def _codes(self, text: str, field: str) -> list[Encoding]:
        """The tokenised windows of one text."""
        if len(text) > self.max_characters:
            raise OverLimit(field, len(text), self.max_characters, "characters", "split it, or raise max_characters")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidText(field) from None
        first = self._tokenizer.encode(text)
        if len(first.ids) <= 2:  # the two marks of the text
            raise EmptyText(field)
        return [first, *first.overflowing]

    def _run(self, texts: dict[str, list[Encoding]], recall: bool) -> list[Encoded]:
        """Every window through the graph, then put together text by text."""
        found = iter(self.windows.encode([code for codes in texts.values() for code in codes], recall))
        result = []
        for text, codes in texts.items():
            windows = [next(found) for _ in codes]
            vectors = np.stack([window.vector for window in windows])
            result.append(Encoded(vectors, tuple(window.matrix for window in windows), _words(text, codes[0])))
        return result


def _tokenizer(path: Path, raw: bytes) -> Tokenizer:
    """The tokenizer in a file.

    Raises:
        BundleMalformed: it is none.
    """
    try:
        return Tokenizer.from_buffer(raw)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # tokenizers raises plain Exception, and where it panics no Exception at all
        raise BundleMalformed(f"{path}: {error}") from error


def _any_length(tokens: int, field: str) -> None:
    """Nothing; documents are split, and may have any number of tokens."""


def _all(results: list[Encoded | InvalidRequest]) -> list[Encoded]:
    """The results, if none of them is an error; else the first error is raised."""
    encoded = [result for result in results if isinstance(result, Encoded)]
    if len(encoded) < len(results):
        raise next(result for result in results if isinstance(result, InvalidRequest))
    return encoded


def _words(text: str, code: Encoding) -> tuple[tuple[int, int] | None, ...]:
    """For each token the span of the whole word it is a piece of, without a space that the tokenizer puts before it."""
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(code.word_ids, code.offsets, strict=True):
        if word is not None:
            spans[word] = (min(spans.get(word, (start, end))[0], start), max(spans.get(word, (start, end))[1], end))
    for word, (start, end) in spans.items():
        spans[word] = (end - len(text[start:end].lstrip()), end)
    kept = {word: span for word, span in spans.items() if span[0] < span[1]}
    return tuple(None if word is None else kept.get(word) for word in code.word_ids)
