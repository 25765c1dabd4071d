"""The work of ``simgate index`` with a search engine."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from index_templates.apply import Options
from index_templates.resource import Resource
from plugin_server.bundle import Bundle, Manifest
from plugin_server.commands.common import Bar, console, emit, settings
from plugin_server.commands.tally import Tally
from plugin_server.corpus import read_corpus
from plugin_server.encoder import Encoder
from plugin_server.engines import census, indexing, updating
from plugin_server.engines.checkpoint import Checkpoint, job_of, place_of
from plugin_server.engines.connection import Engine
from plugin_server.engines.patience import patiently
from plugin_server.engines.settings import EngineSettings
from plugin_server.engines.target import Target, extend, identities, path
from plugin_server.errors import EngineMissing
from plugin_server.printed import shown

#: Batches between two checkpoints.
CHECKPOINT_BATCHES = 16


def fill(where: EngineSettings, encoder: Encoder, name: str, vectors: bool, corpus: BinaryIO) -> int:
    """The exit code, after a corpus was stored in an engine's index."""
    return asyncio.run(_fill(where, encoder, name, vectors, corpus))


def update(where: EngineSettings, encoder: Encoder, name: str, vectors: bool) -> int:
    """The exit code, after documents of an engine's index got blobs and vectors."""
    return asyncio.run(_update(where, encoder, name, vectors))


def check(where: EngineSettings, bundle: str, name: str, as_json: bool) -> int:
    """The exit code, after the census of an engine's index was printed."""
    return asyncio.run(_check(where, Bundle.open(settings(bundle).bundle).manifest.fingerprint, name, as_json))


async def _fill(where: EngineSettings, encoder: Encoder, name: str, vectors: bool, corpus: BinaryIO) -> int:
    async with Engine(where) as engine:
        target = await Target.open(engine, name, encoder.manifest, vectors)
        keeper = await _Keeper.open(target, encoder, corpus)
        lines = read_corpus(corpus, encoder.max_characters)
        with Tally(corpus) as tally:
            async with aclosing(indexing.fill(target, encoder, lines, keeper.done)) as steps:
                async for step in steps:
                    tally.add(step.batch)
                    await keeper.keep(step)
        await counted(engine, name)
        keeper.finish()
        return 1 if tally.refused else 0


async def counted(engine: Engine, name: str) -> None:
    """Nothing; how many documents an index has is told."""
    try:
        await patiently(engine, "POST", f"/{path(name)}/_refresh")
        found = await patiently(engine, "GET", f"/{path(name)}/_count")
    except EngineMissing:  # nothing could be stored, so that nothing made the index
        found = {"count": 0}
    console(errors=True).print(f"{found['count']} documents in {name}", soft_wrap=True)


class _Keeper:
    """Keeps the checkpoint of a run that reads a file; it goes no further than the first line refused."""

    def __init__(self, corpus: Path | None, target: Target, encoder: Encoder) -> None:
        self._corpus, self._target, self._encoder = corpus, target, encoder
        self._file: Path | None = None
        self._job, self._steps, self._whole, self.done = "", 0, True, 0

    @classmethod
    async def open(cls, target: Target, encoder: Encoder, corpus: BinaryIO) -> _Keeper:
        """The keeper, and how far an earlier run came."""
        named = Path(str(getattr(corpus, "name", "")))
        keeper = cls(named if named.is_file() else None, target, encoder)
        await keeper._found()
        if keeper._file:
            keeper.done = Checkpoint.read(keeper._file, keeper._job).line
        return keeper

    async def keep(self, step: indexing.Progress) -> None:
        """Nothing; now and then the line is written down."""
        self._whole = self._whole and not step.batch.refused
        self._steps += 1
        if self._corpus is None or not self._whole or self._steps % CHECKPOINT_BATCHES:
            return
        if self._file is None:
            await self._found()
        if self._file and step.line > self.done:
            Checkpoint(self._job, step.line).write(self._file)

    def finish(self) -> None:
        """Nothing; the run came to its end, and the next one asks for every document."""
        if self._file:
            self._file.unlink(missing_ok=True)

    async def _found(self) -> None:
        """Nothing; once the index exists, the job is known."""
        if self._corpus is None:
            return
        try:
            uuids = ",".join(await identities(self._target.engine, self._target.name))
        except EngineMissing:
            return
        fields = f"{self._target.engine.layout.text} {self._target.vectors}"
        self._job = job_of(self._corpus, uuids, self._encoder.manifest.fingerprint, fields)
        self._file = place_of(self._job, os.environ)


async def _update(where: EngineSettings, encoder: Encoder, name: str, vectors: bool) -> int:
    done = changed = refused = 0
    async with Engine(where) as engine:
        target = await extended(engine, encoder.manifest, name, vectors)
        with Bar("Updating") as bar:
            async with aclosing(updating.update(target, encoder)) as steps:
                async for step in steps:
                    done, changed, refused = done + step.updated, changed + step.changed, refused + len(step.refused)
                    for identity, reason in step.refused:
                        console(errors=True).print(f"{name}/{shown(identity)}: {shown(reason)}", soft_wrap=True)
                    bar.update(
                        done + refused, step.total, f"{done} updated, {changed} changed meanwhile, {refused} refused"
                    )
        left = await signed(engine, encoder.manifest, name)
        return 1 if refused or left else 0


async def extended(engine: Engine, manifest: Manifest, name: str, vectors: bool) -> Target:
    """The index with simgate's fields in its mapping; without vectors, which is told, where it cannot have them."""
    mapped = await extend(engine, name, fields_of(engine.settings, manifest, vectors))
    has = vectors and mapped.dimension > 0
    if vectors and not has:
        console(errors=True).print(
            f"{name}: was made without index.knn, which cannot be changed: blobs alone are added, recall stays "
            "your own; for vectors reindex into an index of the template", soft_wrap=True,
        )  # fmt: skip
    return Target(engine, name, mapped.expect(name, manifest.recall_dimension, has), has)


async def signed(engine: Engine, manifest: Manifest, name: str) -> int:
    """How many documents have no blob of the bundle, which is told; the index bears its name if there is none."""
    await engine.request("POST", f"/{path(name)}/_refresh")
    found = await census.count(engine, name)
    left = found.outstanding(manifest.fingerprint)
    if not left:
        await census.sign(engine, name, manifest.fingerprint, manifest.name)
    out = console(errors=True)
    out.print(f"{found.documents - left} of {found.documents} documents in {name} have blobs of this bundle")
    return left


async def _check(where: EngineSettings, fingerprint: str, name: str, as_json: bool) -> int:
    async with Engine(where) as engine:
        found = await census.count(engine, name)
    left = found.outstanding(fingerprint)
    if as_json:
        emit({"index": name, "documents": found.documents, "bundles": found.bundles, "loaded": fingerprint,
              "made_for": found.made_for, "outstanding": left})  # fmt: skip
        return 1 if left else 0
    out = console()
    for bundle, number in sorted(found.bundles.items(), key=lambda item: -item[1]):
        note = (
            "no blob" if bundle == census.NONE else "the loaded bundle" if bundle == fingerprint else "another bundle"
        )
        out.print(f"{number:>12,}  {bundle:<16}  {note}")
    out.print(f"{found.documents:>12,}  documents, {left:,} to encode again")
    if left:
        out.print(f"simgate index --update-existing --engine {where.engine} --index {name}", soft_wrap=True)
    return 1 if left else 0


def fields_of(where: EngineSettings, manifest: Manifest, vectors: bool) -> dict[str, object]:
    """The mappings of simgate's fields, as the templates have them."""
    values = Options(where.engine, manifest.recall_dimension, manifest.fingerprint, manifest.name).values
    named = ["blobs", *([f"vectors-{values['vectors']}"] if vectors else [])]
    fields: dict[str, object] = {}
    for name in named:
        body = Resource.load(where.engine, f"{name}@component_template").render(values)
        fields |= body["template"]["mappings"]["properties"]
    return fields
