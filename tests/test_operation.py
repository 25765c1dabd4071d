"""The operator's page names every setting with its default, and nothing that is none."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from plugin_server.engines.settings import EngineSettings
from plugin_server.server_settings import ServerSettings
from plugin_server.settings import Settings

PAGE = Path("plugin_server/OPERATION.md").read_text(encoding="utf-8")
KINDS: list[Any] = [Settings, ServerSettings, EngineSettings]
SETTINGS = {f"SIMGATE_{item.name.upper()}": item.default for kind in KINDS for item in fields(kind)}
ROWS = {
    name: row.split("|")[2].strip()
    for row in PAGE.splitlines()
    if row.startswith("| `SIMGATE_")
    for name in re.findall(r"SIMGATE_\w+", row.split("|")[1])
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_a_row_with_its_default(name: str) -> None:
    default = SETTINGS[name]
    assert name in ROWS
    if isinstance(default, bool):
        assert ROWS[name] == str(default).lower()
    elif isinstance(default, int | float):
        assert float(ROWS[name]) == default
    elif default:
        assert default in ROWS[name]


def test_no_row_is_about_something_else() -> None:
    assert set(ROWS) <= set(SETTINGS)
    mentioned = set(re.findall(r"SIMGATE_[A-Z_]*[A-Z]", PAGE + Path("README.md").read_text(encoding="utf-8")))
    known = {*SETTINGS, "SIMGATE_API_KEY"}  # what `simgate ping` sends
    known |= {name for name in mentioned if name.startswith(("SIMGATE_TEST_", "SIMGATE_BENCH_"))}
    assert mentioned <= known


def test_the_tests_of_the_table_of_faults_are_there() -> None:
    named = re.findall(r"`(?:tests/)?(test_\w+\.py)`", PAGE)
    assert len(named) >= 5 and all((Path("tests") / name).exists() for name in named)
