"""Which systems are compared, on which rows, how often, and how long each is trained: one TOML file."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from onnx_export.config import Config, numbers_of, section_of
from onnx_export.errors import BadConfig
from onnx_export.generators.written import WRITTEN
from onnx_export.sources import own_pairs

#: Kinds that nothing is trained for: the base model's cosine, BM25, both, and a bundle as it is served.
GIVEN = ("cosine", "bm25", "hybrid", "bundle")
#: Keys of a ``[[system]]``.
KEYS = {"name", "kind", "about", "seeds", "encoder", "shape", "training", "mixture", "bundle"}


@dataclass(frozen=True, slots=True)
class Measuring:
    """How much is measured.

    Attributes:
        rows: of a report set, at most, evenly drawn.
        heldout: held-out rows of a source, at most: thresholds are fitted on them.
        queries: of a collection, and of a source of held-out passages.
        depth: hits of the dense search that are reranked.
    """

    rows: int = 1000
    heldout: int = 150
    queries: int = 100
    depth: int = 50


@dataclass(frozen=True, slots=True)
class System:
    """One line of the comparison.

    Attributes:
        name: unique, also the name of its folder.
        kind: one of `GIVEN`, or a kind of ``[verifier]`` that is trained.
        about: what it shows, for the page.
        config: of a training run, but for its seed.
        seeds: of weights and of the order of rows, the grid's or its own; one for what is not trained. The rows are
            the same for all.
        bundle: folder of a bundle; empty for the one in the package.
    """

    name: str
    kind: str
    about: str
    config: Config
    seeds: tuple[int, ...]
    bundle: str = ""

    @property
    def trained(self) -> bool:
        """Whether there is something to train."""
        return self.kind not in GIVEN


@dataclass(frozen=True, slots=True)
class Grid:
    """A comparison.

    Attributes:
        name: of the file, without its suffix.
        rows: training rows of a source, at most, whole groups of them; 0 for all.
        base: what every system's configuration starts from.
        squares: the first so many of the hand-written ones, which a page keeps when more are written; 0 for all.
    """

    name: str
    systems: tuple[System, ...]
    rows: int
    base: Config
    measuring: Measuring = field(default_factory=Measuring)
    squares: int = 0

    @classmethod
    def read(cls, path: Path) -> Grid:
        """The comparison that a TOML file describes.

        Raises:
            BadConfig: the file is missing, is not TOML, names what does not exist, or gives a value of another type.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadConfig(f"{path}: {error}") from error
        own: dict[str, Any] = {
            name: table.pop(name) for name in ("seeds", "rows", "squares", "measuring", "system") if name in table
        }
        base = Config.parse(table, path)
        seeds = _seeds(str(path), own, (base.training.seed,))
        rows, squares = (_count(path, name, own) for name in ("rows", "squares"))
        given = own.get("system", [])
        if not isinstance(given, list) or not given:
            raise BadConfig(f"{path}: no [[system]]: give at least one, with a name and a kind")
        systems = tuple(_system(path, number, item, base, seeds) for number, item in enumerate(given, 1))
        names = [system.name for system in systems]
        for name in names:
            if names.count(name) > 1:
                raise BadConfig(f"{path}: two systems are named {name!r}: a name is also a folder")
        measuring = section_of(Measuring, path, "measuring", own)
        return cls(path.stem, systems, rows, base, measuring, squares)

    def cells(self) -> Iterator[tuple[System, int]]:
        """Every system with its seeds, a seed after the other."""
        for seed in dict.fromkeys(seed for system in self.systems for seed in system.seeds):
            for system in self.systems:
                if seed in system.seeds:
                    yield seeded(system, seed), seed

    def decides_rows(self) -> dict[str, Any]:
        """Everything that decides the rows but code and data sets, as plain values."""
        lines = WRITTEN.read_bytes().splitlines(keepends=True)
        written = hashlib.sha256(b"".join(lines[: self.squares or None])).hexdigest()
        own = {
            name: hashlib.sha256(repr(own_pairs(name, item)).encode()).hexdigest()
            for name, item in self.base.own.items()
        }
        return {
            **({"own": own} if own else {}),
            "rows": self.rows,
            "mixture": self.base.mixture,
            "generated": self.base.generated,
            "written": written if "written" in self.base.mixture else "",
        }


def seeded(system: System, seed: int) -> System:
    """The system with another seed."""
    config = system.config
    return replace(system, config=replace(config, training=replace(config.training, seed=seed)))


def _count(path: Path, name: str, item: dict[str, Any]) -> int:
    """The number of that name, 0 where it is not given."""
    count = item.get(name, 0)
    if type(count) is not int or count < 0:
        raise BadConfig(f"{path}: {name}: {count!r} is no whole number of at least 0")
    return count


def _seeds(where: str, item: dict[str, Any], usual: tuple[int, ...]) -> tuple[int, ...]:
    """The ``seeds`` of a table."""
    seeds = item.get("seeds", [*usual])
    if not isinstance(seeds, list) or not seeds or not all(type(seed) is int for seed in seeds):
        raise BadConfig(f"{where}: seeds: {seeds!r} is no list of whole numbers with at least one")
    return tuple(seeds)


def _system(path: Path, number: int, item: dict[str, Any], base: Config, seeds: tuple[int, ...]) -> System:
    """One ``[[system]]`` over the grid's own sections."""
    where = f"[[system]] {number}"
    if unknown := set(item) - KEYS:
        raise BadConfig(f"{path}: unknown field {sorted(unknown)[0]!r} in {where}; known: {sorted(KEYS)}")
    for key in ("name", "kind"):
        if not isinstance(item.get(key), str) or not item[key]:
            raise BadConfig(f"{path}: {where}: {key} is missing or no text")
    name = item["name"]
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise BadConfig(f"{path}: {where}: name {name!r}: letters, digits and hyphens alone: it is also a folder")
    sections = {"encoder": asdict(base.encoder), "training": asdict(base.training)}
    for key, whole in sections.items():
        whole |= item.get(key, {}) if isinstance(item.get(key, {}), dict) else {key: item[key]}
    table = {
        **sections,
        "verifier": {"kind": item["kind"], "shape": item.get("shape", {})},
        "mixture": numbers_of(float, path, "mixture", item) or base.mixture,
        "generated": base.generated,
    }
    config, own = Config.parse(table, path), _seeds(f"{path}: {where}", item, seeds)
    own = own[:1] if item["kind"] in GIVEN else own
    return System(name, item["kind"], item.get("about", ""), config, own, item.get("bundle", ""))
