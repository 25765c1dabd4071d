"""Trees of folders that stand for images: the first by debootstrap, copies, sizes and checksums."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: What Debian's own slim images leave out, as dpkg's options; copyrights stay.
SLIM = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
"""


EMPTIED = ("groff", "info", "lintian", "locale", "man")
#: Seconds after which a tree that nobody used goes.
KEPT = 7 * 24 * 3600


@dataclass(frozen=True)
class Release:
    """The distribution of this machine, and where its packages come from.

    Attributes:
        lines: of sources.list.
    """

    codename: str
    mirror: str
    components: str
    lines: tuple[str, ...]


def release() -> Release:
    """This machine's.

    Raises:
        LookupError: apt knows no source of it.
    """
    told = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = told.get("VERSION_CODENAME", "").strip('"')
    found = [item for item in sources() if item[1].partition("-")[0] == codename]
    ours = [item for item in found if item[1] == codename]
    if not ours:
        raise LookupError(f"apt has no source for {codename!r}")
    wanted = {codename, f"{codename}-updates", f"{codename}-security"}
    lines = tuple(f"deb {uri} {suite} {components}" for uri, suite, components in found if suite in wanted)
    return Release(codename, ours[0][0], ours[0][2], lines)


def sources(folder: Path = Path("/etc/apt")) -> Iterator[tuple[str, str, str]]:
    """Address, suite and components of each of apt's sources of packages, in both of its forms."""
    for file in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        text = file.read_text() if file.is_file() else ""
        for uri, suite, components in re.findall(r"^deb (?:\[.*?\] )?(\S+) (\S+) (.+)$", text, re.M):
            yield uri, suite, components
        for stanza in re.split(r"\n\s*\n", text) if file.suffix == ".sources" else ():
            fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.M))
            for suite in fields.get("Suites", "").split() if "deb" in fields.get("Types", "").split() else ():
                yield fields["URIs"].split()[0], suite, fields.get("Components", "main")


def cached(name: str, key: str, make: Callable[[Path], object]) -> Path:
    """A tree that is never written again, made if the user's cache has none of that name and key.

    One that was cut short or has changed since is begun anew, and those that nobody used for a week are taken away.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simgate" / "trees"
    cache.mkdir(parents=True, exist_ok=True)
    tree = cache / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    mark = tree.with_suffix(".shape")
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != shape(tree):
            work = cache / f"{name}.work"
            old = [path for path in cache.glob(f"{name}-*") if path.stat().st_mtime < time.time() - KEPT]
            for path in (work, tree, *old):
                remove(path)
            make(work)
            work.rename(tree)
            mark.write_text(shape(tree))
        for path in (tree, mark):
            os.utime(path)
    return tree


def base() -> Path:
    """A minimal root of this machine's distribution, without what slim images leave out."""
    ours = release()
    return cached("base", repr(ours) + SLIM, lambda tree: bootstrap(ours, tree))


def bootstrap(ours: Release, tree: Path) -> None:
    """Nothing; the tree is made by debootstrap."""
    components = f"--components={','.join(ours.components.split())}"
    command = ["debootstrap", "--variant=minbase", components, ours.codename, str(tree), ours.mirror]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (tree / "etc/dpkg/dpkg.cfg.d/docker").write_text(SLIM)
    (tree / "etc/apt/sources.list").write_text("".join(f"{line}\n" for line in ours.lines))
    for name in ("etc/resolv.conf", "etc/hostname"):  # debootstrap takes the machine's
        (tree / name).unlink(missing_ok=True)
        (tree / name).touch()
    kept = [path for path in (tree / "usr/share/doc").glob("*/*") if path.name != "copyright"]
    emptied = ["var/cache/apt", "var/lib/apt/lists", *(f"usr/share/{name}" for name in EMPTIED)]
    for path in [*kept, *(path for name in emptied for path in (tree / name).glob("*")), *tree.glob("var/log/*.log")]:
        remove(path)


def remove(path: Path) -> None:
    """Nothing; file, link or folder is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copied(tree: Path, target: Path) -> Path:
    """The target, a new copy of a tree, whose owners, modes and times it has."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(tree), str(target)], check=True)
    return target


def linked(tree: Path, target: Path) -> Path:
    """The same by hard links where that can be: for steps that put files beside others, or in their place.

    One that writes into a file would change the tree, too, which `cached` notices the next time.
    """
    if tree.stat().st_dev != target.parent.stat().st_dev:
        return copied(tree, target)
    subprocess.run(["cp", "-al", str(tree), str(target)], check=True)
    return target


def shape(tree: Path) -> str:
    """A checksum of every path's mode, size and time; contents are not read."""
    digest = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        status = path.lstat()
        known = () if path.is_dir() and not path.is_symlink() else (status.st_size, status.st_mtime_ns)
        digest.update(f"{path.relative_to(tree)} {status.st_mode} {known}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def size(*paths: Path) -> int:
    """Bytes of all files, as `du --apparent-size` counts them."""
    found = subprocess.run(
        ["du", "-scb", "--apparent-size", *map(str, paths)], check=True, capture_output=True, text=True
    )
    return int(found.stdout.splitlines()[-1].split()[0])


def files(tree: Path) -> dict[str, str]:
    """What each path of a tree is: kind, mode, owner, time, and content or target."""
    found = {}
    for path in [tree, *tree.rglob("*")]:
        status = path.lstat()
        told = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid} {status.st_mtime_ns}"
        if path.is_symlink():
            told += f" {os.readlink(path)}"
        elif path.is_file():
            told += f" {hashlib.sha256(path.read_bytes()).hexdigest()}"
        found[str(path.relative_to(tree))] = told
    return found
