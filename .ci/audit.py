"""Known vulnerabilities of the installed packages, by pip-audit: ``python .ci/audit.py``.

Exit codes: 0 none is known, or the advisories cannot be had, which is said; 1 something that serves is vulnerable. With
``--required`` it is 2 if not all that serves could be looked up. What else is given goes to pip-audit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from serving import others, serving

#: Names listed in one line.
SHOWN = 8
#: A package that every service knows: one that does not is not asked for the others.
PROBE = "aiohttp"


def audited(packages: dict[str, str], options: list[str]) -> tuple[dict[str, list[str]], list[str], str]:
    """Advisories by package, the packages that nothing is known of, and why.

    pip-audit takes a package that the service does not have for a clean one, and so does its exit code.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text("".join(f"{name}=={version.partition('+')[0]}\n" for name, version in packages.items()))
        tool = [sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps", "--disable-pip"]
        made = subprocess.run(
            [*tool, "--format", "json", "--progress-spinner", "off", *options], capture_output=True, text=True
        )
    try:
        listed: list[dict[str, Any]] = json.loads(made.stdout)["dependencies"]
    except (ValueError, KeyError):
        return {}, list(packages), (made.stderr.strip().splitlines() or ["no answer"])[-1][:300]
    known = {item["name"]: [fault["id"] for fault in item["vulns"]] for item in listed if "vulns" in item}
    skipped = {item["name"]: item.get("skip_reason", "") for item in listed if "vulns" not in item}
    unknown = [name for name in packages if name not in known]
    return {name: ids for name, ids in known.items() if ids}, unknown, next(iter(skipped.values()), "not in the answer")


def told(title: str, packages: dict[str, str], options: list[str]) -> tuple[bool, bool]:
    """Whether there is a vulnerable package, and whether all were looked up; both are printed."""
    faulty, unknown, reason = audited(packages, options)
    for name, ids in faulty.items():
        print(f"VULNERABLE ({title}): {name} {packages[name]}: {', '.join(ids)}")
    if unknown:
        names = ", ".join(unknown[:SHOWN]) + (", …" if len(unknown) > SHOWN else "")
        print(f"NOT AUDITED ({title}): {len(unknown)} of {len(packages)} packages, {names}: {reason}")
    if not faulty and len(unknown) < len(packages):
        print(f"no known vulnerability in {len(packages) - len(unknown)} packages ({title})")
    return bool(faulty), not unknown


def main(options: list[str], required: bool) -> int:
    """The exit code; what was found is printed."""
    needed = serving()
    _, unknown, reason = audited({PROBE: needed[PROBE]}, options)
    if unknown:
        print(f"NOT AUDITED: the service of advisories cannot be asked, or knows no {PROBE}: {reason}")
        return 2 if required else 0
    vulnerable, whole = told("serving", needed, options)
    told("training, tests, tools", others(), options)
    return 1 if vulnerable else 2 if required and not whole else 0


if __name__ == "__main__":
    sys.exit(main([option for option in sys.argv[1:] if option != "--required"], "--required" in sys.argv))
