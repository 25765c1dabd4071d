"""Files of a comparison that was stopped are whole or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_json(path: Path, value: object) -> None:
    """Write the value as JSON, whole or not at all; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(value, indent=1), encoding="utf-8")
    os.replace(draft, path)
