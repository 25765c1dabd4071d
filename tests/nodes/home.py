"""Homes of nodes: the ``lib``, ``modules`` and ``plugins`` of a line, laid out from Maven Central and cached."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import zipfile
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from nodes.errors import MissingTool, NodeError
from nodes.java import find_java
from nodes.line import FOLDER, NAMESPACE, Line

ElementTree.register_namespace("", NAMESPACE.strip("{}"))
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
#: 304 MB that only models on a GPU inside the engine need.
LEFT_OUT = "onnxruntime_gpu"
#: Modules are trusted: what they may do is not what a test is about.
POLICY = "grant {\n  permission java.security.AllPermission;\n};\n"
DESCRIPTOR = """\
name={name}
description={name}
classname={classname}
extended.plugins={extended}
version={version}
{kind}.version={version}
java.version=11
has.native.controller=false
"""


def cache_folder() -> Path:
    """Where homes are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simgate" / "nodes"


def home(line: Line, cache: Path | None = None) -> Path:
    """The home of a line, built if the cache has none made by the same pom and the same code.

    Several processes may ask at once: one builds, the others wait for it.

    Raises:
        MissingTool: Maven or Java is not installed.
        NodeError: Maven failed.
    """
    cache = cache or cache_folder()
    built = cache / f"{line.name}-{shaped_by(line)}"
    if built.exists():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{line.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            work = cache / f"{line.name}.work"  # one that was cut short is begun anew
            shutil.rmtree(work, ignore_errors=True)
            build(line, work)
            (work / "home").rename(built)
            shutil.rmtree(work)
    return built


def shaped_by(line: Line) -> str:
    """A hash of every file that shapes a home."""
    files = [line.pom, Path(__file__), FOLDER / "line.py", *([FOLDER / line.compiled] if line.compiled else [])]
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def build(line: Line, work: Path) -> None:
    """Lays the home out in ``work/home``."""
    sets = work / "sets"
    profiles = fetch(line, sets)
    made = work / "home"
    (made / "bin").mkdir(parents=True)  # empty, but OpenSearch 2 wants to read it
    core = {artifact(jar) for jar in (sets / "lib" / "jars").iterdir()}
    for profile in profiles:
        name, values = profile.findtext(f"{NAMESPACE}id", ""), properties(profile)
        if name == "compiler":
            continue
        extended = values.get("extended.plugins", "")
        above = {artifact(jar) for jar in (sets / "modules" / extended / "jars").glob("*")} | core if extended else core
        fill(made / name, sets / name / "jars", set() if name in ("lib", "agent") else above)
        if classname := values.get("classname"):
            text = DESCRIPTOR.format(
                name=Path(name).name, classname=classname, extended=extended, version=line.version, kind=line.kind
            )
            (made / name / "plugin-descriptor.properties").write_text(text, encoding="utf-8")
            (made / name / "plugin-security.policy").write_text(POLICY, encoding="utf-8")
    if line.compiled:
        compile_java(line, line.compiled, made, next((sets / "compiler" / "jars").glob("ecj-*.jar")))
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask: root runs nodes as another user


def fetch(line: Line, sets: Path) -> list[Element]:
    """The profiles of the line's pom, after Maven has put the jars and zips of each into ``sets/<id>/jars``.

    Maven resolves each profile on its own, as a module of one reactor: one run instead of one per profile.
    """
    root = ElementTree.parse(line.pom).getroot()
    profiles = root.find(f"{NAMESPACE}profiles")
    assert profiles is not None
    root.remove(profiles)
    reactor = deepcopy(root)
    modules = ElementTree.SubElement(reactor, f"{NAMESPACE}modules")
    for profile in profiles:
        name = profile.findtext(f"{NAMESPACE}id", "")
        ElementTree.SubElement(modules, f"{NAMESPACE}module").text = name
        module = deepcopy(root)
        module.extend(profile.findall(f"{NAMESPACE}dependencies"))
        write_pom(module, name.replace("/", "-"), sets / name)
    write_pom(reactor, "reactor", sets)
    maven(sets)
    return list(profiles)


def write_pom(project: Element, name: str, folder: Path) -> None:
    """Writes the project under this name into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    identifier = project.find(f"{NAMESPACE}artifactId")
    assert identifier is not None
    identifier.text = name
    ElementTree.ElementTree(project).write(folder / "pom.xml", encoding="utf-8")


def maven(folder: Path) -> None:
    """Copies what every module of the reactor in the folder depends on into the module's ``jars``."""
    program = shutil.which("mvn")
    if program is None:
        raise MissingTool("Maven is not installed: install the package maven")
    command = [program, "-q", "-B", "-f", str(folder), COPY, "-DincludeScope=runtime", "-DoutputDirectory=jars"]
    checked(command, "Maven could not fetch a node's jars")


def checked(command: list[str], failure: str) -> None:
    """Runs a command; its output is part of the error when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise NodeError(f"{failure}: {' '.join(command)}\n{done.stdout[-4000:]}")


def fill(folder: Path, jars: Path, above: set[str]) -> None:
    """Moves jars and unpacks zips into a folder, without the artifacts above it: an engine refuses a class twice."""
    folder.mkdir(parents=True)
    for file in sorted(jars.iterdir()):
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as packed:
                packed.extractall(folder, [name for name in packed.namelist() if not name.startswith(LEFT_OUT)])
        elif artifact(file) not in above:
            shutil.copy(file, folder)


def artifact(jar: Path) -> str:
    """The name of a jar without its version.

    >>> artifact(Path("log4j-api-2.21.0.jar"))
    'log4j-api'
    """
    return re.split(r"-\d", jar.name)[0]


def properties(profile: Element) -> dict[str, str]:
    """The properties of a profile by their names."""
    found = profile.find(f"{NAMESPACE}properties")
    return {item.tag.removeprefix(NAMESPACE): item.text or "" for item in found} if found is not None else {}


def compile_java(line: Line, file: str, made: Path, compiler: Path) -> None:
    """Compiles one of our classes into ``main``, and names it there as the provider of a service."""
    java = str(find_java(line.javas) / "bin" / "java")
    command = [java, "-jar", str(compiler), "-source", "21", "-target", "21", "-proc:none", "-nowarn"]
    classpath = os.pathsep.join(str(jar) for jar in sorted((made / "lib").glob("*.jar")))
    checked([*command, "-cp", classpath, "-d", str(made / "main"), str(FOLDER / file)], f"{file} could not be compiled")
    if line.provides:
        services = made / "main" / "META-INF" / "services"
        services.mkdir(parents=True)
        (services / line.provides).write_text(Path(file).stem, encoding="utf-8")
