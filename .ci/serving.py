"""The packages that serving needs: what pyproject.toml lists without its extras, and what those require in turn."""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "simgate"
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def serving() -> dict[str, str]:
    """The installed version of each package that serving needs, by its canonical name.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    waiting = _applying(project["dependencies"], set())
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in seen:
            continue
        seen.add(key)
        package = distribution(requirement.name)
        found[key[0]] = package.version
        waiting += _applying(package.requires or [], requirement.extras)
    return dict(sorted(found.items()))


def others() -> dict[str, str]:
    """The same for all other packages that are installed: for training, for tests, and the tools themselves."""
    needed = {*serving(), ROOT}
    every = {canonicalize_name(item.metadata["Name"]): item.version for item in distributions()}
    return {name: version for name, version in sorted(every.items()) if name not in needed}


def _applying(requirements: list[str], extras: set[str]) -> list[Requirement]:
    """Those that hold here, with these extras of the package that has them."""
    given = [Requirement(text) for text in requirements]
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [item for item in given if not item.marker or any(item.marker.evaluate(extra) for extra in chosen)]
