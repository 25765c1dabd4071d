"""Files on this machine or in an object store, by pyarrow's file systems."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

from plugin_server.errors import InvalidField

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder, wherever it is.

    Attributes:
        system: pyarrow's file system.
        path: within it.
        name: as the user wrote it.
    """

    system: FileSystem
    path: str
    name: str

    @classmethod
    def of(cls, name: str) -> Place:
        """The place that a path or a URI such as ``s3://bucket/folder`` names; nothing is opened.

        Raises:
            InvalidField: the URI cannot be used, or pyarrow is not installed.
        """
        try:
            import pyarrow as pa
            from pyarrow.fs import FileSystem, LocalFileSystem
        except ImportError:
            raise InvalidField(
                "pyarrow: is not installed, and files are read and written with it: pip install 'simgate[parquet]'"
            ) from None
        if "://" not in name:
            return cls(LocalFileSystem(), str(Path(name).absolute()), name)
        try:
            system, path = FileSystem.from_uri(name)
        except (pa.ArrowException, ValueError, OSError) as error:
            raise InvalidField(f"{name}: is no address of a file system: {error}") from None
        return cls(system, path, path if isinstance(system, LocalFileSystem) else name)

    def __truediv__(self, inner: str) -> Place:
        name, mark, options = self.name.partition("?") if "://" in self.name else (self.name, "", "")
        below = quote(inner) if "://" in self.name else inner
        return Place(self.system, f"{self.path.rstrip('/')}/{inner}", f"{name.rstrip('/')}/{below}{mark}{options}")

    @property
    def kind(self) -> str:
        """``file``, ``folder`` or ``nothing``."""
        from pyarrow.fs import FileType

        found = self.system.get_file_info(self.path).type
        return {FileType.File: "file", FileType.Directory: "folder"}.get(found, "nothing")

    @property
    def uri(self) -> str:
        """What names this place in any process: the absolute path, or the URI."""
        return self.name if "://" in self.name else self.path

    @property
    def identity(self) -> str:
        """What is the same for a file or folder of this machine however it is reached, by links too; else its path."""
        return self.path if "://" in self.name else os.path.realpath(self.path)

    def within(self, folder: Place) -> bool:
        """Whether this place is in a folder, or is that folder."""
        return f"{self.identity.rstrip('/')}/".startswith(f"{folder.identity.rstrip('/')}/")

    def state(self) -> list[Any]:
        """Name, bytes and time of change: what tells that a file is still the same."""
        found = self.system.get_file_info(self.path)
        return [self.uri, found.size, found.mtime_ns]

    def inside(self) -> list[Place]:
        """The files in this folder and the folders below, by name, without those that begin with ``_`` or ``.``.

        Raises:
            InvalidField: a name is no UTF-8.
        """
        from pyarrow.fs import FileSelector

        base = self.path.rstrip("/") + "/"
        found = self.system.get_file_info(FileSelector(self.path, recursive=True, allow_not_found=True))
        try:
            inner = sorted(item.path.removeprefix(base) for item in found if item.is_file)
        except UnicodeDecodeError as error:
            raise InvalidField(f"{self.name}: holds a file whose name is no UTF-8: rename it: {error}") from None
        return [self / path for path in inner if not any(part[0] in "_." for part in path.split("/"))]

    def names(self) -> list[str]:
        """What is right in this folder, by name; nothing if there is no such folder."""
        from pyarrow.fs import FileSelector

        return sorted(
            item.base_name for item in self.system.get_file_info(FileSelector(self.path, allow_not_found=True))
        )

    def make(self) -> None:
        """Nothing; the folder is there."""
        self.system.create_dir(self.path, recursive=True)

    def remove(self) -> None:
        """Nothing; the file is gone."""
        self.system.delete_file(self.path)

    def read(self) -> bytes:
        """The file's bytes."""
        with self.system.open_input_stream(self.path) as stream:
            found: bytes = stream.read()
            return found

    @contextmanager
    def written(self) -> Iterator[Any]:
        """A stream whose bytes are this file once the block ends well; before, and if it does not, there is none."""
        folder, _, name = self.path.rpartition("/")
        draft = f"{folder}/.{name}.{uuid4().hex}"
        try:
            with self.system.open_output_stream(draft) as stream:
                yield stream
        except Exception:
            with suppress(OSError):  # it is told what went wrong first
                self.system.delete_file(draft)
            raise
        self.system.move(draft, self.path)

    def write(self, value: Any) -> None:
        """Nothing; the file holds the value as JSON."""
        with self.written() as stream:
            stream.write(json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")
