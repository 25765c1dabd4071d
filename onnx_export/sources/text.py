"""The raw text every loader starts from: files read, spaced punctuation closed up, sentences turned into keys."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from onnx_export.errors import DataMissing

_CLOSING = re.compile(r" +([,;:!?%)\]}]|\.(?!\d))")
_OPENING = re.compile(r"([(\[{$#]) +")
_CLITIC = re.compile(r" +('(?:s|re|ve|ll|d|m)\b|n't\b)", re.IGNORECASE)
_PLURAL_POSSESSIVE = re.compile(r"s +'(?= )")
_SCORE = re.compile(r"(?<=\d): +(?=\d)")
_NUMBER_RANGE = re.compile(r"(?<=\d) -- (?=\d)")
_HYPHEN = re.compile(r"(?<=\w) - (?=\w)")
_WORD = re.compile(r"[^\W_]+")


def read_text(folder: Path, name: str, encoding: str = "utf-8") -> str:
    r"""The whole text of one file of the data folder, line ends turned into ``\n``.

    Raises:
        DataMissing: the file is not there.

    Example:
        >>> read_text(Path("/nowhere"), "snli/s1.dev")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    path = folder / name
    if not path.is_file():
        raise DataMissing(folder, name)
    return path.read_bytes().decode(encoding).replace("\r\n", "\n")


def read_lines(folder: Path, name: str) -> list[str]:
    """Every line of a file without its end, blank ones too, so that parallel files stay parallel.

    Example:
        >>> read_lines(Path(__file__).parent, "text.py")[2]
        'from __future__ import annotations'
    """
    return read_text(folder, name).removesuffix("\n").split("\n")


def read_tsv(folder: Path, name: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    """One dictionary a row of a tab-separated file with a header, in which a quotation mark is only a character.

    Example:
        >>> read_tsv(Path("/nowhere"), "paws_wiki/dev.tsv")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    header, *lines = read_text(folder, name, encoding).split("\n")
    names = header.split("\t")
    return [dict(zip(names, line.split("\t"), strict=False)) for line in lines if line.strip()]


def read_csv(folder: Path, name: str) -> list[dict[str, str]]:
    """One dictionary a row of a comma-separated file with a header and quoted fields.

    Example:
        >>> read_csv(Path("/nowhere"), "banking77/train.csv")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    return list(csv.DictReader(io.StringIO(read_text(folder, name), newline="")))


def read_json(folder: Path, name: str) -> Any:
    """The value of a JSON file.

    Example:
        >>> read_json(Path("/nowhere"), "xquad_en/xquad.en.json")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    return json.loads(read_text(folder, name))


def read_json_lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """One dictionary a line of a JSON-lines file.

    Example:
        >>> read_json_lines(Path("/nowhere"), "scifact/corpus.jsonl")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        onnx_export.errors.DataMissing: /nowhere/...
    """
    # Not splitlines(): a JSON string may hold U+2028 and its kin unescaped.
    return [json.loads(line) for line in read_text(folder, name).split("\n") if line.strip()]


def one_line(text: str) -> str:
    r"""The text with every run of white space turned into one space.

    Example:
        >>> one_line(" two\n words ")
        'two words'
    """
    return " ".join(text.split())


def detokenise(text: str, join_hyphens: bool = False) -> str:
    """The sentence as a person would type it, from the tokenised form of PAWS, SNLI, HANS and Natural Questions.

    Args:
        text: tokens divided by spaces; quotation marks as two back-ticks or two apostrophes, in either order.
        join_hyphens: also close up ``long - running``; only for sources that split hyphens, else a dash would be lost.

    Example:
        >>> detokenise("In 1973 -- 74 he did n't like `` Ann 's Life '' ( 4 : 2 ) .")
        'In 1973-74 he didn\\'t like "Ann\\'s Life" (4:2).'
        >>> detokenise("the long - running series .", join_hyphens=True)
        'the long-running series.'
    """
    text = _NUMBER_RANGE.sub("-", _close_quotes(one_line(text))).replace(" -- ", " - ")
    text = _HYPHEN.sub("-", text) if join_hyphens else text
    text = _CLITIC.sub(r"\1", _PLURAL_POSSESSIVE.sub("s'", text))
    return _SCORE.sub(":", _OPENING.sub(r"\1", _CLOSING.sub(r"\1", text))).replace(" / ", "/")


def _close_quotes(text: str) -> str:
    """The text with free-standing quotation marks glued by turns to the word after and the word before."""
    words: list[str] = []
    glue, inside = "", False
    for token in text.split(" "):
        if token in ("``", "''", '"'):
            if inside and words:
                words[-1] += '"'
            else:
                glue = '"'
            inside = not inside
        else:
            words.append(glue + token)
            glue = ""
    return " ".join(words) + glue


def words_of(text: str) -> list[str]:
    """The words of a text: lower case, letters and digits only.

    Example:
        >>> words_of("It's 4:2!")
        ['it', 's', '4', '2']
    """
    return _WORD.findall(text.lower())


def key_of(text: str) -> str:
    """The text as it is compared with others: its words with single spaces.

    Example:
        >>> key_of("A man , smiling .") == key_of("a man, smiling")
        True
    """
    return " ".join(words_of(text))


def digest(text: str) -> int:
    """A number that is the same for the same text on every machine: the first 48 bits of its SHA-256.

    Example:
        >>> digest("a") == digest("a"), digest("a") == digest("b"), digest("") < 2**48
        (True, False, True)
    """
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def first_linked(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For every text of the links the alphabetically first of all that it is linked to, directly or not.

    Example:
        >>> first_linked([("c", "b"), ("b", "a"), ("e", "d")])
        {'c': 'a', 'b': 'a', 'a': 'a', 'e': 'd', 'd': 'd'}
    """
    firsts: dict[str, str] = {}

    def first(text: str) -> str:
        while firsts.setdefault(text, text) != text:
            text = firsts[text]
        return text

    for link in links:
        one, other = sorted(map(first, link))
        firsts[other] = one
    return {text: first(text) for text in list(firsts)}


def group_of(source: str, anchor: str) -> str:
    """The name of the group of all rows of a source that share an anchor sentence.

    Example:
        >>> group_of("snli", "A man .") == group_of("snli", "a man")
        True
    """
    return f"{source}:{digest(key_of(anchor)):012x}"
