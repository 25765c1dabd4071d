"""Encoded documents as a folder of Parquet files, one for each part, with the accounts of those that are done.

::

    part-000000.parquet, …     id, title, text, extra (other fields, as JSON), simgate_windows, simgate_blob,
                               simgate_bundle: a row is what an engine's index of `simgate templates` holds
    _job.json                  what the folder is the output of
    _accounts/part-000000.json what became of a part; one that has an account is done
    _rejected.jsonl            documents that were left out, once all parts are done
    _account.json              the sum, once all parts are done
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from plugin_server.bundle import Manifest
from plugin_server.corpus import Document
from plugin_server.encoder import Encoded
from plugin_server.engines.layout import BLOB, BUNDLE, VECTOR, WINDOWS
from plugin_server.errors import InvalidField
from plugin_server.offline.account import Account, Rejected, Total
from plugin_server.offline.parquet import EXTRA
from plugin_server.offline.place import Place

#: Rows of a row group: what a part has in memory at a time.
GROUP = 1024
JOB, ACCOUNTS, REJECTED, ACCOUNT = "_job.json", "_accounts", "_rejected.jsonl", "_account.json"


def schema(manifest: Manifest) -> pa.Schema:
    """The columns."""
    vector = pa.list_(pa.float32(), manifest.recall_dimension)
    windows = pa.list_(pa.struct([pa.field(VECTOR, vector)]))
    texts = [pa.field(name, pa.string()) for name in ("id", "title", "text", EXTRA)]
    own = [pa.field(WINDOWS, windows), pa.field(BLOB, pa.string()), pa.field(BUNDLE, pa.string())]
    return pa.schema(texts + own)


@dataclass(frozen=True, slots=True)
class Folder:
    """The output of a job."""

    place: Place

    def begin(self, job: dict[str, Any]) -> dict[str, Account]:
        """The accounts of the parts that earlier runs of the same job did, by name; the folder is there.

        Raises:
            InvalidField: it holds something else, or cannot be made or written to.
        """
        try:
            self._claim(job)
        except OSError as error:
            raise InvalidField(f"output: {self.place.name} cannot be used: {error}: give an empty folder") from None
        ended = (self.place / ACCOUNTS).names()
        found = [(self.place / ACCOUNTS / name).read() for name in ended if not name.startswith(".")]
        accounts, there = [Account.of(json.loads(raw)) for raw in found], {*self.place.names()}
        whole = [account for account in accounts if not account.written or f"{account.part}.parquet" in there]
        return {account.part: account for account in whole}

    def _claim(self, job: dict[str, Any]) -> None:
        """Nothing; the folder is there, and of this job."""
        names = [name for name in self.place.names() if not name.startswith(".")]
        if not names:
            self.place.make()
            (self.place / JOB).write(job)
        elif JOB not in names:
            raise InvalidField(f"output: {self.place.name} holds {names[0]}: give an empty folder")
        elif json.loads((self.place / JOB).read()) != json.loads(json.dumps(job)):
            raise InvalidField(
                f"output: {self.place.name} holds what another job made (other inputs, another bundle or other "
                f"parts, see its {JOB}): give an empty folder, or delete that one"
            )
        (self.place / ACCOUNTS).make()

    def write(self, name: str, batches: Iterable[list[tuple[Document, Encoded]]], manifest: Manifest) -> int:
        """How many documents were written; the part's file is there as a whole, or not at all, or for none of them."""
        written, form, batches = 0, schema(manifest), iter(batches)
        waiting: list[tuple[Document, Encoded]] = []
        target = self.place / f"{name}.parquet"
        for batch in batches:
            waiting += batch
            if waiting:
                break
        if not waiting:
            if target.kind == "file":  # of a run that was killed, or of documents that are gone
                target.remove()
            return 0
        with target.written() as stream, pq.ParquetWriter(stream, form, compression="zstd") as writer:
            for batch in batches:
                waiting += batch
                if len(waiting) >= GROUP:
                    writer.write_batch(_rows(waiting, manifest, form))
                    written, waiting = written + len(waiting), []
            if waiting:
                writer.write_batch(_rows(waiting, manifest, form))
        return written + len(waiting)

    def done(self, account: Account) -> None:
        """Nothing; the part is done, and this is what became of it."""
        (self.place / ACCOUNTS / f"{account.part}.json").write(account.plain())

    def end(self, total: Total, rejected: Sequence[Rejected]) -> None:
        """Nothing; the sum is written down, and what killed workers have left is gone."""
        for folder in (self.place, self.place / ACCOUNTS):
            for name in folder.names():
                if name.startswith(".part-"):
                    (folder / name).remove()
        lines = [json.dumps({"where": item.where, "reason": item.reason}, ensure_ascii=False) for item in rejected]
        with (self.place / REJECTED).written() as stream:
            stream.write("".join(line + "\n" for line in lines).encode())
        (self.place / ACCOUNT).write(total.plain())


def _json(value: dict[str, Any]) -> str:
    """The value as JSON, in ASCII alone if it holds half a surrogate pair."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _rows(items: Sequence[tuple[Document, Encoded]], manifest: Manifest, form: pa.Schema) -> pa.RecordBatch:
    """The documents as rows."""
    mark = manifest.fingerprint
    columns = {
        "id": [document.id for document, _ in items],
        "title": [document.title for document, _ in items],
        "text": [document.text for document, _ in items],
        EXTRA: [_json(document.extra) if document.extra else "" for document, _ in items],
        WINDOWS: [[{VECTOR: row} for row in encoded.vectors] for _, encoded in items],
        BLOB: [encoded.blob(mark).text() for _, encoded in items],
        BUNDLE: [mark] * len(items),
    }
    return pa.RecordBatch.from_arrays([pa.array(columns[field.name], field.type) for field in form], schema=form)
