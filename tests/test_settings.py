"""Settings and their reading from a mapping."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError, fields

import pytest

from plugin_server import Settings
from plugin_server.errors import InvalidField, SimgateError, UnknownChoice


@pytest.mark.parametrize(
    ("mapping", "changed", "remark"),
    [
        ({}, {}, "the defaults"),
        ({"SIMGATE_MAX_CANDIDATES": "50"}, {"max_candidates": 50}, "a number"),
        ({"SIMGATE_MAX_CHARACTERS": " 7 "}, {"max_characters": 7}, "blanks around it"),
        ({"SIMGATE_THREADS": "0"}, {"threads": 0}, "every core"),
        ({"SIMGATE_BUNDLE": "/bundles/a"}, {"bundle": "/bundles/a"}, "a text"),
        ({"SIMGATE_ON_MISMATCH": "refuse"}, {"on_mismatch": "refuse"}, "a choice"),
        ({"MAX_CANDIDATES": "50", "SIMGATE_COLOUR": "red", "PATH": "/bin"}, {}, "other keys are ignored"),
        ({"simgate_threads": "3"}, {}, "small letters are another key"),
        (
            {"SIMGATE_THREADS": "2", "SIMGATE_MAX_QUERY_TOKENS": "64"},
            {"threads": 2, "max_query_tokens": 64},
            "several",
        ),
    ],
)
def test_read(mapping: dict[str, str], changed: dict[str, object], remark: str) -> None:
    assert Settings.read(mapping) == Settings(**changed), remark  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mapping", "kind", "message", "remark"),
    [
        ({"SIMGATE_THREADS": "two"}, InvalidField, "SIMGATE_THREADS: 'two' is not a whole number", "a word"),
        ({"SIMGATE_THREADS": ""}, InvalidField, "SIMGATE_THREADS: '' is not a whole number", "empty"),
        ({"SIMGATE_THREADS": "1.5"}, InvalidField, r"'1\.5' is not a whole number", "a fraction"),
        ({"SIMGATE_THREADS": "-1"}, InvalidField, "threads: -1 is below 0", "below 0"),
        ({"SIMGATE_MAX_CANDIDATES": "0"}, InvalidField, "max_candidates: 0 is below 1", "no candidate"),
        ({"SIMGATE_MAX_CHARACTERS": "-5"}, InvalidField, "max_characters: -5 is below 1", "below 0"),
        ({"SIMGATE_MAX_QUERY_TOKENS": "0"}, InvalidField, "max_query_tokens: 0 is below 1", "no token"),
        (
            {"SIMGATE_ON_MISMATCH": "ignore"},
            UnknownChoice,
            "on_mismatch: 'ignore' is not known: choose one of encode, unverified, refuse",
            "no such choice",
        ),
    ],
)
def test_bad(mapping: dict[str, str], kind: type[SimgateError], message: str, remark: str) -> None:
    with pytest.raises(kind, match=message):
        Settings.read(mapping)


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().threads = 3  # type: ignore[misc]


def test_defaults_are_those_of_an_environment_without_them() -> None:
    names = {"SIMGATE_" + item.name.upper() for item in fields(Settings)}
    assert Settings.read({key: value for key, value in os.environ.items() if key not in names}) == Settings()
