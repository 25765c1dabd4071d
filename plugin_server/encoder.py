"""Texts in, recall vectors and token matrices out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from plugin_server.blob import TokenBlob, TokenMatrix, quantise
from plugin_server.bundle import ENCODER, TOKENIZER, Bundle
from plugin_server.errors import BundleMalformed, EmptyText, InvalidRequest, InvalidText, OverLimit
from plugin_server.session import open_session

#: Windows are padded to a multiple of this, whatever else is in the batch, so that a text's rows do not depend on its
#: neighbours: rounding to int8 would turn a difference in the last bit into one of a whole step.
BUCKET = 16
#: Padded tokens of one run.
BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text, encoded.

    Attributes:
        vectors: (w, recall_dimension) float32, a unit row for each window; a text that fits one window has one, which
            is the base model's own embedding.
        windows: the token matrix of each window, int8 (t, token_dimension), first and last row the marks of the text.
        words: for each token of the first window, its word's characters as (start, end), None for marks and spaces.
    """

    vectors: NDArray[np.float32]
    windows: tuple[TokenMatrix, ...]
    words: tuple[tuple[int, int] | None, ...]

    def blob(self, fingerprint: str) -> TokenBlob:
        """The windows as a token blob."""
        return TokenBlob(fingerprint, self.windows)


class Encoder:
    """The encoder graph of a bundle with its tokenizer.

    Args:
        bundle: where the files are.
        threads: of onnxruntime; 0 takes the cores this process may use.
        max_characters: of one text.
        max_query_tokens: of one query.

    Raises:
        BundleError: a file is missing, altered or of no use.
    """

    def __init__(
        self, bundle: Bundle, threads: int = 0, max_characters: int = 200_000, max_query_tokens: int = 256
    ) -> None:
        self.manifest = bundle.manifest
        self.max_characters = max_characters
        self.max_query_tokens = min(max_query_tokens, self.manifest.window_tokens)
        self._tokenizer = _tokenizer(bundle.folder / TOKENIZER, bundle.read(TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.manifest.window_tokens, stride=self.manifest.window_overlap)
        widths = {"recall": self.manifest.recall_dimension, "tokens": self.manifest.token_dimension}
        self._session = open_session(bundle.folder / ENCODER, threads, widths, bundle.read(ENCODER))

    def query(self, text: str, field: str = "query") -> Encoded:
        """A query, which must fit one window.

        Raises:
            InvalidRequest: as `queries`.
        """
        return self.queries([text], [field])[0]

    def queries(self, texts: Sequence[str], fields: Sequence[str]) -> list[Encoded]:
        """Queries, each of which must fit one window, in the order given; equal ones are encoded once.

        Args:
            fields: names of the texts, for error messages.

        Raises:
            OverLimit: a query has too many characters or tokens.
            EmptyText, InvalidText: as `documents`.
        """
        return _all(self.try_queries(texts, fields))

    def documents(self, texts: Sequence[str], fields: Sequence[str] | None = None) -> list[Encoded]:
        """Texts of any length, longer ones as windows, in the order given; equal ones are encoded once.

        Args:
            texts: 1 to `max_characters` characters each.
            fields: names of the texts for error messages; their numbers when not given.

        Raises:
            EmptyText: a text holds no words.
            InvalidText: a text is not valid Unicode.
            OverLimit: a text has too many characters.
        """
        return _all(self.try_documents(texts, fields or [f"documents[{number}]" for number in range(len(texts))]))

    def try_documents(self, texts: Sequence[str], fields: Sequence[str]) -> list[Encoded | InvalidRequest]:
        """What `documents` gives, with the error that it would raise in the place of a text that cannot be encoded."""
        return self._encoded(texts, fields, self._codes)

    def try_queries(self, texts: Sequence[str], fields: Sequence[str]) -> list[Encoded | InvalidRequest]:
        """What `queries` gives, with the error that it would raise in the place of a text that cannot be encoded."""
        return self._encoded(texts, fields, self._query_codes)

    def _encoded(
        self, texts: Sequence[str], fields: Sequence[str], codes_of: Callable[[str, str], list[Encoding]]
    ) -> list[Encoded | InvalidRequest]:
        """Every distinct text through tokenizer and graph, in the order given."""
        codes: dict[str, list[Encoding]] = {}
        faults: dict[int, InvalidRequest] = {}
        for number, (text, name) in enumerate(zip(texts, fields, strict=True)):
            try:
                codes[text] = codes.get(text) or codes_of(text, name)
            except InvalidRequest as error:
                faults[number] = error
        encoded = dict(zip(codes, self._run(codes), strict=True))
        return [faults.get(number) or encoded[text] for number, text in enumerate(texts)]

    def _query_codes(self, text: str, field: str) -> list[Encoding]:
        """The tokenised query, alone in its list."""
        codes = self._codes(text, field)
        repeated = 2 + self.manifest.window_overlap  # of every window but the first: its marks and its overlap
        length = sum(len(code.ids) for code in codes) - repeated * (len(codes) - 1)
        if length > self.max_query_tokens:
            raise OverLimit(field, length, self.max_query_tokens, "tokens", "shorten it; only documents are split")
        return codes

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

    def _run(self, texts: dict[str, list[Encoding]]) -> list[Encoded]:
        """Every window through the graph, then put together text by text."""
        flat = [code for codes in texts.values() for code in codes]
        vectors: dict[int, NDArray[np.float32]] = {}
        matrices: dict[int, TokenMatrix] = {}
        for numbers, ids, mask in _batches(flat):
            recall, tokens = self._session.run(["recall", "tokens"], {"input_ids": ids, "attention_mask": mask})
            for row, number in enumerate(numbers):
                vectors[number] = recall[row]
                matrices[number] = quantise(tokens[row, : len(flat[number].ids)], self.manifest.token_bits)
        result, place = [], 0
        for text, codes in texts.items():
            part = range(place, place + len(codes))
            place += len(codes)
            stacked = np.stack([vectors[number] for number in part])
            result.append(Encoded(stacked, tuple(matrices[number] for number in part), _words(text, codes[0])))
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


def _all(results: list[Encoded | InvalidRequest]) -> list[Encoded]:
    """The results, if none of them is an error; else the first error is raised."""
    encoded = [result for result in results if isinstance(result, Encoded)]
    if len(encoded) < len(results):
        raise next(result for result in results if isinstance(result, InvalidRequest))
    return encoded


def _batches(codes: list[Encoding]) -> Iterator[tuple[list[int], NDArray[np.int64], NDArray[np.int64]]]:
    """Windows of one padded width, at most `BATCH_TOKENS` together: their numbers, ids and mask (b, t)."""
    widths: dict[int, list[int]] = defaultdict(list)
    for number, code in enumerate(codes):
        widths[-(-len(code.ids) // BUCKET) * BUCKET].append(number)
    for width, members in widths.items():
        step = max(1, BATCH_TOKENS // width)
        for start in range(0, len(members), step):
            chosen = members[start : start + step]
            ids, mask = np.zeros((len(chosen), width), np.int64), np.zeros((len(chosen), width), np.int64)
            for row, number in enumerate(chosen):
                length = len(codes[number].ids)
                ids[row, :length], mask[row, :length] = codes[number].ids, 1
            yield chosen, ids, mask


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
