"""The straight line: query and candidates, token matrices, similarity maps, verdicts, ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugin_server.calibration import Calibration
from plugin_server.candidate import Candidate, checked
from plugin_server.choices import Policy, Verification
from plugin_server.encoder import Encoded
from plugin_server.gather import Gathered, gather
from plugin_server.judging import Judging, verdicts
from plugin_server.loaded import Loaded
from plugin_server.ranking import Hit, Ranking, rank
from plugin_server.room import Room
from plugin_server.verdict import Verdict, unverified
from plugin_server.verification import cascade, compared, full, light

#: Pairs verified at a time, so that a file of any length needs the same memory.
CHUNK = 256
#: Accepted candidates that a cascade looks for: a page of hits.
WANTED = 10


class Reranker(Loaded):
    """A loaded bundle: reranks, verifies and encodes, from several threads if need be.

    Args:
        bundle, settings, previous, calibrations: as `Loaded`; `load` reads them from where the settings say.

    Example:
        >>> from plugin_server import Reranker
        >>> reranker = Reranker.load()
        >>> reranker.verify("the dog bit the man", "the man was bitten by the dog").outcome.value
        'accepted'
        >>> ranking = reranker.rerank("turn left at the church", ["turn right at the church"], profile="pairs")
        >>> [hit.verdict.outcome.value for hit in ranking.dropped]
        ['rejected']
    """

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
        cosines = depth is not Verification.LIGHT and compared(listed)
        known = encoded if encoded and (encoded.vectors.size or not cosines) else None
        asked = known or self.encoder.query(query, recall=cosines)
        names = [f"{field}[{number}].text" for number in range(len(listed))]
        judging = Judging(self, query, asked, listed, names, profile, calibration, lenient, told or rule, cosines)
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
        queries = self.encoder.queries(texts, [f"{name}.query" for name in names], recall=False)
        candidates = [Candidate(document) for _, document in pairs]
        fields = [f"{name}.document" for name in names]
        documents = gather(candidates, fields, self.encoder, self.settings.on_mismatch, room=room)
        return verdicts(self, texts, queries, documents, profile, calibration)
