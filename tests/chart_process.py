"""A container of the chart as a process of this machine, and the kubelet's questions to it."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError

import grpc
from chart import Object, environment, seen
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).parent.parent
BUNDLE = ROOT / "plugin_server" / "default_bundle"


def free_ports() -> tuple[int, int]:
    """Two ports that nothing listens on."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


class Machine:
    """Folders in place of a Pod's volumes.

    Args:
        folder: where they are made.
        contents: of Secrets and ConfigMaps, files by name, by the name of the object.
    """

    def __init__(self, folder: Path, contents: Mapping[str, Mapping[str, bytes]]) -> None:
        self.folder, self.contents = folder, contents

    def mount(self, pod: Object) -> None:
        """Nothing; the volumes of a Pod are there."""
        for volume in pod["volumes"]:
            place = self.folder / volume["name"]
            place.mkdir(exist_ok=True)
            source = volume.get("secret", {}).get("secretName") or volume.get("configMap", {}).get("name")
            if source:
                wanted = [item["key"] for item in volume.get("secret", {}).get("items", [])]
                self._project(
                    place, {name: text for name, text in self.contents[source].items() if not wanted or name in wanted}
                )

    def _project(self, place: Path, files: Mapping[str, bytes]) -> None:
        """Nothing; files behind two links, as the kubelet projects Secrets and ConfigMaps."""
        data = place / "..2026_01_01"
        data.mkdir()
        (place / "..data").symlink_to(data.name)
        for name, text in files.items():
            (data / name).write_bytes(text)
            (place / name).symlink_to(f"..data/{name}")

    def here(self, text: str, container: Object) -> str:
        """A path in the container as one of this machine; other texts as they are."""
        mounts = {mount["mountPath"]: str(self.folder / mount["name"]) for mount in container["volumeMounts"]}
        mounts["/opt/simgate/bundle"] = str(BUNDLE)
        for inside, outside in mounts.items():
            if text == inside or text.startswith(f"{inside}/"):
                return outside + text[len(inside) :]
        return text

    def command(self, container: Object) -> list[str]:
        """What the container runs; the image's entry point is simgate."""
        return [sys.executable, "-m", "plugin_server", *(self.here(item, container) for item in container["args"])]

    def environment(self, objects: list[Object], container: Object) -> dict[str, str]:
        """The container's environment and no other, but for what finds this checkout."""
        made = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        for name, value in environment(objects, container).items():
            made[name] = self.here(self._referred(value, container), container)
        return made

    def _referred(self, value: str, container: Object) -> str:
        if not value.startswith("{"):
            return value
        source = json.loads(value)
        if "resourceFieldRef" in source:  # whole cores, rounded up
            return str(math.ceil(_cores(container["resources"]["limits"]["cpu"])))
        key = source["secretKeyRef"]
        return self.contents[key["name"]][key["key"]].decode()

    def run(self, objects: list[Object], container: Object) -> subprocess.CompletedProcess[str]:
        """A container that ends by itself, such as one of the start."""
        return subprocess.run(
            self.command(container),
            env=self.environment(objects, container),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )

    def start(self, objects: list[Object], container: Object) -> subprocess.Popen[bytes]:
        """A container that goes on; what it writes is in the folder's ``log``."""
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                self.command(container),
                env=self.environment(objects, container),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )


def _cores(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def passes(probe: Object) -> bool:
    """Whether a probe succeeds, asked as the kubelet does: no certificate is checked, 200 to 399 will do."""
    if "httpGet" in probe:
        get = probe["httpGet"]
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        url = f"{get['scheme'].lower()}://127.0.0.1:{get['port']}{get['path']}"
        try:
            return 200 <= int(urllib.request.urlopen(url, timeout=5, context=careless).status) < 400
        except (HTTPError, URLError, OSError):
            return False
    if "grpc" in probe:
        with grpc.insecure_channel(f"127.0.0.1:{probe['grpc']['port']}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = stub.Check(health_pb2.HealthCheckRequest(service=probe["grpc"]["service"]), timeout=5)
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    try:
        socket.create_connection(("127.0.0.1", probe["tcpSocket"]["port"]), timeout=5).close()
    except OSError:
        return False
    return True


class Running:
    """The server's container of rendered objects as a process; it is killed at the end of the block if it still runs.

    Attributes:
        container: as rendered.
        machine: where its volumes are.
    """

    def __init__(self, objects: list[Object], machine: Machine) -> None:
        self.objects, self.machine = objects, machine
        self.pod: Object = seen(objects, "Deployment spec template spec")
        self.container: Object = self.pod["containers"][0]
        machine.mount(self.pod)
        for first in self.pod.get("initContainers", []):
            done = machine.run(objects, first)
            assert done.returncode == 0, done.stderr
        self.process = machine.start(objects, self.container)

    @property
    def said(self) -> str:
        """What it has written."""
        return (self.machine.folder / "log").read_text(errors="replace")

    def started(self) -> bool:
        """Whether the startup probe succeeds within its own patience, asked at its own pace."""
        probe = self.container["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if passes(probe):
                return True
            assert self.process.poll() is None, self.said
            time.sleep(probe["periodSeconds"] / 4)
        return False

    def stop(self) -> int:
        """The exit code after SIGTERM, within what is left of the Pod's grace period after preStop."""
        self.process.send_signal(signal.SIGTERM)
        before = int(self.container["lifecycle"]["preStop"]["exec"]["command"][1])
        return self.process.wait(self.pod["terminationGracePeriodSeconds"] - before)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(30)
