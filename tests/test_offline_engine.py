"""Indices read and written in parts: from Parquet that was encoded before, and by slices on Ray."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from indices import Indices, corpus_file, expected, other_bits, put, settings_of, sources, stored
from nodes.engine import Engine as Node
from nodes.proxy import Proxy, Rule
from test_encode import encode, rows, simgate

from plugin_server import Bundle, Reranker, Settings
from plugin_server.commands.offline_index import Offline
from plugin_server.corpus import Document
from plugin_server.engines.settings import EngineSettings
from plugin_server.offline import listing
from plugin_server.offline.account import Account
from plugin_server.offline.part import Part
from plugin_server.offline.runner import here
from plugin_server.offline.task import Encode, Fill, Update, own, without_login
from plugin_server.offline.worker import Recipe

CLIENTS = pytest.mark.parametrize("engine", ["opensearch_2", "elasticsearch_9"], indirect=True)
DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.", f"Bus {n}", {"price": n}) for n in range(230)]


def place(node: Node | Proxy, kind: str, index: str, bundle: Bundle) -> list[str]:
    return ["--engine", kind, "--url", node.url, "--index", index, "--bundle", str(bundle.folder)]


def on_ray(*given: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plugin_server", *map(str, given), "--runner", "ray", "--workers", "2"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@CLIENTS
def test_what_was_encoded_is_stored_without_being_encoded_again(
    engine: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS)
    assert encode(corpus, tmp_path / "encoded", tiny).exit_code == 0
    index = indices.make(engine, tiny_reranker)
    result = simgate("index", tmp_path / "encoded", *place(engine, engine.kind, index, tiny))
    assert result.exit_code == 0, result.stderr
    said = " ".join(result.stderr.split())
    assert "Indexing: 230 read, 230 written; 5 of 5 parts" in said, "none of them encoded"
    assert f"230 documents in {index}" in said
    assert stored(engine, index) == expected(tiny_reranker, DOCUMENTS)
    other = indices.make(engine, tiny_reranker)
    assert simgate("index", corpus, *place(engine, engine.kind, other, tiny)).exit_code == 0
    assert sources(engine, index) == sources(engine, other), "as if they had come as lines"
    again = simgate("index", tmp_path / "encoded", *place(engine, engine.kind, index, tiny))
    assert "230 read, 230 unchanged; 5 of 5 parts" in " ".join(again.stderr.split())


def test_what_another_bundle_encoded_is_encoded_anew(
    opensearch_2: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS)
    encode(corpus, tmp_path / "encoded", other_bits(tiny, tmp_path / "other"))
    index = indices.make(opensearch_2, tiny_reranker)
    result = simgate("index", tmp_path / "encoded", *place(opensearch_2, "opensearch", index, tiny))
    assert "230 read, 230 encoded, 230 written" in " ".join(result.stderr.split())
    assert stored(opensearch_2, index) == expected(tiny_reranker, DOCUMENTS)


def test_blobs_that_are_damaged_are_made_anew(
    opensearch_2: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS[:3])
    encode(corpus, tmp_path / "encoded", tiny)
    (file,) = (tmp_path / "encoded").glob("*.parquet")
    table = pq.read_table(file)
    faulty = table.to_pylist()
    faulty[0]["simgate_blob"] = faulty[0]["simgate_blob"][:-8]
    faulty[1]["simgate_windows"] = []
    pq.write_table(table.from_pylist(faulty, table.schema), tmp_path / "faulty.parquet")
    index = indices.make(opensearch_2, tiny_reranker)
    result = simgate("index", tmp_path / "faulty.parquet", *place(opensearch_2, "opensearch", index, tiny))
    assert "3 read, 2 encoded, 3 written" in " ".join(result.stderr.split())
    assert stored(opensearch_2, index) == expected(tiny_reranker, DOCUMENTS[:3])


@CLIENTS
def test_an_index_in_slices(
    engine: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    """Blobs for documents that are there, then all of them into Parquet, by slices that share none."""
    index = indices.make(engine, tiny_reranker, blobs=False, vectors="none", settings={"number_of_shards": 3})
    put(engine, index, [*({"_id": d.id, "text": d.text} for d in DOCUMENTS), {"_id": "blank", "text": " "}])
    where, settings = settings_of(engine), Settings(bundle=str(tiny.folder))
    offline = Offline(where, index, str(tiny.folder), True, None)
    assert offline.update(5) == 1, "one has no text"
    found = stored(engine, index)
    assert found.pop("blank") == (" ", "")
    assert found == expected(tiny_reranker, DOCUMENTS)
    again = list(here(Recipe(Update(where, index, False), settings), listing.parts(index, 5)))
    assert [(account.read, account.written, len(account.rejected)) for account in again if account.read] == [(1, 0, 1)]
    result = simgate("encode", *place(engine, engine.kind, index, tiny), "-o", tmp_path / "out", "--slices", "3")
    assert f"{index}/blank: text: holds no words" in " ".join(result.stderr.split())
    assert {name: (row["text"], row["simgate_blob"]) for name, row in rows(tmp_path / "out").items()} == found


def test_on_ray(opensearch_3: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker) -> None:
    """A corpus into an index; its blobs anew, by slices, for another bundle."""
    index, other = indices.make(opensearch_3, tiny_reranker), other_bits(tiny, tmp_path / "other")
    corpus = corpus_file(tmp_path / "corpus.jsonl", [*DOCUMENTS, {"id": "bad"}])
    result = on_ray("index", corpus, *place(opensearch_3, "opensearch", index, tiny), "--part-rows", "40")
    assert result.returncode == 1, result.stderr
    assert f"{corpus}:231: text: is missing" in result.stderr
    assert stored(opensearch_3, index) == expected(tiny_reranker, DOCUMENTS)
    result = on_ray("index", "--update-existing", *place(opensearch_3, "opensearch", index, other), "--slices", "5")
    assert result.returncode == 0, result.stderr
    assert f"230 of 230 documents in {index} have blobs of this bundle" in result.stderr
    assert stored(opensearch_3, index) == expected(Reranker(other, Settings(threads=1)), DOCUMENTS)


@pytest.mark.parametrize("of", [1, 2, 7])
def test_slices_are_the_index(opensearch_2: Node, indices: Indices, tiny_reranker: Reranker, of: int) -> None:
    index = indices.make(opensearch_2, tiny_reranker, settings={"number_of_shards": 2})
    put(opensearch_2, index, [{"_id": d.id, "text": d.text, "title": d.title} for d in DOCUMENTS])
    where = settings_of(opensearch_2)
    found = [list(listing.documents(where, part, 1000)) for part in listing.parts(index, of)]
    names = [item.id for part in found for item in part]
    assert sorted(names) == sorted(document.id for document in DOCUMENTS)
    assert max(map(len, found)) < 230 / of * 2


def test_fields_of_an_index_that_are_called_as_ours(
    opensearch_2: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index, again = indices.make(opensearch_2, tiny_reranker), indices.make(opensearch_2, tiny_reranker)
    texts = {"e1": "a red car", "e2": "a blue bicycle"}
    whole = {name: {"id": 17, "text": "a teaser", "title": "Ride", "body": text} for name, text in texts.items()}
    put(opensearch_2, index, [{"_id": name, **fields} for name, fields in whole.items()])
    body = ["--text-field", "body"]
    given = [*place(opensearch_2, "opensearch", index, tiny), *body]
    assert simgate("encode", *given, "-o", tmp_path / "out").exit_code == 0
    found = rows(tmp_path / "out")
    assert {name: row["text"] for name, row in found.items()} == texts
    assert len({row["simgate_blob"] for row in found.values()}) == 2
    given = [*place(opensearch_2, "opensearch", again, tiny), *body]
    result = simgate("index", tmp_path / "out", *given)
    assert result.exit_code == 0, result.stderr
    stored_fields = sources(opensearch_2, again)
    assert {name: {key: stored_fields[name][key] for key in whole[name]} for name in whole} == whole


def test_ids_of_two_indices_behind_one_name(
    opensearch_2: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    made = [indices.make(opensearch_2, tiny_reranker) for _ in range(2)]
    for index, text in zip(made, ("a red car", "a blue bicycle"), strict=True):
        put(opensearch_2, index, [{"_id": "1", "text": text}])
    where = place(opensearch_2, "opensearch", ",".join(made), tiny)
    result = simgate("encode", *where, "--slices", "1", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.stderr
    assert "1: id: another document of this slice has it" in " ".join(result.stderr.split())
    assert len(rows(tmp_path / "out")) == 1


def test_a_name_to_log_in_with(
    opensearch_2: Node,
    indices: Indices,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIMGATE_ENGINE_PASSWORD", "secret")
    index = indices.make(opensearch_2, tiny_reranker)
    put(opensearch_2, index, [{"_id": "a", "text": "a red car"}])
    where = [*place(opensearch_2, "opensearch", index, tiny), "--user", "ann"]
    result = simgate("encode", *where, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    result = simgate("index", tmp_path / "out", *where)
    assert result.exit_code == 0, result.stderr


def test_the_account_is_told_though_the_engine_goes_away(
    opensearch_2: Node,
    indices: Indices,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
    proxied: Callable[..., Proxy],
) -> None:
    index, folder = indices.make(opensearch_2, tiny_reranker), tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"id": "a", "text": "a red car"}\n{"id": "b"}\n')
    proxy = proxied(opensearch_2)
    proxy.rules = [Rule(f"/{index}/_count", status=400)]
    result = simgate("index", folder, *place(proxy, "opensearch", index, tiny))
    assert result.exit_code == 1
    assert "a.jsonl:2: text: is missing" in " ".join(result.stderr.split())


FAULTS: list[tuple[Rule, str]] = [
    (Rule("/_search/scroll", cut=True, times=1), "a page is lost on the way"),
    (Rule("/_search/scroll", status=404, times=1), "the engine has lost the list"),
    (Rule("/{index}/_search?", status=503, times=2), "the list cannot be made yet"),
]


@pytest.mark.parametrize(("rule", "remark"), FAULTS, ids=[case[1] for case in FAULTS])
def test_a_slice_whose_list_is_lost_is_read_anew(
    rule: Rule,
    remark: str,
    opensearch_2: Node,
    indices: Indices,
    tmp_path: Path,
    tiny: Bundle,
    tiny_reranker: Reranker,
    monkeypatch: pytest.MonkeyPatch,
    proxied: Callable[..., Proxy],
) -> None:
    monkeypatch.setattr(listing, "PAGE", 50)
    index = indices.make(opensearch_2, tiny_reranker)
    put(opensearch_2, index, [{"_id": d.id, "text": d.text} for d in DOCUMENTS])
    proxy = proxied(opensearch_2)
    proxy.rules = [replace(rule, prefix=rule.prefix.format(index=index))]
    result = simgate("encode", *place(proxy, "opensearch", index, tiny), "--slices", "1", "-o", tmp_path / "out")
    assert not proxy.rules, "it went wrong"
    assert result.exit_code == 0, result.stderr
    assert len(rows(tmp_path / "out")) == 230, remark
    assert json.loads((tmp_path / "out" / "_account.json").read_text())["read"] == 230, "none of them twice"


def test_a_part_that_an_engine_does_not_take_fails_alone(
    opensearch_2: Node, indices: Indices, tmp_path: Path, tiny: Bundle, tiny_reranker: Reranker
) -> None:
    index = indices.make(opensearch_2, tiny_reranker)
    corpus = corpus_file(tmp_path / "corpus.jsonl", DOCUMENTS[:4])
    parts = [Part(0, "lines", str(tmp_path / "missing.jsonl"), 0, 10), Part(1, "lines", str(corpus), 0, 10**6)]
    recipe = Recipe(Fill(settings_of(opensearch_2), index, True), Settings(bundle=str(tiny.folder)))
    failed, done = here(recipe, parts)
    assert "missing.jsonl" in failed.failure
    assert done == Account("part-000001", 4, 4, 4)


@pytest.mark.parametrize(
    ("given", "message", "remark"),
    [
        (["--index", "no-such"], "no-such: there is no such index", "no index"),
        (["--index", "Bad"], "'Bad' is no name of an index", "no name"),
    ],
)
def test_an_index_that_cannot_be_read(
    given: list[str], message: str, remark: str, opensearch_2: Node, tmp_path: Path, tiny: Bundle
) -> None:
    where = ["--engine", "opensearch", "--url", opensearch_2.url, "--bundle", tiny.folder]
    result = simgate("encode", *where, *given, "-o", tmp_path / "out")
    assert result.exit_code == 1, remark
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_logins_are_the_workers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given = EngineSettings(engine_url="http://search:9200", engine_user="ann", engine_password="secret")
    sent = without_login(given)
    assert b"secret" not in pickle.dumps(Encode("out", sent))
    assert (sent.engine_user, sent.engine_password, sent.engine_url) == ("", "", "http://search:9200")
    monkeypatch.setenv("SIMGATE_ENGINE_USER", "ann")
    monkeypatch.setenv("SIMGATE_ENGINE_PASSWORD", "secret")
    assert own(sent) == given
    assert own(sent, "bob") == replace(given, engine_user="bob"), "a name that was given travels"
