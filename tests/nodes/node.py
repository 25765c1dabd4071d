"""A node that this process started, with a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from nodes.engine import UNREACHED, Engine, Refused
from nodes.errors import NodeError
from nodes.home import home
from nodes.java import find_java, has_module
from nodes.line import LINES, Line

#: Seconds until a node must answer, and until it must have stopped.
START, STOP = 180.0, 60.0
#: Where nodes live: on a disk, and reached by every user.
FOLDERS = Path("/var/tmp")
#: OpenSearch refuses to run as root.
USER = "nobody"
#: Of every JVM.
FLAGS = (
    *("-Xss1m", "-Djava.awt.headless=true", "-Djna.nosys=true", "-Dlog4j2.disable.jmx=true"),
    *("-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true"),
)
#: Of one that is to start soon: the C1 compiler alone halves the time until a node answers.
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
#: Of one that is to search fast.
FAST = ("-XX:+UseG1GC",)
SETTINGS = """\
cluster.name: simgate-tests
node.name: node
network.host: 127.0.0.1
http.port: {port}
transport.port: 0
discovery.type: single-node
path.data: {folder}/data
path.logs: {folder}/logs
cluster.routing.allocation.disk.threshold_enabled: false
"""
LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
#: Ends the node and removes its folder once the other end of its standard input is closed: when this process ends.
WATCH = 'read -r _; kill -KILL "$1"; rm -rf "$2"'


class Node(Engine):
    """One node on a free port of the loopback interface; its folder goes when it is closed, or when this process ends.

    ``with Node.start("opensearch-3.6") as node: ...`` is one for a while.

    Attributes:
        line: what it is a node of.
        folder: its home, configuration, data and log.
        port: where it speaks HTTP, also after a restart.
    """

    def __init__(self, line: Line, folder: Path, port: int) -> None:
        super().__init__(f"http://127.0.0.1:{port}", line.kind, line.version)
        self.line = line
        self.folder = folder
        self.port = port
        self._command: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls, line: str, heap: str = "512m", port: int = 0, cache: Path | None = None, *, fast: bool = False
    ) -> Node:
        """A node of the line that answers.

        Args:
            line: a key of ``LINES``.
            heap: of the JVM.
            port: 0 for a free one.
            cache: of homes; None for the user's.
            fast: whether it is to search as fast as one in production, and to start more slowly.

        Raises:
            MissingTool: Java or Maven is not installed.
            NodeError: it did not start; the message ends with its log.
        """
        node = cls.launch(line, heap, port, cache, fast=fast)
        try:
            return node.wait()
        except BaseException:
            node.close()
            raise

    @classmethod
    def launch(
        cls, line: str, heap: str = "512m", port: int = 0, cache: Path | None = None, *, fast: bool = False
    ) -> Node:
        """A node that is starting: ``wait`` before it is used. The arguments are those of ``start``."""
        found = LINES[line]
        java = find_java(found.javas)
        built = home(found, cache)
        folder = Path(tempfile.mkdtemp(prefix=f"simgate-{line}-", dir=FOLDERS if FOLDERS.is_dir() else None))
        node = cls(found, folder, port or free_port())
        try:
            furnish(folder, built, node.port)
            tuning = (f"-Xms{heap}", f"-Xmx{heap}", *(FAST if fast else QUICK))
            node._command = command(found, reachable(java, folder), folder, tuning)
            return node.restart(wait=False)
        except BaseException:
            node.close()
            raise

    def restart(self, *, wait: bool = True) -> Node:
        """This node, started again on the data and the port it had, once it answers."""
        self.kill()
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests
                **user(),
            )
        self._watch = subprocess.Popen(
            ["sh", "-c", WATCH, "sh", str(self._process.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self.wait() if wait else self

    def wait(self) -> Node:
        """This node, once every primary shard is there: green, or yellow where an index wants replicas."""
        end = time.monotonic() + START
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                raise NodeError(f"{self.line.name} ended before it answered, its log ends with:\n{self.log_tail()}")
            try:
                if self.request("GET", "/_cluster/health", timeout=5)["status"] != "red":
                    return self
            except (*UNREACHED, Refused):
                pass
            time.sleep(0.1)
        raise NodeError(f"{self.line.name} did not answer within {START:.0f} s, its log ends with:\n{self.log_tail()}")

    def stop(self) -> None:
        """Asks the node to end, and returns when it has; its folder stays."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(STOP)
            finally:
                self.kill()

    def kill(self) -> None:
        """Ends the node at once, as a crash does; its folder stays."""
        for process in filter(None, (self._watch, self._process)):  # the watch first: it would remove the folder
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        self._watch = self._process = None

    def close(self) -> None:
        """Ends the node at once and removes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self) -> str:
        """The end of what the node logged."""
        return (self.folder / "node.log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def furnish(folder: Path, built: Path, port: int) -> None:
    """Fills a node's folder: links to the files of the home, which is shared, and what is the node's own."""
    shutil.copytree(built, folder, copy_function=link, dirs_exist_ok=True)
    own = [folder / name for name in ("config", "data", "logs", "tmp")]
    for path in own:
        path.mkdir()
    for name in ("opensearch.yml", "elasticsearch.yml"):
        (own[0] / name).write_text(SETTINGS.format(port=port, folder=folder), encoding="utf-8")
    (own[0] / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    folder.chmod(0o755)  # nobody passes through; what is inside belongs to nobody
    if os.geteuid() == 0:
        for path in (*own, *own[0].iterdir()):
            shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)


def link(source: str, target: str) -> None:
    """A hard link, or a copy where the two are on different disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def user() -> dict[str, Any]:
    """The arguments that make root start a process as another user; none for anybody else."""
    if os.geteuid() != 0:
        return {}
    return {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}


def reachable(java: Path, folder: Path) -> Path:
    """The Java, or a linked copy of it in the node's folder where root would start it for a user it is closed to."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (java, *java.resolve().parents)):
        return java
    return Path(shutil.copytree(java, folder / "java", copy_function=link))


def command(line: Line, java: Path, folder: Path, tuning: tuple[str, ...]) -> list[str]:
    """What starts the JVM."""
    vector = ["--add-modules=jdk.incubator.vector"] if has_module(java, "jdk.incubator.vector") else []
    prefix = "es" if line.kind == "elasticsearch" else "opensearch"
    paths = [
        f"-Djava.io.tmpdir={folder}/tmp",
        f"-XX:ErrorFile={folder}/logs/jvm.log",
        f"-D{prefix}.path.home={folder}",
        f"-D{prefix}.path.conf={folder}/config",
        f"-D{prefix}.distribution.type=tar",
    ]
    flags = [flag.format(home=folder) for flag in line.flags]
    classpath = f"{folder}/lib/*:{folder}/main"
    return [f"{java}/bin/java", *tuning, *FLAGS, *vector, *flags, *paths, "-cp", classpath, line.main]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
