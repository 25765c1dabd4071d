"""The software bill of materials of what serves, in CycloneDX: ``python .ci/sbom.py build/sbom.json``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from serving import PYPROJECT, serving


def bill(needed: dict[str, str]) -> dict[str, Any]:
    """The bill of this environment, without the packages that are not needed."""
    tool = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(PYPROJECT), "--no-validate"]
    made = json.loads(subprocess.run([*tool, sys.executable], check=True, stdout=subprocess.PIPE).stdout)
    made["components"] = [item for item in made["components"] if canonicalize_name(item["name"]) in needed]
    root = made["metadata"]["component"]["bom-ref"]
    kept = {root, *(item["bom-ref"] for item in made["components"])}
    made["dependencies"] = [
        item | ({"dependsOn": [ref for ref in item["dependsOn"] if ref in kept]} if "dependsOn" in item else {})
        for item in made["dependencies"]
        if item["ref"] in kept
    ]
    return made


if __name__ == "__main__":
    needed, output = serving(), Path(sys.argv[1])
    made = bill(needed)
    found = {canonicalize_name(item["name"]) for item in made["components"]}
    if missing := sorted(needed.keys() - found):
        sys.exit(f"the bill lacks {', '.join(missing)}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    print(f"{output}: {len(found)} packages")
