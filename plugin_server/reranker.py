"""The straight line: query and candidates, token matrices, similarity maps, verdicts, ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import TypeAlias

from plugin_server.bundle import CARD, Bundle, Manifest
from plugin_server.calibration import Calibration
from plugin_server.calibrations import Calibrations, read_calibrations, sorted_out
from plugin_server.candidate import Candidate, checked
from plugin_server.encoder import Encoded, Encoder
from plugin_server.errors import InvalidField
from plugin_server.gather import Gathered, gather
from plugin_server.judging import Judging, verdicts
from plugin_server.ranking import Hit, Policy, Ranking, rank
from plugin_server.room import Room
from plugin_server.settings import Settings
from plugin_server.verdict import Verdict, unverified
from plugin_server.verification import Verification, cascade, full, light
from plugin_server.verifier import Verifier

#: Pairs verified at a time, so that a file of any length needs the same memory.
CHUNK = 256
#: Accepted candidates that a cascade looks for: a page of hits.
WANTED = 10

#: Called with documents of a request, the verdict on each and the policy (empty for none), from the computing thread.
Observer: TypeAlias = Callable[[Sequence[Gathered], Sequence[Verdict], str], None]


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
        self.encoder = Encoder(bundle, self.settings)
        self.verifier = Verifier(bundle, self.settings.threads, self.settings.provider)
        self.observe: Observer | None = None
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
        """This reranker, its sessions shared, that tells one more observer of every verdict it gives."""
        twin, earlier = copy(self), self.observe

        def both(documents: Sequence[Gathered], verdicts: Sequence[Verdict], policy: str) -> None:
            if earlier:
                earlier(documents, verdicts, policy)
            observe(documents, verdicts, policy)

        twin.observe = both
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
        verification: str = "",
        wanted: int = WANTED,
        told: str = "",
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
            verification: ``full``, every candidate; ``cascade``, in the order of recall until `wanted` are accepted,
                those behind them being unverified; ``light``, none: MaxSim alone makes the order. Empty for the
                settings'.
            wanted: accepted candidates after which a cascade ends, at least 1.
            told: the policy as an observer is told it, if the caller applies another one by itself; empty for `policy`.

        Raises:
            InvalidRequest: something is empty, too long, unknown or malformed; the message names the field.
            CallerGone, DeadlinePassed: the job that is worked on is over, see `plugin_server.job`.
        """
        knobs, rule = self.manifest.profile(profile), Policy.of(policy)
        depth = Verification.of(verification or self.settings.verification)
        held = self.calibrations.chosen(calibration, profile)
        knobs = held.knobs(self.manifest) if held else knobs
        listed = checked(candidates, self.settings.max_candidates, field)
        asked = encoded or self.encoder.query(query)
        names = [f"{field}[{number}].text" for number in range(len(listed))]
        judging = Judging(self, query, asked, listed, names, profile, calibration, lenient, told or rule)
        if depth is Verification.LIGHT:
            return rank(listed, *light(judging), replace(knobs, blend=0.0), rule)
        verdicts, recall = full(judging) if depth is Verification.FULL else cascade(judging, max(1, wanted))
        return rank(listed, verdicts, recall, knobs, rule)

    def unverified(
        self, candidates: Sequence[Candidate], profile: str, reason: str, calibration: str = "", policy: str = ""
    ) -> Ranking:
        """The candidates in the order and with the scores given, each unverified: what is left when `rerank` fails."""
        verdict = unverified(reason, self.manifest, profile, self.calibrations.find(calibration, profile))
        if self.observe:
            self.observe([Gathered() for _ in candidates], [verdict for _ in candidates], policy)
        hits = [Hit(item, verdict, item.score or 0.0, place) for place, item in enumerate(candidates)]
        return Ranking(tuple(hits), ())

    def verify(self, query: str, document: str, profile: str = "pairs", calibration: str = "") -> Verdict:
        """The verdict on one pair; `document` may be a token blob.

        Raises:
            InvalidRequest: as `rerank`.
        """
        return self.verify_pairs([(query, document)], profile, calibration)[0]

    def verify_pairs(
        self,
        pairs: Sequence[tuple[str, str]],
        profile: str = "pairs",
        calibration: str = "",
        room: Room | None = None,
    ) -> list[Verdict]:
        """The verdicts on any number of (query, document), in the order given.

        Args:
            room: for the documents' windows; any number of them without.

        Raises:
            InvalidRequest: as `rerank`; the field names the pair by its number, from 0.
        """
        self.manifest.profile(profile)
        held = self.calibrations.chosen(calibration, profile)
        found: list[Verdict] = []
        for start in range(0, len(pairs), CHUNK):
            found += self._verify_chunk(pairs[start : start + CHUNK], start, profile, held, room)
        return found

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Recall vectors and token matrices of documents of any length.

        Raises:
            InvalidRequest: a text is empty, too long or not valid Unicode.
        """
        return self.encoder.documents(texts)

    def _verify_chunk(
        self,
        pairs: Sequence[tuple[str, str]],
        start: int,
        profile: str,
        calibration: Calibration | None,
        room: Room | None,
    ) -> list[Verdict]:
        """Verdicts of a few pairs."""
        names = [f"pairs[{number}]" for number in range(start, start + len(pairs))]
        texts = [query for query, _ in pairs]
        queries = self.encoder.queries(texts, [f"{name}.query" for name in names])
        candidates = [Candidate(document) for _, document in pairs]
        fields = [f"{name}.document" for name in names]
        documents = gather(candidates, fields, self.encoder, self.settings.on_mismatch, room=room)
        return verdicts(self, texts, queries, documents, profile, calibration)
