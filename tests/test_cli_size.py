"""``simgate size``: what it prints, its options, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plugin_server.cli import main
from plugin_server.commands.size import KINDS
from plugin_server.sizing import Constants, Need, Nodes, Prices, plan


def size(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["size", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_table_for_people() -> None:
    result = size("--documents", "100e6", "--tokens", "128", "--requests-per-second", "200")
    found = plan(Need(documents=1e8, requests_per_second=200), Nodes(), Prices(), Constants.read())
    assert result.exit_code == 0
    assert f"| **data nodes** | **{found.data_nodes:,}** |" in result.stdout
    assert f"| **sidecars** | **{found.sidecars:,}** |" in result.stdout
    assert f"because of {found.bound}: " in result.stdout
    assert "One change at a time:" in result.stdout and "(`--vectors byte`)" in result.stdout


def test_json_for_programs() -> None:
    told = json.loads(size("--documents", "1e7", "--vectors", "byte", "--json").stdout)
    found = plan(Need(documents=1e7, vectors="byte"), Nodes(), Prices(), Constants.read())
    assert told["plan"]["data_nodes"] == found.data_nodes and told["bound"] == found.bound
    assert told["need"]["documents"] == 1e7 and told["constants"]["machine"] == Constants.read().machine
    assert all(change["engine_price_per_month"] > 0 for change in told["changes"].values())


def test_every_field_is_an_option_with_its_default() -> None:
    text = " ".join(size("--help").stdout.split())
    for kind in KINDS:
        for item in fields(kind):
            assert f"--{item.name.replace('_', '-')} " in text and item.metadata["help"] in text


def test_constants_of_ones_own(tmp_path: Path) -> None:
    slow = replace(Constants.read(), request_core_ms=1000.0)
    (tmp_path / "slow.json").write_text(slow.text(), encoding="utf-8")
    told = json.loads(size("--constants", str(tmp_path / "slow.json"), "--json").stdout)
    assert told["plan"]["sidecars"] > json.loads(size("--json").stdout)["plan"]["sidecars"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--documents", "many"], 2, "'many' is not a valid float"),
        (["--documents", "0"], 2, "documents: 0 is out of range: give a number from 1 to 1e+12"),
        (["--documents", "nan"], 2, "documents: nan is out of range"),
        (["--price-core-hour", "-1"], 2, "price_core_hour: -1 is out of range"),
        (["--vectors", "pear"], 2, "'pear' is not one of"),
        (["--constants", "nowhere.json"], 2, "does not exist"),
        (["--constants", "README.md"], 1, "README.md: Expecting value"),
    ],
)
def test_what_is_refused(arguments: list[str], code: int, told: str) -> None:
    result = size(*arguments)
    assert result.exit_code == code and told in result.stderr and "Traceback" not in result.stderr
