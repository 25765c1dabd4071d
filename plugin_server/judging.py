"""One query and its candidates on their way to verdicts, each read by the bundle that made its blob."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from plugin_server import maxsim
from plugin_server.blob import maker
from plugin_server.calibration import Calibration
from plugin_server.candidate import Candidate
from plugin_server.encoder import Encoded
from plugin_server.errors import SimgateError
from plugin_server.gather import Gathered, gather
from plugin_server.loaded import Loaded
from plugin_server.room import Room
from plugin_server.spans import span
from plugin_server.verdict import Verdict, judge, light, unverified


class Judging:
    """The candidates of one request, gathered and judged when they are needed.

    Args:
        reranker: whose previous bundle reads the blobs that it made.
        query, encoded: the same.
        names: of the candidates' texts, for error messages.
        profile, calibration, lenient: as in `Reranker.rerank`.
        policy: that an observer is told.
        recall: whether texts get recall vectors, to be held against the query's.

    Attributes:
        vector: the query's recall vector; None if it is not to be compared, whatever texts may have been encoded for
            other requests.
    """

    def __init__(
        self,
        reranker: Loaded,
        query: str,
        encoded: Encoded,
        candidates: Sequence[Candidate],
        names: Sequence[str],
        profile: str,
        calibration: str,
        lenient: bool,
        policy: str = "",
        recall: bool = False,
    ) -> None:
        self.candidates = candidates
        self.vector = encoded.vectors[0] if recall else None
        self._query = query
        self._names = names
        self._profile = profile
        self._calibration = calibration
        self._lenient = lenient
        self._policy = policy
        self._recall = recall
        self._reranker = reranker
        self._encoded = {id(reranker): encoded}
        self._known: dict[int, Gathered] = {}
        self._older = self._of_previous()
        self._room = Room(reranker.settings.windows)

    def documents(self, numbers: Sequence[int]) -> list[Gathered]:
        """What is known of the candidates of those numbers.

        Raises:
            InvalidRequest: as `gather`.
        """
        for reranker, chosen in self._by_bundle([number for number in numbers if number not in self._known]):
            listed, names = [self.candidates[n] for n in chosen], [self._names[n] for n in chosen]
            mismatch = self._reranker.settings.on_mismatch
            found = gather(listed, names, reranker.encoder, mismatch, self._lenient, self._room, self._recall)
            self._known.update(zip(chosen, found, strict=True))
        return [self._known[number] for number in numbers]

    def verdicts(self, numbers: Sequence[int]) -> list[Verdict]:
        """The verdicts on the candidates of those numbers.

        Raises:
            InvalidRequest: as `gather`.
        """
        self.documents(numbers)
        found: dict[int, Verdict] = {}
        for reranker, chosen in self._by_bundle(numbers):
            documents, asked = [self._known[n] for n in chosen], self._asked(reranker)
            held, size = reranker.calibrations.find(self._calibration, self._profile), len(chosen)
            texts, queries = [self._query] * size, [asked] * size
            given = verdicts(reranker, texts, queries, documents, self._profile, held, self._policy)
            found.update(zip(chosen, given, strict=True))
        return [found[number] for number in numbers]

    def light(self, fault: SimgateError) -> list[Verdict]:
        """What MaxSim says of every candidate: each is unverified for the fault, or for its own."""
        self.documents(range(len(self.candidates)))
        found: dict[int, Verdict] = {}
        for reranker, chosen in self._by_bundle(range(len(self.candidates))):
            asked, held = self._asked(reranker), reranker.calibrations.find(self._calibration, self._profile)
            windows = [window for n in chosen for window in self._known[n].windows]
            readings = iter(maxsim.read(asked.windows[0], windows))
            for number in chosen:
                document = self._known[number]
                read = [next(readings) for _ in document.windows]
                reason = str(document.fault or fault)
                bare = unverified(reason, reranker.manifest, self._profile, held)
                found[number] = light(bare, self._query, asked, read, reranker.manifest) if read else bare
        return [found[number] for number in range(len(self.candidates))]

    def skip(self, numbers: Sequence[int], fault: SimgateError) -> list[Verdict]:
        """A verdict for each of the candidates, which are not verified: unverified, for that reason."""
        held = self._reranker.calibrations.find(self._calibration, self._profile)
        verdict = unverified(str(fault), self._reranker.manifest, self._profile, held)
        self.tell([Gathered(fault=fault) for _ in numbers], [verdict for _ in numbers])
        return [verdict for _ in numbers]

    def tell(self, documents: Sequence[Gathered], given: Sequence[Verdict]) -> None:
        """Nothing; the observer is told of verdicts."""
        if self._reranker.observe:
            self._reranker.observe(documents, given, self._policy)

    def _asked(self, reranker: Loaded) -> Encoded:
        """The query as a bundle encodes it."""
        if id(reranker) not in self._encoded:
            self._encoded[id(reranker)] = reranker.encoder.query(self._query, recall=False)
        return self._encoded[id(reranker)]

    def _by_bundle(self, numbers: Sequence[int]) -> Iterator[tuple[Loaded, list[int]]]:
        """Each bundle with the numbers of the candidates that it reads, if there are any."""
        for reranker, old in ((self._reranker, False), (self._reranker.previous, True)):
            chosen = [number for number in numbers if self._older[number] is old]
            if reranker and chosen:
                yield reranker, chosen

    def _of_previous(self) -> list[bool]:
        """Whether the previous bundle made a candidate's blob, for each."""
        previous = self._reranker.previous
        if previous is None or previous.manifest.fingerprint == self._reranker.manifest.fingerprint:
            return [False] * len(self.candidates)
        mark = previous.manifest.fingerprint
        return [maker(candidate.blob or candidate.text) == mark for candidate in self.candidates]


def verdicts(
    reranker: Loaded,
    texts: Sequence[str],
    queries: Sequence[Encoded],
    documents: Sequence[Gathered],
    profile: str,
    calibration: Calibration | None,
    policy: str = "",
) -> list[Verdict]:
    """A verdict for each query with its document; one without windows is unverified, for its reason."""
    joined = list(zip(texts, queries, documents, strict=True))
    pairs = [(query.windows[0], window) for _, query, document in joined for window in document.windows]
    with span("simgate.verify", candidates=len(documents), pairs=len(pairs)):
        readings = iter(reranker.verifier.read(pairs))
    given = [
        judge(text, query, [next(readings) for _ in document.windows], reranker.manifest, profile, calibration)
        if document.windows
        else unverified(str(document.fault), reranker.manifest, profile, calibration)
        for text, query, document in joined
    ]
    if reranker.observe:
        reranker.observe(documents, given, policy)
    return given


def marked(documents: Sequence[Gathered], fault: SimgateError) -> list[Gathered]:
    """The documents, those without a fault of their own with this one."""
    return [replace(document, fault=document.fault or fault) for document in documents]
