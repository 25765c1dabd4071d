"""What an index holds of which bundle, and searches while it moves from one bundle to another."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from indices import Indices, counted, expected, other_bits, put, settings_of, stored, total, updated
from nodes.engine import Engine as Node

from plugin_server import Bundle, Outcome, Reranker, Settings
from plugin_server.commands.engine_index import fields_of
from plugin_server.core import Core
from plugin_server.corpus import Document
from plugin_server.engines.census import Census
from plugin_server.engines.connection import Engine
from plugin_server.engines.search import EngineSearcher
from plugin_server.engines.target import Target, extend
from plugin_server.engines.updating import Updated, update
from plugin_server.errors import InvalidField
from plugin_server.search import Question

DOCUMENTS = [Document(f"d{n}", f"The bus number {n} leaves at ten.") for n in range(150)]
TEXTS = [{"_id": document.id, "text": document.text} for document in DOCUMENTS]


@pytest.fixture(scope="session")
def eight_reranker(tiny: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    """A bundle of the base model of ``tiny``, whose blobs have other bits."""
    return Reranker(other_bits(tiny, tmp_path_factory.mktemp("eight")), Settings(threads=1))


def test_a_census_tells_bundles_apart(
    engine: Node, indices: Indices, tiny_reranker: Reranker, eight_reranker: Reranker
) -> None:
    index = indices.make(engine, tiny_reranker)
    old, new = tiny_reranker.manifest.fingerprint, eight_reranker.manifest.fingerprint
    assert old != new
    assert asyncio.run(counted(settings_of(engine), index)) == Census(0, {}, old)
    put(engine, index, TEXTS[:3])
    asyncio.run(updated(settings_of(engine), index, tiny_reranker))
    put(engine, index, [*TEXTS[3:10], {"_id": "x", "text": "a", "simgate_bundle": new}])
    found = asyncio.run(counted(settings_of(engine), index))
    assert found == Census(11, {old: 3, "none": 7, new: 1}, old)
    assert (found.outstanding(old), found.outstanding(new)) == (8, 10)
    other = indices.make(engine, tiny_reranker)
    put(engine, other, TEXTS[:2])
    assert asyncio.run(counted(settings_of(engine), f"{index},{other}")).documents == 13, "several indices"


def test_searches_go_on_while_an_index_moves_to_another_bundle(
    engine: Node, indices: Indices, tiny: Bundle, tiny_reranker: Reranker, eight_reranker: Reranker
) -> None:
    """Whatever batch the move has come to, each verdict is that of the bundle that made the blob."""
    index, where = indices.make(engine, tiny_reranker), settings_of(engine)
    put(engine, index, TEXTS)
    asyncio.run(updated(where, index, tiny_reranker))
    moving = Reranker(eight_reranker.bundle, Settings(threads=1), previous=tiny_reranker)
    query = DOCUMENTS[3].text
    verdicts = {
        item.manifest.fingerprint: [item.verify(query, document.text, "passages") for document in DOCUMENTS]
        for item in (tiny_reranker, eight_reranker)
    }
    seen: list[set[str]] = []

    async def look(searcher: EngineSearcher) -> None:
        await searcher.engine.request("POST", f"/{index}/_refresh")
        answer = await searcher.search(Question(query, k=150, top_n=150, index=index, policy="annotate"))
        assert len(answer.ranking.hits) == 150
        makers = set()
        for hit in answer.ranking.hits:
            found = answer.found(hit)
            maker = next(mark for mark in verdicts if blobs[mark][found.document.id][1] == found.blob)
            wanted = verdicts[maker][int(found.document.id[1:])]
            assert hit.verdict.outcome is not Outcome.UNVERIFIED
            assert hit.verdict.outcome is wanted.outcome
            assert hit.verdict.probability == pytest.approx(wanted.probability, abs=1e-5)
            makers.add(maker)
        seen.append(makers)

    blobs = {item.manifest.fingerprint: expected(item, DOCUMENTS) for item in (tiny_reranker, eight_reranker)}

    async def move() -> list[Updated]:
        async with Engine(where) as engine:
            mapped = await extend(engine, index, fields_of(where, moving.manifest, True))
            searcher, steps = EngineSearcher(Core(moving), engine), []
            await look(searcher)
            async for step in update(Target(engine, index, mapped, True), moving.encoder):
                steps.append(step)
                await look(searcher)
            return steps

    assert total(asyncio.run(move())) == (150, 0, 0)
    old, new = tiny_reranker.manifest.fingerprint, eight_reranker.manifest.fingerprint
    assert seen == [{old}, {old, new}, {old, new}, {new}]
    assert stored(engine, index) == blobs[new]


def test_a_previous_bundle_of_another_base_is_refused(tiny: Bundle, tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="previous_bundle: its base model is"):
        Reranker.load(Settings(previous_bundle=str(tiny.folder)))
