"""Each benchmark at a tiny size: what it measures is there, and what is missing is told; never how fast it was."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from benchmarks import calls, cost, depths, load, offline, peers, shapes, sizing
from benchmarks.caller import Task, called
from benchmarks.cost import Line
from benchmarks.process import family, own, peak, resident, simgate
from benchmarks.tools import TOOLS, protoset
from sized import DEPTHS, PAPER

from plugin_server import Bundle, Reranker
from plugin_server import simgate_v1_pb2 as pb

NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?")
PEERS = {
    "simgate: query encoded": "",
    "the same over HTTP": "",
    "MaxSim in numpy: query": "",
    "MaxSim in numpy: blobs": "",
    "onnxruntime, float32": "",
    "onnxruntime, int8": "",
    "sentence-transformers": "",
    "FlashRank, int8": "does not run",
    "infinity": "not measured: SIMGATE_BENCH_INFINITY or --infinity names no Python",
}


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table of a report, without its head."""
    blocks = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    rows = [[line.strip("| ").split(" | ") for line in block.strip().splitlines()] for block in blocks]
    assert all(set("".join(block[1])) <= {"-", "|"} for block in rows)
    return [block[2:] for block in rows]


def test_peers(tiny: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    nowhere = str(tmp_path / "python")
    size = ["--rounds", "1", "--seconds", "0", "--burst", "0.01", "--candidates", "3"]
    peers.main(["--bundle", str(tiny.folder), *size, "--flashrank", nowhere])
    (rows,) = tables(capsys.readouterr().out)
    assert len(rows) == len(PEERS)
    for (name, *cells), (start, told) in zip(rows, PEERS.items(), strict=True):
        assert start in name
        if told:
            assert told in cells[0], name
        else:
            assert all(NUMBER.fullmatch(re.sub("^highest |, its text$", "", cell)) for cell in cells), (name, cells)
            assert float(cells[4]) > 10, name  # MiB of any Python


def test_a_peer_without_its_package_is_measured_its_way(tiny_reranker: Reranker, tmp_path: Path) -> None:
    (tmp_path / "int8").mkdir()
    (tmp_path / "int8" / "model.onnx").touch()
    found = {peer.system: peer for peer in peers.peers(tiny_reranker, tmp_path, count=3)}
    assert "without the package" in found["cross_encoder"].name and found["cross_encoder"].task["batch"] == 3


def test_cost(tiny: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    size = ["--candidates", "2", "4", "--query-tokens", "4", "8", "--document-tokens", "16", "32"]
    more = ["--lengths", "16", "32", "--repetitions", "1", "--threads", "1", "--json", str(tmp_path / "cost.json")]
    cost.main(["--bundle", str(tiny.folder), *size, "--documents", "5", "9", *more])
    printed = capsys.readouterr().out
    candidates, grid, corpus, encoded = tables(printed)
    assert [row[0] for row in candidates] == ["2", "4"]
    assert [row[0] for row in grid] == ["q = 4", "q = 8"]
    assert [row[0] for row in corpus] == ["5", "9"] and all(len(row) == 4 for row in corpus)
    assert [row[0] for row in encoded] == ["16", "32"]
    assert all(float(cell) > 0 for row in (*candidates, *grid, *corpus, *encoded) for cell in row[1:])
    told = json.loads((tmp_path / "cost.json").read_text())
    assert [f"{taken:.2f}" for *_, taken in told["grid_ms"]] == [cell for row in grid for cell in row[1:]]
    assert told["machine"]["cores"] >= 1 and told["load_before"] >= 0
    share = {"engines": {"index_per_second": 9.0, "encode_per_second": 10.0}}
    assert sizing._encoding({"cost": told} | share)["encoded_token_core_ms"] > 0
    for name in ("whole search: ", "recall: ", "verification: "):
        assert re.search(rf"^{name}slope \S+ µs a document, intercept \S+ ms, R² \S+$", printed, re.MULTILINE)


def test_depths(reranker: Reranker) -> None:
    """What is called accepted is accepted, so that a cascade reaches as many as its row says."""
    reached = {name: depths.verified(way()) for name, way in depths.ways(reranker, 20).items()}
    assert reached["cascade, all hold up"] == 10 and reached["cascade, one in 2 holds up"] in (19, 20)
    assert reached["cascade, none holds up"] == reached["full"] == 20 and reached["light"] == 0
    listed = depths.candidates(reranker, 5, 20)
    kept = reranker.rerank(depths.QUERY, listed).hits
    assert sorted(hit.position for hit in kept) == [0, 5, 10, 15]
    assert set(depths.encodings(reranker)) | set(reached) >= set(DEPTHS["milliseconds"])


def test_a_line_through_points() -> None:
    line = Line.through([(1, 3), (2, 5), (3, 7), (4, 9)])
    assert (line.slope, line.intercept, line.r2) == pytest.approx((2, 1, 1))
    assert Line.through([(0, 0), (1, 1), (2, 0)]).r2 == pytest.approx(0)


def test_calls(tiny: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    size = ["--repetitions", "1", "--seconds", "0.1", "--rounds", "1", "--starts", "1", "--requests", "40"]
    shaped = ["--candidates", "100", "10", "--shapes", "100 blobs", "10 blobs", "one pair"]
    calls.main(["--bundle", str(tiny.folder), *size, *shaped, "--json", str(tmp_path / "calls.json")])
    overhead, rates, start, memory = tables(capsys.readouterr().out)
    ways = ["in process", "gRPC, stub", "gRPC, Client", "HTTP /v2/rerank"]
    assert [row[0] for row in overhead] == [f"{count} blobs, {way}" for count in (100, 10) for way in ways]
    assert overhead[0][2] == "+0.00"
    assert [row[0] for row in rates] == shaped[4:] and all(float(row[1]) > 0 for row in rates)
    assert len(start) == 1 and float(start[0][0]) > 0
    assert [int(row[0]) for row in memory] == [4 * part for part in range(11)]
    told = {"calls": json.loads((tmp_path / "calls.json").read_text())}
    assert sizing._server(told)["rest_mib"] == pytest.approx(float(start[0][1]), abs=0.5)
    found = sizing._verification(PAPER | told)
    assert found["verification_ms"] == 14.0 and found["carried_candidate_core_us"] != 60.0


@pytest.mark.parametrize("tool", list(TOOLS))
def test_load(tool: str, tiny: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    if tool != "own" and shutil.which(tool) is None:
        with pytest.raises(SystemExit):
            load.main(["--bundle", str(tiny.folder), "--tool", tool, "--warm", "0.1", "--shape", "2 blobs"])
        assert f"{tool}: is not on the path: go install " in capsys.readouterr().err
        return
    load.main(
        ["--bundle", str(tiny.folder), "--tool", tool, "--minutes", "0.02", "--warm", "0.3", "--shape", "2 blobs"]
    )
    printed = capsys.readouterr().out
    (rows,) = tables(printed)
    doors = [door for door, spoken in zip(("gRPC", "HTTP"), TOOLS[tool][1:], strict=True) if spoken]
    assert [row[0].split(" of ")[0] for row in rows] == [
        f"{door}, {share}" for door in doors for share in ("0.5", "2", "0.5")
    ]
    assert all(int(row[2]) > 0 and float(row[3]) > 0 for row in rows)
    assert printed.count(" MiB at 0 s") == len(rows)


def test_callers_tell_what_became_of_requests(tiny: Bundle, tiny_reranker: Reranker, tmp_path: Path) -> None:
    """Both loops, both ways, with answers of two codes."""
    shape = shapes.shape("2 blobs", tiny_reranker)
    good, bad = tmp_path / "good", tmp_path / "bad"
    with simgate("--bundle", str(tiny.folder)) as served:
        for http, codes in ((False, {"OK": 3, "INVALID_ARGUMENT": 3}), (True, {"200": 3, "400": 3})):
            good.write_bytes(shape.body if http else shape.message.SerializeToString())
            bad.write_bytes(b"{}" if http else b"")
            where = (served.http, shape.path) if http else (served.address, shape.method)
            for way in ({"callers": 2, "requests": 6}, {"rate": 100.0, "requests": 6}):
                told = called(Task(*where, [str(good), str(bad)], http, **way))
                assert (told.codes, told.sent, len(told.times)) == (codes, 6, 3)


def test_a_server_is_a_process_of_its_own_and_ends(tiny: Bundle) -> None:
    with simgate("--bundle", str(tiny.folder)) as served:
        assert family(served.pid) == [served.pid]
        assert 0 < own(served.pid) <= resident(served.pid) <= peak(served.pid)
        assert served.seconds > 0 and served.address != served.http
    assert resident(served.pid) == 0


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"does not answer: .*no-such-folder"), simgate("--bundle", "no-such-folder"):
        pass


def test_shapes(tiny_reranker: Reranker, reranker: Reranker) -> None:
    assert {len(reranker.encode([shapes.text(tokens)])[0].windows[0]) for tokens in (16, 128)} == {16, 128}
    assert len(set(shapes.documents(2000))) == 2000
    found = shapes.shape("3 blobs", tiny_reranker)
    assert isinstance(found.message, pb.RerankRequest) and len(found.message.candidates) == 3
    assert b"simgate.v1" in protoset()


def test_offline(tiny: Bundle, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What runs on Ray is in test_offline_ray."""
    figures = tmp_path / "figures.json"
    given = ["--documents", "0", "--many", "3000", "--part-rows", "20", "--json", str(figures)]
    offline.main(["--bundle", str(tiny.folder), *given])
    (rows,) = tables(capsys.readouterr().out)
    assert [row[0] for row in rows] == [f"{10 * tenth}%" for tenth in range(1, len(rows) + 1)]
    assert all(float(row[1]) > 10 for row in rows), "MiB of any Python"
    assert len(json.loads(figures.read_text())["memory_mib"]) == len(rows) > 2
    source = offline.corpus(tmp_path / "corpus.jsonl", 100, 8)
    run = offline.encoded(tiny, source, tmp_path / "out", 20)
    assert (run.account["written"], offline.stored(tmp_path / "out")) == (100, (100, 0))
    assert run.rate > 0
