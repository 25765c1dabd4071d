"""The straight line: query and candidates, token matrices, similarity maps, verdicts, ranking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plugin_server.blob import TokenBlob, TokenMatrix, is_blob
from plugin_server.bundle import Bundle, Manifest
from plugin_server.candidate import Candidate, checked
from plugin_server.encoder import Encoded, Encoder
from plugin_server.errors import BlobOfOtherBundle
from plugin_server.ranking import Policy, Ranking, rank
from plugin_server.settings import Settings
from plugin_server.verdict import Verdict, judge, unverified
from plugin_server.verifier import Verifier

#: Pairs verified at a time, so that a file of any length needs the same memory.
CHUNK = 256


class Reranker:
    """A loaded bundle: reranks, verifies and encodes, from several threads if need be.

    Args:
        bundle: whose files are checked.
        settings: limits and threads.

    Example:
        >>> from plugin_server import Reranker
        >>> reranker = Reranker.load()
        >>> reranker.verify("the dog bit the man", "the man was bitten by the dog").outcome.value
        'accepted'
        >>> ranking = reranker.rerank("a red car and a blue house", ["a blue car and a red house"], profile="pairs")
        >>> [hit.verdict.outcome.value for hit in ranking.dropped]
        ['rejected']
    """

    def __init__(self, bundle: Bundle, settings: Settings | None = None) -> None:
        self.bundle = bundle
        self.settings = settings or Settings()
        self.encoder = Encoder(
            bundle, self.settings.threads, self.settings.max_characters, self.settings.max_query_tokens
        )
        self.verifier = Verifier(bundle, self.settings.threads)

    @classmethod
    def load(cls, settings: Settings | None = None) -> Reranker:
        """A reranker over the bundle that the settings name, or the one in the package.

        Raises:
            BundleError: it cannot be loaded.
        """
        chosen = settings or Settings()
        return cls(Bundle.open(chosen.bundle), chosen)

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    def rerank(
        self, query: str, candidates: Sequence[str | Candidate], profile: str = "passages", policy: str = "filter"
    ) -> Ranking:
        """The candidates in their new order, each with its verdict; what the policy dropped is listed too.

        Args:
            query: 1 to ``max_query_tokens`` tokens.
            candidates: 1 to ``max_candidates`` texts, blobs or both.
            profile: ``passages`` (the candidate answers or supports the query) or ``pairs`` (both say the same).
            policy: ``filter``, ``demote`` or ``annotate``.

        Raises:
            InvalidRequest: something is empty, too long, unknown or malformed; the message names the field.
        """
        knobs, rule = self.manifest.profile(profile), Policy.of(policy)
        listed = checked(candidates, self.settings.max_candidates)
        asked = self.encoder.query(query)
        documents, cosines, reasons = self._documents(listed, asked)
        verdicts = self._verdicts(query, asked, documents, reasons, profile)
        return rank(listed, verdicts, _recall(listed, cosines, verdicts), knobs, rule)

    def verify(self, query: str, document: str, profile: str = "pairs") -> Verdict:
        """The verdict on one pair; `document` may be a token blob.

        Raises:
            InvalidRequest: as `rerank`.
        """
        return self.verify_pairs([(query, document)], profile)[0]

    def verify_pairs(self, pairs: Sequence[tuple[str, str]], profile: str = "pairs") -> list[Verdict]:
        """The verdicts on any number of (query, document), in the order given.

        Raises:
            InvalidRequest: as `rerank`; the field names the pair by its number, from 0.
        """
        self.manifest.profile(profile)
        verdicts: list[Verdict] = []
        for start in range(0, len(pairs), CHUNK):
            verdicts += self._verify_chunk(pairs[start : start + CHUNK], start, profile)
        return verdicts

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Recall vectors and token matrices of documents of any length.

        Raises:
            InvalidRequest: a text is empty, too long or not valid Unicode.
        """
        return self.encoder.documents(texts)

    def _documents(
        self, candidates: list[Candidate], query: Encoded
    ) -> tuple[list[tuple[TokenMatrix, ...]], list[float | None], list[str]]:
        """For each candidate the windows' token matrices, the recall cosine if its text was encoded, and the reason
        why it has none."""
        windows: list[tuple[TokenMatrix, ...]] = [()] * len(candidates)
        cosines: list[float | None] = [None] * len(candidates)
        reasons = [""] * len(candidates)
        texts: list[int] = []
        for number, candidate in enumerate(candidates):
            blob = candidate.blob or (candidate.text if is_blob(candidate.text) else "")
            try:
                if blob:
                    windows[number] = self._parsed(blob)
                else:
                    texts.append(number)
            except BlobOfOtherBundle as error:
                has_text = candidate.text and not is_blob(candidate.text)
                if self.settings.on_mismatch == "refuse":
                    raise
                if self.settings.on_mismatch == "encode" and has_text:
                    texts.append(number)
                else:
                    reasons[number] = str(error)
        names = [f"candidates[{number}].text" for number in texts]
        encoded = self.encoder.documents([candidates[number].text for number in texts], names)
        for number, item in zip(texts, encoded, strict=True):
            windows[number] = item.windows
            cosines[number] = float((item.vectors @ query.vectors[0]).max())
        return windows, cosines, reasons

    def _parsed(self, blob: str) -> tuple[TokenMatrix, ...]:
        """The windows of a blob of this bundle."""
        return TokenBlob.parse(blob).expect(self.manifest.fingerprint, self.manifest.token_dimension).windows

    def _verdicts(
        self, text: str, query: Encoded, documents: list[tuple[TokenMatrix, ...]], reasons: list[str], profile: str
    ) -> list[Verdict]:
        """A verdict for each document; one without windows is unverified, for its reason."""
        readings = self.verifier.read([(query.windows[0], window) for windows in documents for window in windows])
        verdicts, place = [], 0
        for windows, reason in zip(documents, reasons, strict=True):
            if windows:
                part = readings[place : place + len(windows)]
                verdicts.append(judge(text, query, part, self.manifest, profile))
            else:
                verdicts.append(unverified(reason, self.manifest, profile))
            place += len(windows)
        return verdicts

    def _verify_chunk(self, pairs: Sequence[tuple[str, str]], start: int, profile: str) -> list[Verdict]:
        """Verdicts of a few pairs, every text encoded once."""
        queries = [
            self.encoder.query(query, f"pairs[{number}].query") for number, (query, _) in enumerate(pairs, start)
        ]
        texts = [number for number, (_, document) in enumerate(pairs) if not is_blob(document)]
        names = [f"pairs[{start + number}].document" for number in texts]
        encoded = self.encoder.documents([pairs[number][1] for number in texts], names)
        windows = dict(zip(texts, (item.windows for item in encoded), strict=True))
        documents = [windows[n] if n in windows else self._parsed(pairs[n][1]) for n in range(len(pairs))]
        readings = iter(
            self.verifier.read(
                [
                    (query.windows[0], window)
                    for query, parts in zip(queries, documents, strict=True)
                    for window in parts
                ]
            )
        )
        return [
            judge(text, query, [next(readings) for _ in parts], self.manifest, profile)
            for (text, _), query, parts in zip(pairs, queries, documents, strict=True)
        ]


def _recall(candidates: list[Candidate], cosines: list[float | None], verdicts: list[Verdict]) -> list[float]:
    """A recall score for every candidate, all of one kind: the engine's, else the cosine, else MaxSim."""
    given = [candidate.score for candidate in candidates]
    if all(score is not None for score in given):
        return [float(score) for score in given if score is not None]
    if all(cosine is not None for cosine in cosines):
        return [float(cosine) for cosine in cosines if cosine is not None]
    return [verdict.maxsim if verdict.maxsim is not None else float(np.float32(0)) for verdict in verdicts]
