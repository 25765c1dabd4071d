"""The straight line: query and candidates, token matrices, similarity maps, verdicts, ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import TypeAlias

from plugin_server.blob import maker
from plugin_server.bundle import CARD, Bundle, Manifest
from plugin_server.calibration import Calibration
from plugin_server.calibrations import Calibrations, read_calibrations, sorted_out
from plugin_server.candidate import Candidate, checked
from plugin_server.encoder import Encoded, Encoder
from plugin_server.errors import InvalidField
from plugin_server.gather import Gathered, gather
from plugin_server.ranking import Hit, Policy, Ranking, rank
from plugin_server.settings import Settings
from plugin_server.verdict import Verdict, judge, unverified
from plugin_server.verifier import Verifier

#: Pairs verified at a time, so that a file of any length needs the same memory.
CHUNK = 256

#: Called with the documents of a request and the verdict on each, from the thread that computed them.
Observer: TypeAlias = Callable[[Sequence[Gathered], Sequence[Verdict]], None]


class Reranker:
    """A loaded bundle: reranks, verifies and encodes, from several threads if need be.

    Args:
        bundle: whose files are checked.
        settings: limits and threads.
        previous: reads the blobs that its bundle made, while an index moves to this one.
        calibrations: made with this bundle.

    Raises:
        InvalidField: the previous bundle has another base model, whose vectors compare with none of this one's.

    Example:
        >>> from plugin_server import Reranker
        >>> reranker = Reranker.load()
        >>> reranker.verify("the dog bit the man", "the man was bitten by the dog").outcome.value
        'accepted'
        >>> ranking = reranker.rerank("turn left at the church", ["turn right at the church"], profile="pairs")
        >>> [hit.verdict.outcome.value for hit in ranking.dropped]
        ['rejected']
    """

    def __init__(
        self,
        bundle: Bundle,
        settings: Settings | None = None,
        previous: Reranker | None = None,
        calibrations: Calibrations | None = None,
    ) -> None:
        self.bundle = bundle
        self.calibrations = calibrations or Calibrations()
        self.settings = settings or Settings()
        self.encoder = Encoder(
            bundle, self.settings.threads, self.settings.max_characters, self.settings.max_query_tokens
        )
        self.verifier = Verifier(bundle, self.settings.threads)
        self._observe: Observer | None = None
        if previous and previous.manifest.base.get("name") != self.manifest.base.get("name"):
            raise InvalidField(
                f"previous_bundle: its base model is {previous.manifest.base.get('name')}, this bundle's is "
                f"{self.manifest.base.get('name')}: index the documents into a new index, and move an alias"
            )
        self.previous = previous

    @classmethod
    def load(cls, settings: Settings | None = None) -> Reranker:
        """A reranker over the bundle that the settings name, or the one in the package.

        Raises:
            BundleError: it cannot be loaded.
            CalibrationError: nor can a calibration; or it is of another bundle.
        """
        chosen = settings or Settings()
        bundle = Bundle.at(chosen.bundle).check(CARD)  # all other files are checked as they are loaded
        older = Bundle.at(chosen.previous_bundle).check(CARD) if chosen.previous_bundle else None
        found = read_calibrations(chosen.calibrations)
        own, others = sorted_out(found, bundle.manifest, older.manifest if older else None)
        previous = cls(older, chosen, calibrations=others) if older else None
        return cls(bundle, chosen, previous, own)

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    def observed(self, observe: Observer) -> Reranker:
        """This reranker, its sessions shared, that tells an observer of every verdict it gives."""
        twin = copy(self)
        twin._observe = observe
        twin.previous = self.previous and self.previous.observed(observe)
        return twin

    def rerank(
        self,
        query: str,
        candidates: Sequence[str | Candidate],
        profile: str = "passages",
        policy: str = "filter",
        encoded: Encoded | None = None,
        lenient: bool = False,
        field: str = "candidates",
        calibration: str = "",
    ) -> Ranking:
        """The candidates in their new order, each with its verdict; what the policy dropped is listed too.

        Args:
            query: 1 to ``max_query_tokens`` tokens.
            candidates: 1 to ``max_candidates`` texts, blobs or both.
            profile: ``passages`` (the candidate answers or supports the query) or ``pairs`` (both say the same).
            policy: ``filter``, ``demote`` or ``annotate``.
            encoded: the query, if the caller has encoded it already.
            lenient: a candidate that cannot be read is unverified, with the reason, and does not fail the request;
                ``on_mismatch`` of ``refuse`` still does.
            field: the candidates' name in error messages.
            calibration: name of the one that candidates are held against; `plugin_server.calibration.OWN` for the
                bundle's own thresholds, which also count without a name unless a calibration is named ``default``.

        Raises:
            InvalidRequest: something is empty, too long, unknown or malformed; the message names the field.
        """
        knobs, rule = self.manifest.profile(profile), Policy.of(policy)
        held = self.calibrations.chosen(calibration, profile)
        knobs = held.knobs(self.manifest) if held else knobs
        listed = checked(candidates, self.settings.max_candidates, field)
        asked = encoded or self.encoder.query(query)
        names = [f"{field}[{number}].text" for number in range(len(listed))]
        documents, verdicts = self._judged(query, asked, listed, names, profile, lenient, calibration)
        return rank(listed, verdicts, _recall(listed, asked, documents, verdicts), knobs, rule)

    def unverified(self, candidates: Sequence[Candidate], profile: str, reason: str, calibration: str = "") -> Ranking:
        """The candidates in the order and with the scores given, each unverified: what is left when `rerank` fails."""
        verdict = unverified(reason, self.manifest, profile, self.calibrations.find(calibration, profile))
        if self._observe:
            self._observe([Gathered() for _ in candidates], [verdict for _ in candidates])
        hits = [Hit(item, verdict, item.score or 0.0, place) for place, item in enumerate(candidates)]
        return Ranking(tuple(hits), ())

    def verify(self, query: str, document: str, profile: str = "pairs", calibration: str = "") -> Verdict:
        """The verdict on one pair; `document` may be a token blob.

        Raises:
            InvalidRequest: as `rerank`.
        """
        return self.verify_pairs([(query, document)], profile, calibration)[0]

    def verify_pairs(
        self, pairs: Sequence[tuple[str, str]], profile: str = "pairs", calibration: str = ""
    ) -> list[Verdict]:
        """The verdicts on any number of (query, document), in the order given.

        Raises:
            InvalidRequest: as `rerank`; the field names the pair by its number, from 0.
        """
        self.manifest.profile(profile)
        held = self.calibrations.chosen(calibration, profile)
        verdicts: list[Verdict] = []
        for start in range(0, len(pairs), CHUNK):
            verdicts += self._verify_chunk(pairs[start : start + CHUNK], start, profile, held)
        return verdicts

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Recall vectors and token matrices of documents of any length.

        Raises:
            InvalidRequest: a text is empty, too long or not valid Unicode.
        """
        return self.encoder.documents(texts)

    def _judged(
        self,
        query: str,
        encoded: Encoded,
        candidates: list[Candidate],
        names: list[str],
        profile: str,
        lenient: bool,
        calibration: str,
    ) -> tuple[list[Gathered], list[Verdict]]:
        """What is known of each candidate, and the verdict on it: of the bundle that made its blob."""
        older = self._of_previous(candidates)
        found: dict[int, tuple[Gathered, Verdict]] = {}
        for reranker in (self, self.previous):
            numbers = [number for number, old in enumerate(older) if old == (reranker is not self)]
            if reranker is None or not numbers:
                continue
            asked = encoded if reranker is self else reranker.encoder.query(query)
            chosen = [candidates[number] for number in numbers]
            fields = [names[number] for number in numbers]
            documents = gather(chosen, fields, reranker.encoder, self.settings.on_mismatch, lenient)
            held = reranker.calibrations.find(calibration, profile)
            verdicts = reranker._verdicts([query] * len(numbers), [asked] * len(numbers), documents, profile, held)
            found |= zip(numbers, zip(documents, verdicts, strict=True), strict=True)
        in_order = [found[number] for number in range(len(candidates))]
        return [document for document, _ in in_order], [verdict for _, verdict in in_order]

    def _of_previous(self, candidates: Sequence[Candidate]) -> list[bool]:
        """Whether the previous bundle made a candidate's blob, for each."""
        if self.previous is None or self.previous.manifest.fingerprint == self.manifest.fingerprint:
            return [False] * len(candidates)
        mark = self.previous.manifest.fingerprint
        return [maker(candidate.blob or candidate.text) == mark for candidate in candidates]

    def _verdicts(
        self,
        texts: Sequence[str],
        queries: Sequence[Encoded],
        documents: Sequence[Gathered],
        profile: str,
        calibration: Calibration | None,
    ) -> list[Verdict]:
        """A verdict for each query with its document; one without windows is unverified, for its reason."""
        joined = list(zip(texts, queries, documents, strict=True))
        pairs = [(query.windows[0], window) for _, query, document in joined for window in document.windows]
        readings = iter(self.verifier.read(pairs))
        verdicts = [
            judge(text, query, [next(readings) for _ in document.windows], self.manifest, profile, calibration)
            if document.windows
            else unverified(str(document.fault), self.manifest, profile, calibration)
            for text, query, document in joined
        ]
        if self._observe:
            self._observe(documents, verdicts)
        return verdicts

    def _verify_chunk(
        self, pairs: Sequence[tuple[str, str]], start: int, profile: str, calibration: Calibration | None
    ) -> list[Verdict]:
        """Verdicts of a few pairs."""
        names = [f"pairs[{number}]" for number in range(start, start + len(pairs))]
        texts = [query for query, _ in pairs]
        queries = self.encoder.queries(texts, [f"{name}.query" for name in names])
        candidates = [Candidate(document) for _, document in pairs]
        documents = gather(candidates, [f"{name}.document" for name in names], self.encoder, self.settings.on_mismatch)
        return self._verdicts(texts, queries, documents, profile, calibration)


def _recall(
    candidates: Sequence[Candidate], query: Encoded, documents: Sequence[Gathered], verdicts: Sequence[Verdict]
) -> list[float]:
    """A recall score for every candidate, all of one kind: the engine's, else the cosine, else MaxSim.

    A candidate without the last, because it could not be read, counts as having no similarity at all.
    """
    kinds = (
        [candidate.score for candidate in candidates],
        [document.cosine(query.vectors[0]) for document in documents],
        [verdict.maxsim or 0.0 for verdict in verdicts],
    )
    return next([score for score in kind if score is not None] for kind in kinds if None not in kind)
