"""Tools that load a server, each as a function from a `Load` to what became of its requests.

``own`` (`benchmarks.caller`), ``ghz`` with its ``--async`` and ``k6`` with its constant arrival rate are open loops:
requests begin at their times, however many are under way. ``hey`` is a closed loop of workers that each wait for their
answer and then for their next turn, all at the same moments: it asks in bursts, and never has more under way than it
has workers. k6 writes every gRPC message anew from JSON, which for 100 blobs costs more than their verification does:
on the server's own cores it is the load itself, so give it a small shape. wrk is left out: it has no rate, and tells no
times of the admitted requests apart.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.json_format import MessageToDict

from benchmarks.caller import OK, Outcome, Task, called
from benchmarks.shapes import Shape
from plugin_server import simgate_v1_pb2

PROTO = Path(simgate_v1_pb2.__file__).with_name("simgate_v1.proto")
#: Where a tool comes from.
SOURCES = {
    "ghz": "go install github.com/bojand/ghz/cmd/ghz@latest",
    "hey": "go install github.com/rakyll/hey@latest",
    "k6": "go install go.k6.io/k6@latest",
}
#: Characters of a failed tool's last words: ghz repeats the request.
TOLD = 200
#: Workers of hey: below capacity, where a burst of many would be shed, and above.
FEW, MANY = 4, 128
#: k6 keeps so many virtual users at most, each with a copy of the request.
USERS = 256


class MissingTool(RuntimeError):
    """A tool that is not on the path."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a tool is to do.

    Attributes:
        address: of the server, for gRPC or for HTTP.
        rate: requests a second.
        heavy: whether that is more than the server can answer.
        timeout: seconds that a request may take.
    """

    address: str
    shape: Shape
    http: bool
    rate: float
    seconds: float
    heavy: bool
    timeout: float

    @property
    def call(self) -> str:
        """The path over HTTP, or gRPC's method with its service."""
        return self.shape.path if self.http else self.shape.method

    @property
    def total(self) -> int:
        """Requests in all."""
        return max(1, round(self.rate * self.seconds))

    def written(self, folder: Path, binary: bool = False) -> str:
        """The file with the request: JSON, or gRPC's own bytes."""
        file, message = folder / "request", self.shape.message
        as_json = (
            self.shape.body
            if self.http
            else json.dumps(MessageToDict(message, preserving_proto_field_name=True)).encode()
        )
        file.write_bytes(message.SerializeToString() if binary and not self.http else as_json)
        return str(file)


def own(load: Load, folder: Path) -> Outcome:
    """By this project's own callers."""
    file = load.written(folder, binary=True)
    task = Task(load.address, load.call, [file], load.http, rate=load.rate, seconds=load.seconds, timeout=load.timeout)
    return called(task)


def ghz(load: Load, folder: Path) -> Outcome:
    """By ghz, whose rate is a whole number, and whose reader of proto files knows no optional fields."""
    (folder / "protoset").write_bytes(protoset())
    command = [found("ghz"), "--insecure", "--protoset", str(folder / "protoset"), "--call", load.call.strip("/")]
    command += [
        "--format",
        "json",
        "--async",
        "--rps",
        str(max(1, round(load.rate))),
        "--total",
        str(load.total),
        "--concurrency",
        "4",
    ]
    command += ["--data-file", load.written(folder), "--timeout", f"{load.timeout:g}s", load.address]
    told = json.loads(_run(command))
    details = told["details"]
    codes = Counter(_upper(row["status"]) for row in details)
    times = [row["latency"] / 1e9 for row in details if row["status"] == "OK"]
    return Outcome(times, dict(codes), len(details), load.total - len(details), told["total"] / 1e9)


def hey(load: Load, folder: Path) -> Outcome:
    """By hey; requests without an answer are those that its list lacks."""
    workers = min(load.total, MANY if load.heavy else FEW)
    command = [found("hey"), "-n", str(load.total), "-c", str(workers), "-q", str(load.rate / workers), "-o", "csv"]
    command += ["-m", "POST", "-T", "application/json", "-D", load.written(folder), "-t", f"{load.timeout:.0f}"]
    rows = [*csv.DictReader(_run([*command, f"http://{load.address}{load.call}"]).splitlines())]
    codes = Counter(row["status-code"] for row in rows)
    sent = load.total // workers * workers
    codes["no answer"] += sent - len(rows)
    times = [float(row["response-time"]) for row in rows if row["status-code"] in OK]
    ends = (float(row["offset"]) + float(row["response-time"]) for row in rows)
    return Outcome(times, dict(+codes), sent, 0, max(ends, default=load.seconds))


def k6(load: Load, folder: Path) -> Outcome:
    """By k6; missed are the requests for which it had no virtual user."""
    workers = min(USERS, max(8, round(2 * load.rate * load.timeout)))
    task = {name: value for name, value in asdict(load).items() if name != "shape"}
    task |= {"call": load.call if load.http else load.call.strip("/"), "body": load.written(folder)}
    task |= {"protos": str(PROTO.parent), "proto": PROTO.name, "workers": workers}
    (folder / "task.json").write_text(json.dumps(task))
    points, summary = folder / "points.json", folder / "summary.json"
    command = [found("k6"), "run", "--quiet", "--no-usage-report", "--out", f"json={points}"]
    command += ["--summary-export", str(summary), "--env", f"TASK={folder / 'task.json'}"]
    _run([*command, str(Path(__file__).with_name("load.js"))])
    rows = [json.loads(line) for line in points.read_text().splitlines()]
    answers = [row["data"] for row in rows if row["type"] == "Point" and row["metric"] == "answer"]
    names = [_upper(row["tags"]["code"]) for row in answers]
    ends = [datetime.fromisoformat(row["time"]).timestamp() for row in answers]
    starts = [end - row["value"] / 1000 for end, row in zip(ends, answers, strict=True)]
    times = [row["value"] / 1000 for row, name in zip(answers, names, strict=True) if name in OK]
    missed = json.loads(summary.read_text())["metrics"].get("dropped_iterations", {}).get("count", 0)
    return Outcome(times, dict(Counter(names)), len(answers), missed, max(ends) - min(starts))


#: Tools, and whether they speak gRPC and HTTP.
TOOLS: dict[str, tuple[Callable[[Load, Path], Outcome], bool, bool]] = {
    "own": (own, True, True),
    "ghz": (ghz, True, False),
    "hey": (hey, False, True),
    "k6": (k6, True, True),
}


def found(tool: str) -> str:
    """Where a tool is.

    Raises:
        MissingTool: it is not on the path.
    """
    path = shutil.which(tool)
    if path is None:
        raise MissingTool(f"{tool}: is not on the path: {SOURCES[tool]}")
    return path


def protoset() -> bytes:
    """The service's description, compiled."""
    file = FileDescriptorProto()
    simgate_v1_pb2.DESCRIPTOR.CopyToProto(file)
    return FileDescriptorSet(file=[file]).SerializeToString()


def _run(command: list[str]) -> str:
    """What was printed.

    Raises:
        RuntimeError: the tool failed; the message is the end of what it told.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["it printed nothing"]
        raise RuntimeError(f"{Path(command[0]).name} failed: {told[-1][-TOLD:]}")
    return done.stdout


def _upper(name: str) -> str:
    """The name that gRPC's own documents use.

    Example:
        >>> _upper("ResourceExhausted"), _upper("OK")
        ('RESOURCE_EXHAUSTED', 'OK')
    """
    return name if name.isupper() else re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
