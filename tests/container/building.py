"""A Dockerfile's steps carried out in trees."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from container import outside
from container.dockerfile import Instruction, Stage, argument, read
from container.jail import Jail
from container.tree import base, cached, copied, linked

#: What is the same every time, and takes long.
FETCHES = re.compile("apt-get update|pip download")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """A tree and what is said of it.

    Attributes:
        tree: its root.
        environment: of what runs in it; PATH is Docker's own to begin with.
        arguments: of the build, in this stage.
        key: what the tree was made by, as long as that is little; then empty.
        own: whether the tree is this stage's and may be written.
    """

    tree: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    stop_signal: str = ""
    key: str = ""
    own: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """Those that instructions may name; ENV goes before ARG."""
        return {**self.arguments, **self.environment}


class Build:
    """A build of a folder with a Dockerfile.

    Args:
        context: that folder.
        folder: for the trees; new.
        arguments: of the build. Whatever BASE says, it is this machine's distribution.
    """

    def __init__(self, context: Path, folder: Path, arguments: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.context, self.folder, self.arguments = context, folder, arguments
        self.stages: dict[str, Image] = {}
        self._made = 0
        self._ignored = ignored((context / ".dockerignore").read_text(encoding="utf-8"))
        self._files = outside.files(folder)

    def image(self, last: str = "") -> Image:
        """The last stage's, or that of a stage by its name."""
        image = None
        for number, stage in enumerate(read((self.context / "Dockerfile").read_text(encoding="utf-8"), self.arguments)):
            image = self._stage(stage)
            self.stages[stage.name or str(number)] = image
            if last and stage.name == last:
                break
        assert image
        return image

    def _stage(self, stage: Stage) -> Image:
        before = self.stages.get(stage.base) or Image(base(), key=base().name)
        image = replace(before, arguments={}, own=False)
        for instruction in stage.instructions:
            if instruction.name == "RUN" and image.key and FETCHES.search(instruction.rest):
                image = self._kept(instruction, image)
                continue
            if instruction.name in ("RUN", "COPY", "WORKDIR") and not image.own:
                self._made += 1
                image = replace(image, tree=linked(image.tree, self.folder / f"tree-{self._made}"), own=True)
            image = getattr(self, f"_{instruction.name.lower()}")(instruction, image)
        return image

    def _kept(self, instruction: Instruction, image: Image) -> Image:
        """After a step that only fetches; its tree is kept between builds, and between runs of the tests."""
        key = f"{image.key} {sorted(image.variables.items())} {instruction.rest}"

        def make(work: Path) -> None:
            self._run(instruction, replace(image, tree=copied(image.tree, work)))

        return replace(image, tree=cached("layer", key, make), key=key, own=False)

    def _run(self, instruction: Instruction, image: Image) -> Image:
        environment = image.variables | {"HOME": "/root"} | outside.environment()
        jail = Jail(str(image.tree), environment, image.folder, files=self._files)
        done = subprocess.run(
            jail.call(["/bin/sh", "-c", instruction.rest]), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 0, f"RUN {instruction.rest}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return replace(image, key="")

    def _copy(self, instruction: Instruction, image: Image) -> Image:
        assert instruction.flags.keys() <= {"from"}, instruction
        *given, last = instruction.words(image.variables)
        target = within(image.tree, os.path.join(image.folder, last))
        if stage := instruction.flags.get("from"):
            found = [within(self.stages[stage].tree, source) for source in given]
        else:
            found = [path for source in given for path in sorted(self.context.glob(source)) if self._goes(path)]
        assert found, f"COPY {instruction.rest}: there is nothing of the kind"
        for source in found:
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, ignore=self._left_out, dirs_exist_ok=True)
            else:
                inside = last.endswith("/") or len(found) > 1
                (target if inside else target.parent).mkdir(parents=True, exist_ok=True)
                place = target / source.name if inside else target
                place.unlink(missing_ok=True)  # it may be another tree's, too
                shutil.copy2(source, place)
        simple = image.key and not stage and all(map(Path.is_file, found))
        digest = sha256(b"".join(path.read_bytes() for path in found)).hexdigest() if simple else ""
        return replace(image, key=f"{image.key} {instruction.rest} {digest}" if simple else "")

    def _goes(self, path: Path) -> bool:
        """Whether a path goes to the build; outside of the context any does."""
        if not path.is_relative_to(self.context):
            return True
        name, goes = path.relative_to(self.context).as_posix(), True
        for pattern, excepted in self._ignored:
            if pattern.fullmatch(name):
                goes = excepted
        return goes

    def _left_out(self, folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not self._goes(Path(folder) / name)]

    def _workdir(self, instruction: Instruction, image: Image) -> Image:
        (place,) = instruction.words(image.variables)
        folder = os.path.join(image.folder, place)
        within(image.tree, folder).mkdir(parents=True, exist_ok=True)
        return replace(image, folder=folder, key=f"{image.key} WORKDIR {folder}" if image.key else "")

    def _arg(self, instruction: Instruction, image: Image) -> Image:
        found = argument(instruction, image.variables, self.arguments)
        return replace(image, arguments={**image.arguments, **found})

    def _env(self, instruction: Instruction, image: Image) -> Image:
        return replace(image, environment={**image.environment, **pairs(instruction, image)})

    def _label(self, instruction: Instruction, image: Image) -> Image:
        return replace(image, labels={**image.labels, **pairs(instruction, image)})

    def _user(self, instruction: Instruction, image: Image) -> Image:
        (user,) = instruction.words(image.variables)
        return replace(image, user=user)

    def _expose(self, instruction: Instruction, image: Image) -> Image:
        return replace(image, ports=(*image.ports, *instruction.words(image.variables)))

    def _stopsignal(self, instruction: Instruction, image: Image) -> Image:
        (signal,) = instruction.words(image.variables)
        return replace(image, stop_signal=signal)

    def _entrypoint(self, instruction: Instruction, image: Image) -> Image:
        return replace(image, entrypoint=tuple(instruction.words({})), command=())

    def _cmd(self, instruction: Instruction, image: Image) -> Image:
        return replace(image, command=tuple(instruction.words({})))


def pairs(instruction: Instruction, image: Image) -> dict[str, str]:
    """What ENV or LABEL sets, by name."""
    return dict(word.split("=", 1) for word in instruction.words(image.variables))


def within(tree: Path, place: str) -> Path:
    """Where a path of the tree is."""
    return tree / os.path.normpath(place).lstrip("/")


def ignored(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """The patterns of a .dockerignore and whether each takes paths back in; the last that fits counts.

    Example:
        >>> [(pattern.pattern, back) for pattern, back in ignored("# all\\n*\\n!src\\n**/*.pyc")]
        [('(?:[^/]*)(?:/.*)?', False), ('(?:src)(?:/.*)?', True), ('(?:(?:.*/)?[^/]*\\\\.pyc)(?:/.*)?', False)]
    """
    found = []
    for line in filter(lambda line: line and not line.startswith("#"), map(str.strip, text.splitlines())):
        parts = re.split(r"(\*\*/|\*|\[[^\]]*\])", line.removeprefix("!").strip("/"))
        known = {"**/": "(?:.*/)?", "*": "[^/]*"}
        pattern = "".join(known.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts)
        found.append((re.compile(f"(?:{pattern})(?:/.*)?"), line.startswith("!")))
    return found
