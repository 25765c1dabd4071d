"""The paragraphs of one file, and which of them are closest to a question they do not answer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from onnx_export.sources.text import words_of

#: A word of the question is telling when at most this share of the paragraphs hold it.
TELLING_SHARE = 0.02

_TELLING_AT_LEAST = 3
_CLOSEST = 3
_STOPWORDS = frozenset(
    (
        "a about after all also an and any are as at be been before being between but by can could did do "
        "does for from had has have he her his how i if in into is it its many much more most name no not of "
        "on one or other s she some such t than that the their them there these they this to two use used was "
        "were what when where which who whom whose why will with would you your according called during kind "
        "made me my our over part so type up us we year years"
    ).split()
)


class Paragraphs:
    """The paragraphs of a file with their words counted, ready to be searched by TF-IDF.

    Example:
        >>> shelf = Paragraphs(["Ann met Bob in Oslo.", "Eve met Bob in Rome.", "Rain fell."])
        >>> shelf.close("Where did Ann meet Bob?", answered_by=0, answers=("Oslo",))
        [1]
    """

    def __init__(self, texts: list[str]) -> None:
        """Count the words of the texts; cost: one pass over them."""
        self.texts = texts
        self._lower = [text.lower() for text in texts]
        self._counts = [Counter(words_of(text)) for text in texts]
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, counts in enumerate(self._counts):
            for word in counts:
                self._holders[word].append(number)
        self._norms = [math.sqrt(sum(self._weight(w, n) ** 2 for w, n in c.items())) or 1.0 for c in self._counts]

    def close(self, question: str, answered_by: int, answers: tuple[str, ...]) -> list[int]:
        """The up to three closest paragraphs, best first, that leave the question open.

        A paragraph leaves it open when it holds none of the answers and lacks at least one telling word that the
        question shares with the paragraph that answers it. A question without such a word ("Does the writer
        recommend it?") could be answered by any paragraph and gets none.
        """
        telling = self.telling(question, answered_by)
        if not telling:
            return []
        asked = [word for word in dict.fromkeys(words_of(question)) if word not in _STOPWORDS]
        found: list[int] = []
        for number in self._by_closeness(asked):
            holds_all = all(word in self._counts[number] for word in telling)
            if number == answered_by or holds_all or self._holds_answer(number, answers):
                continue
            found.append(number)
            if len(found) == _CLOSEST:
                break
        return found

    def telling(self, question: str, answered_by: int) -> list[str]:
        """The rare words that the question shares with the paragraph that answers it.

        Example:
            >>> Paragraphs(["Ann met Bob in Oslo.", "Rain fell."]).telling("Where is Ann?", answered_by=0)
            ['ann']
        """
        asked = [word for word in dict.fromkeys(words_of(question)) if word not in _STOPWORDS]
        return [word for word in asked if word in self._counts[answered_by] and self._is_telling(word)]

    def _by_closeness(self, asked: list[str]) -> list[int]:
        scores: dict[int, float] = defaultdict(float)
        for word in asked:
            for number in self._holders.get(word, ()):
                weight = self._weight(word, self._counts[number][word]) * self._weight(word, 1)
                scores[number] += weight / self._norms[number]
        return sorted(scores, key=lambda number: (-scores[number], number))

    def _weight(self, word: str, count: int) -> float:
        return (1 + math.log(count)) * math.log((1 + len(self.texts)) / (1 + len(self._holders[word])))

    def _is_telling(self, word: str) -> bool:
        return len(self._holders[word]) <= max(_TELLING_AT_LEAST, TELLING_SHARE * len(self.texts))

    def _holds_answer(self, number: int, answers: tuple[str, ...]) -> bool:
        return any(answer.lower() in self._lower[number] for answer in answers)
