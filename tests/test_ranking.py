"""The ranking by hand: what each policy does to accepted, rejected and unverified candidates."""

from __future__ import annotations

import math
from itertools import permutations

import pytest

from plugin_server import Candidate, Outcome, Policy, Verdict
from plugin_server.bundle import Profile
from plugin_server.errors import UnknownChoice
from plugin_server.ranking import Ranking, log_odds, rank

CHANCE = {"a": 0.9, "r": 0.1, "u": None}
OUTCOMES = {"a": Outcome.ACCEPTED, "r": Outcome.REJECTED, "u": Outcome.UNVERIFIED}


def ranked(fates: str, recall: list[float], policy: str, blend: float = 0.0) -> Ranking:
    """Candidates 0, 1, … ranked; their fates are accepted, rejected or unverified, by first letter."""
    verdicts = [Verdict(OUTCOMES[fate], CHANCE[fate], 0.5, "pairs") for fate in fates]
    return rank(
        [Candidate(str(n)) for n in range(len(fates))], verdicts, recall, Profile(0.5, blend=blend), Policy(policy)
    )


@pytest.mark.parametrize(
    ("fates", "recall", "policy", "blend", "hits", "dropped", "remark"),
    [
        ("aaa", [0.1, 0.3, 0.2], "filter", 0.0, "120", "", "by recall, if all are accepted"),
        ("ara", [0.1, 0.3, 0.2], "filter", 0.0, "20", "1", "the rejected one is dropped"),
        ("ara", [0.1, 0.3, 0.2], "demote", 0.0, "201", "", "put behind"),
        ("ara", [0.1, 0.3, 0.2], "annotate", 0.0, "120", "", "only marked"),
        ("rrr", [0.1, 0.3, 0.2], "filter", 0.0, "", "012", "nothing is left; what was dropped is in the order sent"),
        ("rrr", [0.1, 0.3, 0.2], "demote", 0.0, "120", "", "the rejected among themselves by recall"),
        ("uru", [0.1, 0.3, 0.2], "filter", 0.0, "20", "1", "what could not be read is never dropped"),
        ("uru", [0.1, 0.3, 0.2], "demote", 0.0, "201", "", "nor put behind"),
        ("u", [-5.0], "filter", 0.0, "0", "", "whatever its score"),
        ("aaaa", [0.5, 0.5, 0.5, 0.5], "filter", 0.0, "0123", "", "equal scores keep the order sent"),
        ("arar", [0.5, 0.5, 0.5, 0.5], "demote", 0.0, "0213", "", "in both halves"),
        ("ra", [0.9, 0.1], "annotate", 0.0, "01", "", "without blend the probability does not move a hit"),
        ("ra", [5.0, 0.7], "annotate", 1.0, "10", "", "log-odds are 2.2 up and down: 5 - 2.2 < 0.7 + 2.2"),
        ("ra", [5.0, 0.5], "annotate", 1.0, "01", "", "5 - 2.2 > 0.5 + 2.2"),
        ("aur", [0.2, 0.2, 0.2], "annotate", 0.1, "012", "", "an unverified one counts as on the threshold"),
        ("rua", [0.2, 0.2, 0.2], "annotate", 0.1, "210", "", "so it stands between"),
        ("ar", [-0.9, 0.9], "demote", 0.0, "01", "", "scores below 0"),
        ("ar", [0.0, 1e17], "demote", 0.0, "01", "", "large scores"),
        ("ra", [1e17, 1e17], "demote", 0.0, "10", "", "large equal scores, beside which 1 is lost"),
        ("ra", [-1e17, -1e17], "demote", 0.0, "10", "", "also below 0"),
        ("ra", [3e38, -3e38], "demote", 0.0, "10", "", "as large as an engine's can be"),
        ("a", [0.3], "demote", 0.0, "0", "", "one candidate"),
    ],
)
def test_order(
    fates: str, recall: list[float], policy: str, blend: float, hits: str, dropped: str, remark: str
) -> None:
    ranking = ranked(fates, recall, policy, blend)
    assert "".join(hit.candidate.text for hit in ranking.hits) == hits, remark
    assert "".join(hit.candidate.text for hit in ranking.dropped) == dropped, remark
    assert all(hit.candidate.text == str(hit.position) for hit in (*ranking.hits, *ranking.dropped))
    scores = [hit.score for hit in ranking.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(score) for score in scores)


@pytest.mark.parametrize(
    "recall", [[0.1, 0.2, 0.3, 0.4], [5e9, -5e9, 0, 1], [0.0] * 4, [-3, -2, -1, -4], [1.7e308, -1.7e308, 0, 1]]
)
@pytest.mark.parametrize("fates", sorted({"".join(fates) for fates in permutations("aaurr", 4)}))
def test_a_rejected_candidate_never_scores_like_another(fates: str, recall: list[float]) -> None:
    ranking = ranked(fates, recall, "demote", 0.1)
    assert len(ranking.hits) == 4
    low = [hit.score for hit in ranking.hits if hit.verdict.outcome is Outcome.REJECTED]
    high = [hit.score for hit in ranking.hits if hit.verdict.outcome is not Outcome.REJECTED]
    assert not low or not high or max(low) < min(high)
    assert all(map(math.isfinite, (*low, *high)))


def test_score_is_recall_plus_blend() -> None:
    odds = math.log(9)  # of 0.9; of 0.1 it is minus that
    scores = [hit.score for hit in ranked("ar", [0.5, 0.4], "annotate", 0.2).hits]
    assert scores == pytest.approx([0.5 + 0.2 * odds, 0.4 - 0.2 * odds])


@pytest.mark.parametrize("probability", [0.0, 1e-300, 1 - 1e-16, 1.0])
def test_log_odds_are_finite(probability: float) -> None:
    assert abs(log_odds(probability)) == 20
    assert (log_odds(probability) > 0) is (probability > 0.5)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="longer"):
        ranked("aa", [0.1], "filter")


@pytest.mark.parametrize("name", ["filter", "demote", "annotate"])
def test_policy_by_name(name: str) -> None:
    assert Policy.of(name).value == name


@pytest.mark.parametrize("name", ["", "Filter", "drop"])
def test_unknown_policy(name: str) -> None:
    with pytest.raises(UnknownChoice, match=f"policy: '{name}' is not known: choose one of filter, demote, annotate"):
        Policy.of(name)
