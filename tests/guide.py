"""The operations guide taken apart: its commands, and what it says that they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parent.parent / "helm" / "GUIDE.md"
BLOCK = re.compile(r"^```(console|sh|yaml)\n(.*?)^```$|^<!-- serve(.*?) -->$", re.MULTILINE | re.DOTALL)
#: What differs from run to run.
DIFFERS = re.compile(
    r"\b\d+(\.\d+)? (ms|s|seconds|MiB|GB)\b|\b20\d\d-\d\d-\d\d(T[\d:.+Z]+)?\b|\b[0-9a-f]{16}\b|\b\d+\.\d+\b|/\S*/"
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the guide does.

    Attributes:
        kind: ``console`` (a command), ``sh``, ``yaml``, or ``serve`` (the server starts anew with these settings).
        text: the command, the block, or the settings.
        printed: what the guide says that a command prints.
    """

    kind: str
    text: str
    printed: str = ""


def steps(text: str) -> list[Step]:
    """The guide's steps in their order."""
    found: list[Step] = []
    for match in BLOCK.finditer(text):
        kind, body, settings = match.groups()
        if kind is None:
            found.append(Step("serve", settings.strip()))
        elif kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                found.append(Step("console", command, printed.rstrip("\n")))
        else:
            found.append(Step(kind, body))
    return found


def lasting(printed: str) -> str:
    """What is printed, of lines of progress only the last, as the others come as time goes.

    Example:
        >>> lasting("Indexing: 32 % 64 added\\nIndexing: 256 added\\nIndexing: 430 added\\nDone\\n")
        'Indexing: 430 added\\nDone\\n'
    """
    return re.sub(r"^(\w+ing: ).*\n(?=\1)", "", printed, flags=re.MULTILINE)


def same(printed: str) -> list[str]:
    """What is printed, line by line, with ``…`` for what differs from run to run, and without spaces that only align.

    Example:
        >>> same("answered in 7 ms\\n  done  ")
        ['answered in …', 'done']
    """
    lines = [" ".join(DIFFERS.sub("…", line).split()) for line in printed.splitlines()]
    return [line for line in lines if line]


def rewritten(text: str, printed: dict[str, list[str]]) -> str:
    """The guide with what its commands printed.

    Args:
        printed: by command, in the order of its runs.
    """
    left = {command: list(values) for command, values in printed.items()}

    def block(match: re.Match[str]) -> str:
        if match[1] != "console":
            return match[0]
        commands = [part.partition("\n")[0] for part in re.split(r"^\$ ", match[2], flags=re.MULTILINE)[1:]]
        told = [f"$ {command}\n" + left[command].pop(0) for command in commands]
        return "```console\n" + "".join(item.rstrip("\n") + "\n" for item in told) + "```"

    return BLOCK.sub(block, text)
