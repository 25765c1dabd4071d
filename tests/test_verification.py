from typing import Any

import numpy as np
import pytest

from plugin_server import Candidate, Outcome, Reranker, Settings
from plugin_server import maxsim as late
from plugin_server.errors import UnknownChoice
from plugin_server.gather import Gathered
from plugin_server.verdict import Verdict

QUERY = "turn left at the church"
SAME = ["at the church, turn left", "turn left at the church!", "Turn left when you reach the church."]
OTHER = ["turn right at the church", "the cat sleeps on the sofa", "turn left at the station"]


def scored(texts: list[str]) -> list[Candidate]:
    """Candidates in rank order."""
    return [Candidate(text, id=str(place), score=1 - place / 100) for place, text in enumerate(texts)]


def outcomes(reranker: Reranker, candidates: Any, **options: Any) -> dict[str, Verdict]:
    """Verdicts by the candidates' ids."""
    ranking = reranker.rerank(QUERY, candidates, "pairs", **options)
    return {hit.candidate.id: hit.verdict for hit in (*ranking.hits, *ranking.dropped)}


CASCADES = [
    (SAME + OTHER * 4, 2, 8, "enough among the first eight, the least that are read together"),
    (OTHER * 4 + SAME * 2, 2, None, "the accepted ones stand last, so all are reached but those behind"),
    (OTHER * 6, 1, 18, "nothing is accepted: all are verified"),
    (SAME * 10, 10, 10, "all are accepted: no more than are wanted"),
    (SAME, 10, 3, "fewer than are wanted"),
]


@pytest.mark.parametrize(("texts", "wanted", "reached", "remark"), CASCADES)
def test_a_cascade_ends_when_enough_are_accepted(
    reranker: Reranker, texts: list[str], wanted: int, reached: int | None, remark: str
) -> None:
    full = outcomes(reranker, scored(texts))
    found = outcomes(reranker, scored(texts), verification="cascade", wanted=wanted)
    verified = [verdict.outcome is not Outcome.UNVERIFIED for verdict in (found[str(n)] for n in range(len(texts)))]
    assert verified == sorted(verified, reverse=True), "in rank order"
    assert reached is None or sum(verified) == reached
    accepted = [place for place in range(len(texts)) if full[str(place)].accepted]
    enough = accepted[wanted - 1] if len(accepted) >= wanted else len(texts) - 1
    assert all(verified[: enough + 1])
    for place, read in enumerate(verified):
        if read:
            assert found[str(place)].probability == pytest.approx(full[str(place)].probability, abs=1e-5)
            assert found[str(place)].outcome is full[str(place)].outcome
        else:
            assert found[str(place)].reason.startswith("not reached: ")


def test_what_a_cascade_did_not_reach_stays_behind_what_was_accepted(reranker: Reranker) -> None:
    ranking = reranker.rerank(QUERY, scored(SAME * 4 + OTHER * 4), "pairs", verification="cascade", wanted=5)
    hits = [hit.verdict.outcome for hit in ranking.hits]
    accepted = hits.count(Outcome.ACCEPTED)
    assert accepted >= 5 and hits == [Outcome.ACCEPTED] * accepted + [Outcome.UNVERIFIED] * (len(hits) - accepted)
    positions = [hit.position for hit in ranking.hits[accepted:]]
    assert positions == sorted(positions), "in the order of recall"


def test_a_cascade_without_scores_goes_by_cosine_or_maxsim(reranker: Reranker) -> None:
    texts = OTHER * 3 + SAME
    blobs = [Candidate(blob=item.blob(reranker.manifest.fingerprint).text()) for item in reranker.encode(texts)]
    for candidates in ([Candidate(text) for text in texts], blobs):
        ranking = reranker.rerank(QUERY, candidates, "pairs", "annotate", verification="cascade", wanted=1)
        read = [hit.position for hit in ranking.hits if hit.verdict.outcome is not Outcome.UNVERIFIED]
        assert len(read) == 8 and any(position >= 9 for position in read)


def test_parts_that_are_not_reached_are_not_read(reranker: Reranker) -> None:
    broken = [*scored(SAME * 4), Candidate(blob="sgb1:broken", id="broken", score=-1.0)]
    found = outcomes(reranker, broken, verification="cascade", wanted=3)
    assert found["broken"].reason.startswith("not reached")


def test_light_orders_by_maxsim_and_judges_nothing(reranker: Reranker) -> None:
    texts = [*OTHER, *SAME, ""]
    ranking = reranker.rerank(QUERY, [Candidate(t) for t in texts], "pairs", lenient=True, verification="light")
    assert not ranking.dropped
    assert [hit.verdict.outcome for hit in ranking.hits] == [Outcome.UNVERIFIED] * len(texts)
    full = reranker.rerank(QUERY, [Candidate(t) for t in texts], "pairs", "annotate", lenient=True)
    expected = {hit.position: hit.verdict.maxsim for hit in full.hits}
    for hit in ranking.hits:
        if texts[hit.position]:
            assert hit.verdict.maxsim == pytest.approx(expected[hit.position], abs=1e-5)
            assert hit.verdict.reason == "light: only MaxSim was computed"
            assert hit.score == hit.verdict.maxsim
        else:
            assert hit.verdict.reason.startswith("candidates[6].text: holds no words") and hit.score == 0
    scores = [hit.score for hit in ranking.hits]
    assert scores == sorted(scores, reverse=True)


def test_light_tells_the_words_without_a_match(reranker: Reranker) -> None:
    hit = reranker.rerank("red car", ["a blue house"], "pairs", verification="light").hits[0]
    assert set(hit.verdict.unmatched) <= {"red", "car"} and "car" in hit.verdict.unmatched


def test_maxsim_is_what_the_verifier_reads(reranker: Reranker) -> None:
    generator = np.random.default_rng(0)
    query = generator.integers(1, 8, (13, reranker.manifest.token_dimension), np.int8)
    documents = [generator.integers(-7, 0, (rows, len(query[0])), np.int8) for rows in (1, 3, 64, 200)]
    alone = late.read(query, documents)
    for reading, verified in zip(alone, reranker.verifier.read([(query, item) for item in documents]), strict=True):
        assert reading.best == pytest.approx(verified.best, abs=1e-5)
        assert reading.tokens == verified.tokens


def test_the_default_is_a_setting(reranker: Reranker) -> None:
    cascading = Reranker(reranker.bundle, Settings(verification="cascade"))
    found = outcomes(cascading, scored(SAME * 10), wanted=1)
    assert sum(verdict.outcome is Outcome.UNVERIFIED for verdict in found.values()) == 22
    assert all(verdict.accepted for verdict in outcomes(cascading, scored(SAME), verification="full").values())


@pytest.mark.parametrize("name", ["half", "FULL", " "])
def test_an_unknown_one_is_refused(reranker: Reranker, name: str) -> None:
    with pytest.raises(UnknownChoice, match=r"verification: .* choose one of full, cascade, light"):
        reranker.rerank(QUERY, SAME, verification=name)
    with pytest.raises(UnknownChoice, match="verification: "):
        Settings(verification=name)


def test_observers_are_told_why_nothing_was_said(reranker: Reranker) -> None:
    seen: list[tuple[Gathered, Verdict]] = []
    watched = reranker.observed(lambda documents, verdicts, policy: seen.extend(zip(documents, verdicts, strict=True)))
    watched.rerank(QUERY, scored(SAME * 4), "pairs", verification="cascade", wanted=1)
    watched.rerank(QUERY, scored(SAME), "pairs", verification="light")
    kinds = [type(document.fault).__name__ for document, _ in seen]
    assert kinds == ["NoneType"] * 8 + ["Unreached"] * 4 + ["MaxsimOnly"] * 3
