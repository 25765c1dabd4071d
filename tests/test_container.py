"""The container image: its Dockerfile's steps carried out in real trees, and the server that runs there."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from container.building import Build, Image, ignored
from container.dockerfile import expanded, instructions, read
from container.jail import Jail
from container.tree import files, size, sources
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from served import LISTENING

from plugin_server.bundle import DEFAULT, FILES, MANIFEST

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
MEGABYTE = 1_000_000
#: Of the whole tree, see OPERATION.md.
LARGEST = 450 * MEGABYTE
USER = 10001
EPOCH = "1767225600"
ARGUMENTS = {"VERSION": "9.8.7", "REVISION": "abc", "CREATED": "2026-01-01T00:00:00Z", "SOURCE_DATE_EPOCH": EPOCH}
TOOLS = ("debootstrap", "unshare", "nsenter", "setpriv")


def missing() -> str:
    """What the trees need and this machine has not; empty if it has all."""
    tools = [name for name in TOOLS if not shutil.which(name)]
    if tools:
        return f"needs {', '.join(tools)}"
    if os.geteuid():
        return "needs root"
    made = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--net", "true"], capture_output=True, text=True)
    return "" if made.returncode == 0 else f"may not make namespaces: {made.stderr.strip()}"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for trees, if there can be any."""
    reason = missing()
    if reason and os.environ.get("SIMGATE_CONTAINER") != "required":
        pytest.skip(reason)
    assert not reason
    folder = tmp_path_factory.mktemp("trees")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image(trees: Path) -> Image:
    """The image that the Dockerfile makes."""
    return Build(ROOT, trees / "first", ARGUMENTS).image()


@pytest.fixture(scope="module")
def opt(image: Image) -> Path:
    return image.tree / "opt" / "simgate"


@dataclass
class Container:
    """The image's server, running as an engine runs it.

    Attributes:
        process: holds the namespaces; its end is the server's.
        lines: of the server's standard error.
    """

    process: subprocess.Popen[str]
    lines: list[str]

    @property
    def server(self) -> int:
        """The number of the server's process, on this machine."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def inside(self, *command: str, user: int = USER) -> subprocess.CompletedProcess[str]:
        """What a command says that is run in the container, as an engine's `exec` does."""
        rights = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", "--"]
        entered = ["nsenter", "--target", str(self.server), "--mount", "--pid", "--net", "--root", "--wd"]
        environment = dict(
            item.split("=", 1) for item in Path(f"/proc/{self.server}/environ").read_text().split("\0") if item
        )
        words = [*entered, "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        return subprocess.run([*words, *rights, *command], capture_output=True, text=True)

    def beside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """What a command of this machine says that sees the container's network, and nothing else of it."""
        entered = ["nsenter", "--target", str(self.server), "--net"]
        return subprocess.run([*entered, *command], capture_output=True, text=True)


@pytest.fixture(scope="module")
def container(image: Image) -> Iterator[Container]:
    """The server, started by the image's own command; told to stop at the end."""
    assert image.user == f"{USER}:{USER}"
    environment = {**image.environment, "SIMGATE_INSECURE": "true"}
    jail = Jail(str(image.tree), environment, image.folder, USER, read_only=True, network=False)
    command = jail.call([*image.entrypoint, *image.command])
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        listening = threading.Event()

        def follow() -> None:
            assert process.stderr
            for line in process.stderr:
                lines.append(line)
                if LISTENING.search(line):
                    listening.set()
            listening.set()

        reader = threading.Thread(target=follow)
        reader.start()
        try:
            assert listening.wait(120) and LISTENING.search("".join(lines)), "".join(lines)
            made = Container(process, lines)
            yield made
            if process.poll() is None:
                os.kill(made.server, signal.SIGKILL)
        finally:
            process.kill()
            reader.join()


def test_the_image_is_what_was_asked_for(image: Image) -> None:
    assert image.entrypoint == ("simgate",)
    assert image.command == ("serve", "--address", "0.0.0.0:50051", "--http", "0.0.0.0:8080")
    assert (image.ports, image.stop_signal, image.folder) == (("50051", "8080"), "SIGTERM", "/")
    assert image.environment["SIMGATE_BUNDLE"] == "/opt/simgate/bundle"
    assert image.environment["PATH"].startswith("/opt/simgate/venv/bin:/usr/local/sbin:")
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in image.labels.items()}
    assert labels.items() >= {"title": "simgate", "version": "9.8.7", "revision": "abc"}.items()
    assert labels.items() >= {"created": "2026-01-01T00:00:00Z", "licenses": "Apache-2.0"}.items()


def test_the_bundle_is_there_once(image: Image, opt: Path) -> None:
    for name in (*FILES, MANIFEST):
        assert (opt / "bundle" / name).read_bytes() == (DEFAULT / name).read_bytes()
    found = [path for path in (image.tree / "opt").rglob("*.onnx") if path.stat().st_size > MEGABYTE]
    assert {path.parent for path in found} == {opt / "bundle"}


UNWANTED = [
    "pip",
    "setuptools",
    "wheel",
    "torch",
    "transformers",
    "onnx",
    "onnx_export",
    "pytest",
    "tests",
    "ensurepip",
]
COMMANDS = ["gcc", "cc", "c++", "make", "ld", "pip", "pip3", "git", "curl", "wget"]


def test_nothing_is_there_that_does_not_serve(image: Image, opt: Path) -> None:
    (packages,) = (opt / "venv" / "lib").glob("python3*/site-packages")
    assert (packages / "plugin_server").is_dir() and (packages / "onnxruntime").is_dir()
    assert not [name for name in UNWANTED if (packages / name).exists()]
    assert not [path for path in (image.tree / "usr" / "lib").glob("python3*/*") if path.name in UNWANTED]
    assert not [path for path in opt.rglob("tests") if path.is_dir()]
    found = {path.name for folder in ("usr/bin", "usr/local/bin") for path in (image.tree / folder).iterdir()}
    assert not found & {*COMMANDS}
    assert {path.name.rstrip("0123456789.") for path in (opt / "venv" / "bin").iterdir()} == {"python", "simgate"}
    caches = [path for name in ("var/lib/apt/lists", "var/cache/apt", "root", "tmp") for path in
              (image.tree / name).rglob("*") if path.is_file() and not path.name.startswith(".")]  # fmt: skip
    assert not caches
    assert not (image.tree / "etc" / "resolv.conf").read_bytes(), "nothing of this machine is left"


def test_nobody_gains_rights_and_everybody_can_read(image: Image, opt: Path) -> None:
    paths = [path for path in image.tree.rglob("*") if not path.is_symlink()]
    assert len(paths) > 5000
    assert not [path for path in paths if path.is_file() and path.stat().st_mode & 0o6000]
    ours = [path for path in paths if path.is_relative_to(opt)]
    assert not [path for path in ours if path.stat().st_uid or path.stat().st_gid or path.stat().st_mode & 0o022]
    assert not [path for path in ours if path.stat().st_mode & 0o444 != 0o444]


def test_every_module_is_compiled_and_not_compared(opt: Path) -> None:
    (packages,) = (opt / "venv" / "lib").glob("python3*/site-packages")
    modules = set(packages.rglob("*.py"))
    compiled = list(packages.rglob("__pycache__/*.pyc"))
    assert len(modules) > 1000
    assert {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in compiled} == modules
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\1\0\0\0"}, "by hash, and not checked"


def test_size(image: Image, opt: Path) -> None:
    (packages,) = (opt / "venv" / "lib").glob("python3*/site-packages")
    parts = {
        "whole": size(image.tree),
        "bundle": size(opt / "bundle"),
        "onnxruntime": size(packages / "onnxruntime"),
        "numpy": size(packages / "numpy", packages / "numpy.libs"),
        "environment": size(opt / "venv"),
    }
    print({name: round(value / MEGABYTE, 1) for name, value in parts.items()})
    assert parts["whole"] <= LARGEST, parts
    assert parts["bundle"] + parts["environment"] < parts["whole"]


def test_two_builds_give_the_same_files(trees: Path, opt: Path) -> None:
    again = Build(ROOT, trees / "second", ARGUMENTS).image("build").tree / "opt" / "simgate"
    for part in ("bundle", "venv"):  # the layers
        first, second = files(opt / part), files(again / part)
        assert {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)} == set()
        assert {told.split()[2] for told in first.values()} == {f"{EPOCH}000000000"}, "nor is there a time of its own"
    assert len(first) > 3000


ASK = """
import json, urllib.request
body = {"query": "a red car", "documents": ["a car that is red", "a blue car"], "top_n": 2}
request = urllib.request.Request("http://127.0.0.1:8080/v2/rerank", json.dumps(body).encode(),
                                 {"content-type": "application/json"})
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""


def test_it_answers_from_outside_by_grpc_and_http(container: Container) -> None:
    asked = [sys.executable, "-m", "plugin_server", "ping", "127.0.0.1:50051", "--http", "http://127.0.0.1:8080"]
    done = container.beside(*asked)
    assert done.returncode == 0, done.stderr + "".join(container.lines)
    assert "rejected 0.0" in done.stdout and "accepted 0.9" in done.stdout and "readyz: 200 ok" in done.stdout
    results = json.loads(container.beside(sys.executable, "-c", ASK).stdout)["results"]
    assert [item["index"] for item in results] == [0, 1]
    assert results[0]["relevance_score"] >= 0.5 > results[1]["relevance_score"]


def test_it_answers_from_inside(container: Container) -> None:
    done = container.inside("simgate", "ping", "--http", "http://127.0.0.1:8080")
    assert done.returncode == 0, done.stderr
    assert "rejected 0.0" in done.stdout and "accepted 0.9" in done.stdout


def test_the_commands_work_there(container: Container) -> None:
    for command in (["--help"], ["bundle", "check"], ["--version"]):
        done = container.inside("simgate", *command)
        assert done.returncode == 0, done.stderr
    helped = container.inside("simgate", "--help").stdout
    assert "serve" in helped and "bundle" in helped and "train" not in helped


def test_a_bundle_is_fetched_as_an_init_container_does(container: Container) -> None:
    archive, place = "/tmp/b.tar.gz", "/tmp/bundles/b"
    assert container.inside("tar", "-czf", archive, "-C", "/opt/simgate/bundle", ".").returncode == 0
    sha256 = container.inside("sha256sum", archive).stdout.split()[0]
    done = container.inside("simgate", "bundle", "fetch", archive, "--sha256", sha256, "--output", place)
    assert (done.returncode, done.stdout.endswith(", fetched\n")) == (0, True), done.stderr
    assert container.inside("simgate", "bundle", "check", place).returncode == 0


def test_it_keeps_nothing_but_what_it_was_told(container: Container) -> None:
    """Such as onnxruntime's record of its use; and it asks nobody on the network for anything."""
    found = container.inside(
        "find", "/tmp", "/run", "/dev/shm", "-type", "f", "-not", "-path", "/tmp/b*"
    ).stdout.split()
    assert [name for name in found if name != "/tmp/x"] == []
    assert "elemetry" not in "".join(container.lines)


FORBIDDEN = [
    ("/opt/simgate/bundle/x", "the bundle"),
    ("/opt/simgate/venv/x", "the environment"),
    ("/etc/x", "the system"),
    ("/x", "the root"),
    ("/var/tmp/x", "the other folder for temporary files"),
]


@pytest.mark.parametrize("user", [USER, 0])
@pytest.mark.parametrize(("path", "remark"), FORBIDDEN, ids=[row[1] for row in FORBIDDEN])
def test_nothing_can_be_written_but_tmp(container: Container, path: str, remark: str, user: int) -> None:
    done = container.inside("touch", path, user=user)
    assert done.returncode == 1 and "Read-only file system" in done.stderr, remark
    assert container.inside("touch", "/tmp/x", user=user).returncode == 0


def test_it_runs_without_rights(container: Container) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{container.server}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == status["Gid"].split() == [str(USER)] * 4
    assert {status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["NSpid"].split()[-1]) == ("1", "1")
    maps = Path(f"/proc/{container.server}/maps").read_text()
    assert "/opt/simgate/venv/" in maps and str(Path(sys.prefix)) not in maps.replace("/opt/simgate/venv", "")


def test_sigterm_ends_it_in_order(container: Container) -> None:
    """The last test of the running container."""
    os.kill(container.server, signal.SIGTERM)
    assert container.process.wait(60) == 0, "".join(container.lines)
    assert "stopping" in "".join(container.lines)


def test_the_lock_holds_what_is_installed(opt: Path) -> None:
    (packages,) = (opt / "venv" / "lib").glob("python3*/site-packages")
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.M))
    installed = {tuple(path.name.removesuffix(".dist-info").rsplit("-", 1)) for path in packages.glob("*.dist-info")}
    names = {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in installed}
    ours = {item for item in names if item[0] == "simgate"}
    assert len(ours) == 1 and len(names) > 50
    assert names - ours <= pinned
    assert "://" not in lock, "it names no index"


def test_the_lock_satisfies_the_project() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.M):
        found.setdefault(name, []).append(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["elasticsearch"], *extras["tracing"]]:
        requirement = Requirement(text)
        versions = found[canonicalize_name(requirement.name)]
        assert versions and all(requirement.specifier.contains(item, prereleases=True) for item in versions), text
    blocks = re.split(r"^(?=[\w.-]+==)", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


KEPT = [
    ({"simgate", "pip", "f2py", "numpy-config"}, {"simgate"}, "of what serves"),
    ({"simgate", "ray", "rllib", "tune", "jsonschema"}, {"simgate", "ray"}, "KubeRay runs `ray start`"),
]


@pytest.mark.parametrize(("installed", "kept", "remark"), KEPT)
def test_the_commands_that_stay(installed: set[str], kept: set[str], remark: str, tmp_path: Path) -> None:
    (command,) = re.findall(r"find /opt/simgate/venv/bin .*? -delete", DOCKERFILE)
    for name in installed:
        (tmp_path / name).touch()
    subprocess.run(["sh", "-c", command.replace("/opt/simgate/venv/bin", str(tmp_path))], check=True)
    assert {path.name for path in tmp_path.iterdir()} == kept, remark


def test_the_gpu_variant_is_told_the_same_twice() -> None:
    """The base has what onnxruntime-gpu 1.31 loads: CUDA 13 and cuDNN 9."""
    page = (ROOT / "plugin_server" / "OPERATION.md").read_text(encoding="utf-8")
    for text in (DOCKERFILE, page):
        bases = re.findall(r"BASE=(nvidia/\S+)", text)
        extras = {item for item in re.findall(r"EXTRAS=([\w,]+)", text) if "gpu" in item}
        assert (bases, extras) == (["nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04"], {"elasticsearch,tracing,gpu"})


TAGS = [
    ([], f"simgate:{VERSION}", "the version, which the chart asks for"),
    (["IMAGE=registry.example:5000/gate"], f"registry.example:5000/gate:{VERSION}", "another name"),
    (["TAG=9-ray"], "simgate:9-ray", "another tag"),
]


@pytest.mark.parametrize(("given", "name", "remark"), TAGS)
def test_the_image_is_named_by_its_version(given: list[str], name: str, remark: str) -> None:
    if not shutil.which("make"):
        pytest.skip("needs make")
    done = subprocess.run(["make", "--dry-run", "image", *given], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"build -t {name} " in done.stdout and f"--build-arg VERSION={VERSION} " in done.stdout, remark


def test_the_chart_asks_for_the_version_and_the_pages_name_it() -> None:
    assert f"\nappVersion: {VERSION}\n" in (ROOT / "helm" / "Chart.yaml").read_text(encoding="utf-8")
    for page in ("README.md", "helm/GUIDE.md"):
        told = re.findall(r"(?:docker push|docker run) .*?(\S*simgate\S*)$", (ROOT / page).read_text(), re.M)
        assert told and all(item.endswith(f":{VERSION}") for item in told), page


def test_reading_a_dockerfile() -> None:
    text = (
        'ARG A=1\nFROM x:$A AS y\n# no\nRUN a \\\n  # no\n  b $A\nCOPY --from=z a b/\nLABEL c="d e"\nCMD ["f", "$A"]\n'
    )
    (stage,) = read(text, {"A": "2"})
    assert (stage.base, stage.name) == ("x:2", "y")
    run, copy, label, command = stage.instructions
    assert run.rest.split() == ["a", "b", "$A"]
    assert (copy.flags, copy.words({})) == ({"from": "z"}, ["a", "b/"])
    assert (label.words({}), command.words({})) == (["c=d e"], ["f", "$A"])


@pytest.mark.parametrize("text", ["ONBUILD RUN x", "FROM a\nSHELL []", "RUN x", "FROM ${A:-b}"])
def test_what_is_not_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"read here|before the first FROM|are read"):
        read(text, {})


def test_only_what_is_copied_goes_to_the_build() -> None:
    copied = {
        word
        for item in instructions(DOCKERFILE)
        if item.name == "COPY" and "from" not in item.flags
        for word in item.words({})[:-1]
    }
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert {line.removeprefix("!") for line in patterns if line.startswith("!")} == copied
    assert all(list(ROOT.glob(name)) for name in copied)


IGNORED = [
    (".git/config", False, "history"),
    ("tests/conftest.py", False, "not named"),
    ("plugin_server/cli.py", True, "named by its folder"),
    ("plugin_server/__pycache__/cli.cpython-311.pyc", False, "compiled"),
    ("plugin_server/http/__pycache__", False, "compiled, deeper"),
    ("plugin_server/cli.pyc", False, "compiled, the old way"),
    ("requirements-ray.txt", True, "named by a pattern"),
    ("key.pem", False, "whatever lies about"),
]


@pytest.mark.parametrize(("path", "goes", "remark"), IGNORED, ids=[row[2] for row in IGNORED])
def test_what_goes_to_the_build(path: str, goes: bool, remark: str) -> None:
    found = False
    for pattern, back in ignored((ROOT / ".dockerignore").read_text(encoding="utf-8")):
        if pattern.fullmatch(path):
            found = back
    assert found == goes, remark


def test_apts_sources_are_read_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# no\ndeb [arch=amd64] http://a/debian stable main contrib\ndeb-src x y z\n"
    )
    stanza = "Types: deb\nURIs: http://b/debian\nSuites: stable stable-updates\nComponents: main\n"
    (tmp_path / "sources.list.d" / "b.sources").write_text(f"{stanza}\n{stanza.replace('deb', 'deb-src', 1)}")
    found = [("http://a/debian", "stable", "main contrib")]
    assert list(sources(tmp_path)) == found + [
        ("http://b/debian", name, "main") for name in ("stable", "stable-updates")
    ]


def test_the_workdir_variable_and_escapes() -> None:
    assert expanded("${A}/$B", {"A": "x"}) == "x/"
