import re
import sys
from pathlib import Path

import numpy as np
import pytest
from grpc_tools import protoc

from plugin_server import Candidate, Encoded, Hit, Outcome, Policy, Ranking, Reranker, Verdict, reply, wire
from plugin_server import simgate_v1_pb2 as pb
from plugin_server.blob import TokenBlob
from plugin_server.errors import UnknownChoice

ROOT = Path(__file__).parent.parent
STUBS = ("simgate_v1_pb2.py", "simgate_v1_pb2.pyi", "simgate_v1_pb2_grpc.py")
ACCEPTED = Verdict(Outcome.ACCEPTED, 0.75, 0.5, "pairs", 0.25, 3, ("blue",))
REJECTED = Verdict(Outcome.REJECTED, 0.0, 0.5, "passages", 0.0)
UNVERIFIED = Verdict(Outcome.UNVERIFIED, None, 0.5, "passages", reason="blob: made by another bundle")


def plain(code: str) -> str:
    """Generated code without what differs between versions of the generator."""
    code = re.sub(r"# Protobuf Python Version: .*|GRPC_GENERATED_VERSION = .*", "", code)
    code = re.sub(r"Domain\.PUBLIC,\n\s+\d+,\n\s+\d+,\n\s+\d+,", "", code)
    return code.replace("(object):", ":").replace("+ f'", "+ '").replace("_Optional[bool]", "bool")


def test_stubs_are_those_of_the_proto(tmp_path: Path) -> None:
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "grpc_python", "pyi")]
    assert protoc.main(["protoc", f"-I{ROOT}", *outputs, str(ROOT / "plugin_server/simgate_v1.proto")]) == 0
    for name in STUBS:
        fresh, kept = (folder / "plugin_server" / name for folder in (tmp_path, ROOT))
        assert plain(kept.read_text()) == plain(fresh.read_text()), f"{name} is stale: run `make protos`"


@pytest.mark.parametrize("verdict", [ACCEPTED, REJECTED, UNVERIFIED], ids=lambda verdict: verdict.outcome.value)
def test_verdict_there_and_back(verdict: Verdict) -> None:
    assert reply.verdict_of(wire.verdict_message(verdict)) == verdict


def test_zero_is_not_absent() -> None:
    message = wire.verdict_message(REJECTED)
    assert message.HasField("probability")
    assert not wire.verdict_message(UNVERIFIED).HasField("probability")


@pytest.mark.parametrize("score", [None, 0.0, -1.5])
def test_candidate_there_and_back(score: float | None) -> None:
    candidate = Candidate("a red car", "1", score, "sgb1:AAAA")
    assert wire.candidate_of(reply.candidate_message(candidate)) == candidate


def test_bare_text_is_a_candidate() -> None:
    assert wire.candidate_of(reply.candidate_message("a red car")) == Candidate("a red car")


def test_ranking_there_and_back() -> None:
    sent = [Candidate("a", "1"), "b", Candidate("c", "3")]
    hits = (Hit(Candidate("c", "3"), ACCEPTED, 0.9, 2), Hit(Candidate("b"), UNVERIFIED, 0.1, 1))
    ranking = Ranking(hits, (Hit(Candidate("a", "1"), REJECTED, 0.5, 0),))
    response = wire.rerank_response(ranking, 0, "00" * 8)
    assert reply.ranking_of(response, sent) == ranking
    assert response.fingerprint == "00" * 8


@pytest.mark.parametrize(("top_n", "left"), [(0, 2), (1, 1), (2, 2), (9, 2)])
def test_top_n_cuts_hits_alone(top_n: int, left: int) -> None:
    hits = tuple(Hit(Candidate("a"), ACCEPTED, 0.9, place) for place in range(2))
    response = wire.rerank_response(Ranking(hits, hits), top_n, "")
    assert (len(response.hits), len(response.dropped)) == (left, 2)


def test_encoding_there_and_back() -> None:
    vectors = np.array([[0.6, 0.8], [1, 0]], np.float32)
    windows = (np.array([[127, 0]], np.int8), np.array([[0, 127], [1, 1]], np.int8))
    encoding = reply.encoding_of(wire.encoding_message(Encoded(vectors, windows, (None,)), "00" * 8))
    assert np.array_equal(encoding.vectors, vectors)
    assert encoding.vectors.dtype == np.float32
    assert [window.tolist() for window in TokenBlob.parse(encoding.blob).windows] == [w.tolist() for w in windows]


def test_unspecified_depends_on_the_method() -> None:
    assert wire.profile_of(0, "pairs") == "pairs"
    assert wire.profile_of(pb.PROFILE_PASSAGES, "pairs") == "passages"
    assert wire.policy_of(0) is Policy.FILTER
    assert wire.policy_of(pb.POLICY_DEMOTE) is Policy.DEMOTE


def test_unknown_numbers_and_names() -> None:
    with pytest.raises(UnknownChoice, match="profile: '9' is not known: choose one of PROFILE_UNSPECIFIED"):
        wire.profile_of(9, "pairs")
    with pytest.raises(UnknownChoice, match="policy: '-1' is not known"):
        wire.policy_of(-1)
    with pytest.raises(UnknownChoice, match="profile: 'pear' is not known: choose one of pairs, passages"):
        reply.profile_number("pear")


def test_enums_name_every_choice() -> None:
    assert set(wire.POLICIES) == set(Policy)
    assert set(wire.OUTCOMES) == set(Outcome)
    assert len(pb.Policy.values()) == len(Policy) + 1


def test_info(reranker: Reranker) -> None:
    message = wire.info_response(reranker.manifest, reranker.settings, "1.2.3", 99, 5, True)
    info = reply.info_of(message)
    assert (info.version, info.max_query_tokens, info.max_message_bytes, info.search) == ("1.2.3", 99, 5, True)
    assert info.thresholds == {name: profile.threshold for name, profile in reranker.manifest.profiles.items()}


def test_core_knows_no_wire() -> None:
    names = ("reranker", "ranking", "verdict", "encoder", "verifier", "candidate", "errors", "search", "index")
    for name in names:
        assert "grpc" not in Path(sys.modules[f"plugin_server.{name}"].__file__ or "").read_text(), name
