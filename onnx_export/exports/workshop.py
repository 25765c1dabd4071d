"""The source that is at hand, with what torch gives for its pairs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from onnx_export.errors import ExportError, ExportFailed
from onnx_export.exports.agreement import Reference
from onnx_export.exports.source import Source
from plugin_server.errors import SimgateError


class Workshop:
    """Reads a source once for all bundles of it that follow one another.

    Args:
        work: folder for graphs in float32.
    """

    def __init__(self, work: Path) -> None:
        self._work = work
        self._held: tuple[Path, Source, Reference] | ExportError | SimgateError | None = None
        self._path: Path | None = None

    def source(self, path: Path) -> tuple[Source, Reference]:
        """The source and its reference.

        Raises:
            BadCheckpoint, BundleError: as `Source.open`, each time that it is asked for.
        """
        if self._path != path:
            self._held, self._path = None, path  # the one before goes before another comes
            try:
                source = Source.open(path, Path(tempfile.mkdtemp(dir=self._work)))
                self._held = path, source, Reference(source.model, source.rows)
            except (ExportError, SimgateError) as error:
                self._held = error
        if not isinstance(self._held, tuple):
            raise self._held or ExportFailed(f"{path}: could not be read before")
        return self._held[1:]
