"""The figures in the repository, the constants made of them and the page made of these hold together."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from benchmarks import sizing, sizing_page
from sized import ENGINES, PAPER, WORKED

from plugin_server import Bundle
from plugin_server.errors import InvalidField
from plugin_server.sizing import Constants
from plugin_server.sizing.rules import SOURCES

MAKEFILE = Path("Makefile")


def test_constants_by_hand() -> None:
    found = sizing.constants(PAPER, Bundle.open().manifest)
    assert {name: getattr(found, name) for name in WORKED} == pytest.approx(WORKED)
    assert set(WORKED) == {item.name for item in fields(Constants) if item.type == "float"}
    assert found.engine_documents == 50_000
    assert found.machine == "2 cores, avx2 (without AMX), 8 GiB of memory"


def test_figures_that_contradict_each_other_give_no_constants() -> None:
    wrong = PAPER | {"engines": ENGINES | {"blobs_bytes": 1_000_000}}
    with pytest.raises(InvalidField, match=r"^blob_index_bytes_per_token: .* is not above 0"):
        sizing.constants(wrong, Bundle.open().manifest)


def test_regenerating_gives_the_same_bytes(tmp_path: Path) -> None:
    again = sizing.constants(sizing.read(sizing.HERE), Bundle.open().manifest)
    assert again.text() == sizing.PACKAGED.read_text(encoding="utf-8"), "run `python -m benchmarks.sizing`"
    assert sizing_page.page(again) == sizing.PAGE.read_text(encoding="utf-8"), "run `python -m benchmarks.sizing`"
    sizing.main(["--constants", str(tmp_path / "mine.json")])
    assert Constants.read(tmp_path / "mine.json") == again


@pytest.mark.parametrize("name", [item.name for item in fields(Constants) if item.type == "float"])
def test_every_constant_is_on_the_page(name: str) -> None:
    """Changed, it changes the page: none is read and left out."""
    packaged = Constants.read()
    other = replace(packaged, **{name: getattr(packaged, name) * 1.37})
    assert sizing_page.page(other) != sizing_page.page(packaged)


def test_the_page_says_what_it_rests_on() -> None:
    page, packaged = sizing_page.page(Constants.read()), Constants.read()
    assert packaged.machine in page and "$" not in page
    assert all(rule in page and url in page for rule, (_, url) in SOURCES.items())
    assert max(len(line) for line in page.splitlines() if not line.startswith("|")) <= 130


def test_make_measures_what_is_read() -> None:
    (rule,) = re.findall(r"^size:.*\n((?:\t.*\n)+)", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    for name in sizing.NAMES:
        assert re.search(rf"-m benchmarks\.{name} .*--json \$\(FIGURES\)/{name}\.json$", rule, re.MULTILINE)
    assert rule.rstrip().endswith("-m benchmarks.sizing --figures $(FIGURES)")
