"""The packages that serving needs: what simgate requires without its extras, and what those require in turn."""

from __future__ import annotations

from importlib.metadata import Distribution, distribution, distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "simgate"


def serving() -> dict[str, str]:
    """The installed version of each package that serving needs, by its canonical name.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(ROOT)]
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in seen:
            continue
        seen.add(key)
        package = distribution(requirement.name)
        found[key[0]] = package.version
        waiting += _required(package, requirement.extras)
    del found[ROOT]
    return dict(sorted(found.items()))


def others() -> dict[str, str]:
    """The same for all other packages that are installed: for training, for tests, and the tools themselves."""
    needed = {*serving(), ROOT}
    every = {canonicalize_name(item.metadata["Name"]): item.version for item in distributions()}
    return {name: version for name, version in sorted(every.items()) if name not in needed}


def _required(package: Distribution, extras: set[str]) -> list[Requirement]:
    """What a package requires here, with these of its extras."""
    given = [Requirement(text) for text in package.requires or []]
    chosen = [{"extra": extra} for extra in ("", *extras)]
    return [item for item in given if not item.marker or any(item.marker.evaluate(extra) for extra in chosen)]
