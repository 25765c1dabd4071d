import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import engine_or_skip
from nodes import home as homes
from nodes.engine import UNREACHED, Engine, Refused
from nodes.errors import MissingTool, NodeError
from nodes.home import checked
from nodes.java import find_java, java_major
from nodes.line import LINES
from nodes.node import FOLDERS, Node
from nodes.pool import Pool

VECTORS = {"north": [1.0, 0.0, 0.0], "east": [0.0, 1.0, 0.0], "northeast": [0.7, 0.7, 0.1]}
#: Any other engine ends the node, as do fields that name none: the zip of k-NN brings no native library.
KNN_VECTOR = {"type": "knn_vector", "dimension": 3, "method": {"name": "hnsw", "engine": "lucene", "space_type": "l2"}}
DENSE_VECTOR = {"type": "dense_vector", "dims": 3, "index": True, "similarity": "l2_norm"}


def make_index(engine: Engine, name: str, settings: dict[str, Any], vector: dict[str, Any]) -> None:
    """A new index of the three vectors."""
    engine.request("DELETE", f"/{name}?ignore_unavailable=true")
    properties = {"title": {"type": "text"}, "vector": vector}
    shards = {"number_of_shards": 1, "number_of_replicas": 0}
    engine.request(
        "PUT", f"/{name}", {"settings": {"index": shards | settings}, "mappings": {"properties": properties}}
    )
    lines: list[Any] = []
    for identifier, numbers in VECTORS.items():
        lines += [{"index": {"_id": identifier}}, {"title": f"to the {identifier}", "vector": numbers}]
    assert not engine.request("POST", f"/{name}/_bulk?refresh=true", lines)["errors"]


def ids(found: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in found["hits"]["hits"]]


def test_answers_with_its_version(engine: Engine) -> None:
    (node,) = engine.request("GET", "/_nodes/_local")["nodes"].values()
    assert node["version"] == engine.version
    assert Engine.at(engine.url + "/", engine.kind).version == engine.version


def test_opensearch_finds_neighbours(opensearch: Engine) -> None:
    make_index(opensearch, "nodes", {"knn": True}, KNN_VECTOR)
    query = {"knn": {"vector": {"vector": [0.9, 0.1, 0.0], "k": 2}}}
    assert ids(opensearch.request("POST", "/nodes/_search", {"size": 2, "query": query})) == ["north", "northeast"]
    match = {"query": {"match": {"title": "east"}}}
    assert ids(opensearch.request("POST", "/nodes/_search", match)) == ["east"]


def test_opensearch_has_ml_commons(opensearch: Engine) -> None:
    plugins = opensearch.request("GET", "/_cat/plugins?format=json")
    names = {plugin["component"] for plugin in plugins}
    assert names >= {"opensearch-knn", "opensearch-ml", "opensearch-neural-search", "opensearch-job-scheduler"}
    assert opensearch.request("GET", "/_plugins/_ml/stats")["nodes"] is not None


def test_elasticsearch_finds_neighbours(elasticsearch_9: Engine) -> None:
    make_index(elasticsearch_9, "nodes", {}, DENSE_VECTOR)
    knn = {"field": "vector", "query_vector": [0.9, 0.1, 0.0], "k": 2, "num_candidates": 3}
    assert ids(elasticsearch_9.request("POST", "/nodes/_search", {"knn": knn})) == ["north", "northeast"]


@pytest.mark.parametrize(
    ("engine", "end"),
    [("opensearch_2", Node.kill), ("elasticsearch_9", Node.kill), ("elasticsearch_9", Node.stop)],
    indirect=["engine"],
    ids=["opensearch-killed", "elasticsearch-killed", "elasticsearch-stopped"],
)
def test_a_restarted_node_keeps_what_it_acknowledged(engine: Engine, end: Callable[[Node], None]) -> None:
    if not isinstance(engine, Node):
        pytest.skip("this cluster is not ours to kill")
    engine.request("PUT", "/kept", {"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
    engine.request("PUT", "/kept/_doc/1", {"title": "acknowledged"})
    end(engine)
    try:
        with pytest.raises(UNREACHED):
            engine.request("GET", "/kept/_doc/1")
    finally:
        engine.restart()
    assert engine.request("GET", "/kept/_doc/1")["_source"] == {"title": "acknowledged"}
    engine.request("DELETE", "/kept")


def test_a_refusal_tells_what_the_engine_said(engine: Engine) -> None:
    with pytest.raises(Refused, match=r"GET /no-such-index: 404 .*index_not_found_exception") as caught:
        engine.request("GET", "/no-such-index")
    assert caught.value.status == 404


def test_a_node_ends_with_the_process_that_started_it(elasticsearch_9: Engine) -> None:
    """Killed, that process cannot tidy up."""
    if not isinstance(elasticsearch_9, Node):
        pytest.skip("nodes are not started here")
    program = "import time; from nodes.node import Node; print(Node.launch('elasticsearch-9.5').folder, flush=True)"
    command = [sys.executable, "-c", f"{program}; time.sleep(600)"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        assert list(folder.iterdir())
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists()


def test_a_node_that_does_not_start_shows_its_log(elasticsearch_9: Engine) -> None:
    if not isinstance(elasticsearch_9, Node):
        pytest.skip("nodes are not started here")
    before = set(FOLDERS.glob("simgate-*"))
    with pytest.raises(NodeError, match=r"(?s)elasticsearch-9.5 ended before it answered.*Too small maximum heap"):
        Node.start("elasticsearch-9.5", heap="1")
    assert set(FOLDERS.glob("simgate-*")) == before


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMGATE_JAVA_8", str(tmp_path))
    with pytest.raises(MissingTool, match=r"SIMGATE_JAVA_8: '.*' is not the home of a Java 8: name one, or unset it"):
        find_java((8,))
    monkeypatch.delenv("SIMGATE_JAVA_8")
    with pytest.raises(MissingTool, match="Java 1 is not installed: install openjdk-1-jre-headless"):
        find_java((1,))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="Maven is not installed: install the package maven"):
        homes.maven(tmp_path)


def test_java_is_found_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    (tmp_path / "release").write_text('JAVA_VERSION="8.0.1"\nMODULES="java.base"\n')
    monkeypatch.setenv("SIMGATE_JAVA_8", str(tmp_path))
    assert (java_major(tmp_path), find_java((8,))) == (8, tmp_path)


def test_missing_tools_skip_or_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMGATE_JAVA_17", str(tmp_path))
    monkeypatch.delenv("SIMGATE_TEST_OPENSEARCH_2", raising=False)
    pool = Pool(["opensearch_2"])
    monkeypatch.delenv("SIMGATE_NODES", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"needs a real opensearch-2\.19: SIMGATE_JAVA_17"):
        engine_or_skip(pool, "opensearch_2")
    monkeypatch.setenv("SIMGATE_NODES", "required")
    with pytest.raises(MissingTool):
        engine_or_skip(pool, "opensearch_2")


def test_a_failed_command_shows_its_output() -> None:
    with pytest.raises(NodeError, match="no jars: sh -c echo why; exit 3\nwhy"):
        checked(["sh", "-c", "echo why; exit 3"], "no jars")


@pytest.mark.parametrize("line", LINES.values(), ids=lambda line: line.name)
def test_every_pom_names_its_version(line: Any) -> None:
    assert line.name == f"{line.kind}-{line.version.rpartition('.')[0]}"
