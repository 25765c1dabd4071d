"""A small reader of Dockerfiles: stages, and their instructions in order, for those that ours has."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: Instructions with words that variables are put into; a RUN's are the shell's, an ENTRYPOINT's and a CMD's nobody's.
EXPANDED = {"ARG", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "WORKDIR"}
LITERAL = {"CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN"}
VARIABLE = re.compile(r"\\(?P<literal>.)|\$(?:\{(?P<braced>[^}]*)\}|(?P<plain>\w+))")


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        name: in capitals.
        rest: what follows it and its flags, in one line.
        flags: as `--from=build`, by name.
    """

    name: str
    rest: str
    flags: Mapping[str, str] = field(default_factory=dict)

    def words(self, variables: Mapping[str, str]) -> list[str]:
        """The words of the rest, with the variables filled in: JSON's list, or as a shell parts them."""
        if self.name in LITERAL:
            found: list[str] = json.loads(self.rest)
            return found
        return shlex.split(expanded(self.rest, variables))


@dataclass(frozen=True)
class Stage:
    """From a FROM to the next.

    Attributes:
        base: what it begins with, its variables filled in.
        name: after AS; empty without.
    """

    base: str
    name: str
    instructions: tuple[Instruction, ...]


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with ``$NAME`` and ``${NAME}`` filled in; a name that is not known is empty, as Docker has it.

    Example:
        >>> expanded(r"${BASE}-$KIND \\$x", {"BASE": "debian", "KIND": "slim"})
        'debian-slim $x'
    """

    def value(found: re.Match[str]) -> str:
        if found["literal"]:
            return found["literal"]
        name = found["braced"] or found["plain"] or ""
        if not re.fullmatch(r"\w+", name):
            raise ValueError(f"{found[0]}: only $NAME and ${{NAME}} are read")
        return variables.get(name, "")

    return VARIABLE.sub(value, text)


def read(text: str, arguments: Mapping[str, str]) -> list[Stage]:
    """The stages.

    Args:
        arguments: of the build; those before the first FROM count in FROM alone.

    Raises:
        ValueError: there is an instruction that is not known here.
    """
    stages: list[Stage] = []
    given: dict[str, str] = {}
    for instruction in instructions(text):
        if instruction.name == "FROM":
            base, *name = instruction.words(given)
            assert not name or (len(name) == 2 and name[0].upper() == "AS"), instruction
            stages.append(Stage(base, name[1] if name else "", ()))
        elif stages:
            last = stages.pop()
            stages.append(Stage(last.base, last.name, (*last.instructions, instruction)))
        elif instruction.name == "ARG":
            given |= argument(instruction, given, arguments)
        else:
            raise ValueError(f"{instruction.name}: stands before the first FROM")
    return stages


def argument(instruction: Instruction, known: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, str]:
    """What an ARG sets, if anything: the build's value, or its own default."""
    (word,) = instruction.words(known)
    name, _, default = word.partition("=")
    value = arguments.get(name, default)
    return {name: value} if name in arguments or "=" in word else {}


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in order; lines that end with a backslash go on, whole lines of comment are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", "", "\n".join(lines))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        if name.upper() not in EXPANDED | LITERAL:
            raise ValueError(f"{name}: is not read here: teach tests/dockerfile.py, or leave it out")
        flags = {}
        while found := re.match(r"\s*--(\w+)(?:=(\S+))?\s+", rest):
            flags[found[1]] = found[2] or ""
            rest = rest[found.end() :]
        yield Instruction(name.upper(), rest.strip(), flags)
