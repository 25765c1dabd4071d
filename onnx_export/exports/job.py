"""What `simgate export` is asked for: the bundles that a TOML file describes, lists multiplied out."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

from onnx_export.errors import BadConfig
from onnx_export.exports.form import BITS, OPSET, OPSETS, PRECISIONS, TARGETS, Form
from plugin_server.bundle import DEFAULT as PACKAGED
from plugin_server.bundle import MANIFEST

#: The keys that may be lists, in the order in which their values end a name, with their defaults.
LISTED = {"precision": "shipped", "target": "cpu", "opset": OPSET, "token_bits": 0}
KEYS = ("name", "source", *LISTED)


@dataclass(frozen=True, slots=True)
class Job:
    """One bundle to be made.

    Attributes:
        name: of the bundle and of its folder.
        model: the name of the ``[[model]]`` that it stands in.
        source: a checkpoint, or the folder of a bundle.
        form: in what form.
    """

    name: str
    model: str
    source: Path
    form: Form


def read_jobs(path: Path) -> list[Job]:
    """The bundles that a TOML file describes, in its order.

    Where an entry gives lists, each combination is a bundle, whose name ends with the values of those lists.

    Raises:
        BadConfig: the file is missing, is not TOML, has an unknown key or value, asks for what makes no sense, names a
            source that is not there, or the same bundle twice.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig(f"{path}: {error}") from error
    models = table.pop("model", None)
    if table:
        raise BadConfig(f"{path}: {_unknown(next(iter(table)), ['model'])}; each model is a section [[model]]")
    if not isinstance(models, list) or not models or not all(isinstance(item, dict) for item in models):
        raise BadConfig(f"{path}: no model: write a section [[model]] with name and source for each")
    jobs = [job for number, item in enumerate(models, 1) for job in _jobs(f"{path}: [[model]] {number}", item)]
    names = [job.name.casefold() for job in jobs]  # a file system may take no notice of case
    twice = next((job.name for job, name in zip(jobs, names, strict=True) if names.count(name) > 1), "")
    if twice:
        raise BadConfig(f"{path}: name: {twice!r} stands for two bundles: give each [[model]] a name of its own")
    return jobs


def chosen(jobs: Sequence[Job], only: Sequence[str]) -> list[Job]:
    """The bundles of these names, and those of models of these names; all without names.

    Raises:
        BadConfig: there is none of a name.
    """
    known = {name: None for job in jobs for name in (job.model, job.name)}
    for name in only:
        if name not in known:
            raise BadConfig(f"--only: {_unknown(name, list(known))}")
    return [job for job in jobs if not only or job.name in only or job.model in only]


def _jobs(place: str, table: dict[str, Any]) -> list[Job]:
    """The bundles of one ``[[model]]``."""
    for key in table:
        if key not in KEYS:
            raise BadConfig(f"{place}: {_unknown(key, KEYS)}")
    name, source = (_text(place, table, key) for key in ("name", "source"))
    if name != Path(name).name or name.startswith("."):
        raise BadConfig(f"{place}: name: {name!r} is no name of a folder: take out slashes, and dots at its start")
    given = {key: table.get(key, default) for key, default in LISTED.items()}
    values = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
    for key, listed in values.items():
        _check(f"{place}: {key}", key, listed)
    found = _source(f"{place}: source", source)
    jobs = []
    for combination in product(*values.values()):
        form = Form(*combination)
        if fault := form.fault():
            raise BadConfig(f"{place}: precision {form.precision} for target {form.target}: {fault}")
        jobs.append(Job("-".join([name, *_endings(given, combination)]), name, found, form))
    return jobs


def _endings(given: dict[str, Any], combination: Sequence[Any]) -> list[str]:
    """What ends the name of a combination: the values that come from lists."""
    words = {"opset": "opset{}", "token_bits": "{}bits"}
    listed = [(key, value) for key, value in zip(given, combination, strict=True) if isinstance(given[key], list)]
    return [words.get(key, "{}").format(value) for key, value in listed]


def _check(place: str, key: str, values: list[Any]) -> None:
    """Nothing, if each value is one that the key may have, and none stands there twice."""
    known: Sequence[Any] = {
        "precision": PRECISIONS,
        "target": TARGETS,
        "opset": range(OPSETS[0], OPSETS[1] + 1),
        "token_bits": (0, *BITS),
    }[key]
    if not values:
        raise BadConfig(f"{place}: the list is empty: name {_either(known)}, or leave the key out")
    for value in values:
        if type(value) is not type(known[0]) or value not in known:
            raise BadConfig(f"{place}: {_unknown(value, known) if isinstance(value, str) else _other(value, known)}")
    if len(set(values)) < len(values):
        raise BadConfig(f"{place}: a value stands twice in the list: {values}")


def _text(place: str, table: dict[str, Any], key: str) -> str:
    """A key's text."""
    value = table.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadConfig(f"{place}: {key} is {'missing' if value is None else repr(value)[:60]}: give a text")
    return value


def _source(place: str, given: str) -> Path:
    """The file or folder of a source."""
    path = PACKAGED if given == "default" else Path(given).expanduser()
    if path.is_file() or (path / MANIFEST).is_file():
        return path
    there = f"holds no {MANIFEST}" if path.is_dir() else "is not there"
    raise BadConfig(f"{place}: {given} {there}: give a checkpoint, the folder of a bundle, or default")


def _unknown(value: str, known: Sequence[Any]) -> str:
    """That a word is not known, what it may have meant, and what there is."""
    near = get_close_matches(value, [str(item) for item in known], 1)
    return f"unknown {value!r}{f', did you mean {near[0]}?' if near else ''}; known: {', '.join(map(str, known))}"


def _other(value: Any, known: Sequence[Any]) -> str:
    return f"{value!r:.40} is not {_either(known)}"


def _either(known: Sequence[Any]) -> str:
    """The values as a choice.

    Example:
        >>> _either(("cpu", "cuda")), _either(range(14, 21))
        ('cpu or cuda', 'a whole number from 14 to 20')
    """
    if isinstance(known, range):
        return f"a whole number from {known[0]} to {known[-1]}"
    return " or ".join(str(item) for item in known if item)
