"""Files and folders in, parts out; and a part's documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from plugin_server.bundle import Manifest
from plugin_server.corpus import Document, Refused
from plugin_server.errors import InvalidField
from plugin_server.offline import lines
from plugin_server.offline.part import Part
from plugin_server.offline.place import Place

PARQUET = ".parquet"
ENDINGS = (*lines.PLAIN, *lines.COMPRESSED, PARQUET)


def files(names: Sequence[str], output: Place | None = None) -> list[Place]:
    """The files that were named, and those in the folders that were, in that order, each once.

    Args:
        output: of what is made of them, which would be among them in the next run if it lay in one.

    Raises:
        InvalidField: the output does; one is not there, or is neither JSON Lines nor Parquet by its name; a folder
            holds none of them.
    """
    found: list[Place] = []
    for place in map(Place.of, names):
        if output and output.within(place):
            raise InvalidField(f"output: {output.name} lies in the input {place.name}: give a folder elsewhere")
        inner = [file for file in place.inside() if file.path.endswith(ENDINGS)] if place.kind == "folder" else [place]
        if place.kind == "nothing":
            raise InvalidField(f"{place.name}: there is no such file or folder")
        if not inner or not all(file.path.endswith(ENDINGS) for file in inner):
            raise InvalidField(f"{place.name}: is, or holds, no file that ends in {', '.join(ENDINGS)}")
        found += inner
    return list({file.identity: file for file in reversed(found)}.values())[::-1]


def parts(places: Sequence[Place], rows: int) -> list[Part]:
    """The parts of all files, numbered from 0.

    Raises:
        InvalidField: a file cannot be read.
    """
    from plugin_server.offline import parquet  # which needs the extra parquet

    found: list[Part] = []
    for place in places:
        own = list(parquet.parts(place, rows) if place.path.endswith(PARQUET) else lines.parts(place, rows))
        found += [replace(part, number=len(found) + part.number) for part in own]
    return found


def documents(part: Part, max_characters: int, manifest: Manifest | None = None) -> Iterator[Document | Refused]:
    """The part's documents, and what is none, each with its number in its file.

    Args:
        manifest: as `parquet.documents` takes it.
    """
    place = Place.of(part.source)
    if part.kind == "rows":
        from plugin_server.offline import parquet

        return parquet.documents(place, part, max_characters, manifest)
    return lines.documents(place, part, max_characters)
