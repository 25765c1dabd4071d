"""A command in a tree of its own, as a container engine runs it: ``python jail.py JSON``, as root.

The tree is the root, with /proc, a small /dev and an empty /run of its own; whatever is mounted goes with the process,
which is the first of its process namespace. `Jail` makes the call.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DEVICES = ("null", "zero", "full", "random", "urandom")
#: Of ioctl: a network device's flags, and the one that it is up.
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


@dataclass(frozen=True)
class Jail:
    """How a command is run.

    Attributes:
        tree: folder of its root.
        environment: all of it.
        folder: where it begins.
        user: number of user and group; 0 keeps root's rights.
        read_only: nothing but /tmp, /run and /dev/shm can be written; no rights can be gained.
        network: whether it has the machine's; else it has a loopback of its own.
        files: of the machine, by where they are seen in the tree, below /run/outside or in place of a file.
    """

    tree: str
    environment: Mapping[str, str]
    folder: str = "/"
    user: int = 0
    read_only: bool = False
    network: bool = True
    files: Mapping[str, str] = field(default_factory=dict)

    def call(self, command: Sequence[str]) -> list[str]:
        """The command's words, to be run by root; its end ends all that the command started."""
        told = json.dumps(asdict(self) | {"command": list(command)})
        spaces = ["--mount", "--pid", "--fork", "--kill-child", *([] if self.network else ["--net"])]
        return ["unshare", *spaces, sys.executable, "-I", __file__, told]


def mount(*words: str) -> None:
    """Nothing; it is mounted."""
    subprocess.run(["mount", *words], check=True)


def furnish(tree: Path, read_only: bool, files: Mapping[str, str]) -> None:
    """Nothing; the tree has what a container has beside its image."""
    mount("--make-rprivate", "/")
    mount("--bind", str(tree), str(tree))
    if read_only:
        mount("-o", "remount,bind,ro,nosuid,nodev", str(tree))
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", f"{tree}/proc")
    mount("--rbind", "-o", "ro", "/sys", f"{tree}/sys")
    mount("-t", "tmpfs", "-o", "nosuid,mode=755", "dev", f"{tree}/dev")
    for name in DEVICES:
        (tree / "dev" / name).touch()
        mount("--bind", f"/dev/{name}", f"{tree}/dev/{name}")
    (tree / "dev" / "shm").mkdir()
    for place in ("dev/shm", "run", *(["tmp"] if read_only else [])):
        mount("-t", "tmpfs", "-o", "nosuid,nodev,mode=1777", "tmpfs", f"{tree}/{place}")
    for inside, outside in files.items():
        target = tree / inside.lstrip("/")
        if inside.startswith("/run/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.mkdir() if Path(outside).is_dir() else target.touch()
        mount("--bind", outside, str(target))


def loopback_up() -> None:
    """Nothing; the loopback of this network namespace is up."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def main(told: dict[str, Any]) -> None:
    """Nothing comes back: this process becomes the command."""
    furnish(Path(told["tree"]), told["read_only"], told["files"])
    if not told["network"]:
        loopback_up()
    os.chroot(told["tree"])
    os.chdir(told["folder"])
    rights = []
    if told["user"]:
        number = str(told["user"])
        rights = ["--reuid", number, "--regid", number, "--clear-groups", "--bounding-set=-all", "--no-new-privs"]
    os.environ.clear()
    os.environ.update(told["environment"])
    command = told["command"]
    if rights:
        command = ["/usr/bin/setpriv", *rights, "--", *command]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
