"""Settings and their reading from a mapping."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError, fields

import pytest

from plugin_server import Settings
from plugin_server.calibrations import read_calibrations
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import CalibrationMissing, InvalidField, SimgateError, UnknownChoice
from plugin_server.server_settings import ServerSettings


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
        ({"SIMGATE_THREADS": "1_0"}, InvalidField, "'1_0' is not a whole number", "as Python alone writes it"),
        ({"SIMGATE_THREADS": "١٠"}, InvalidField, "'١٠' is not a whole number", "digits of another script"),
        ({"SIMGATE_THREADS": "9" * 5000}, InvalidField, r"THREADS: '9{99}\Z|THREADS: '9{99} ", "quoted in part"),
        ({"SIMGATE_THREADS": "1025"}, InvalidField, "threads: is above 1024", "no machine has as many cores"),
        ({"SIMGATE_MAX_CHARACTERS": "4294967296"}, InvalidField, "is above 4294967295", "Info tells it in 32 bits"),
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


@pytest.mark.parametrize(
    ("name", "text", "words", "remark"),
    [
        ("SHADOW_BYTES", "9" * 400, r"shadow_bytes: 9{40} is not between", "beyond a double"),
        ("DEADLINE", "nan", "deadline: nan is not between", "no number"),
        ("API_KEYS", "k" * 5000, r"api_keys: k{200}: there is no such file", "no file can be called so"),
        ("API_KEYS", "a\0b", "there is no such file", "nor so"),
    ],
)
def test_bad_for_a_server(name: str, text: str, words: str, remark: str) -> None:
    with pytest.raises(InvalidField, match=words):
        ServerSettings.read({f"SIMGATE_{name}": text})


@pytest.mark.parametrize(
    ("name", "text", "words", "remark"),
    [
        ("URL", "http://[::1", "engine_url: .* is no address", "a bracket too few"),
        ("URL", "http://search:٣", "engine_url: .* is no address", "a port of other digits"),
        ("URL", "http://search:70000", "engine_url: .* is no address", "no such port"),
        ("URL", "http://xn--", "engine_url: .* is no address", "no international name either"),
        ("URL", "http://ex℀mple", "engine_url: .* is no address", "a sign that hides a slash"),
        ("TIMEOUT", "nan", "engine_timeout: nan is not between", "no number"),
        ("TIMEOUT", "1_0", "'1_0' is not a number", "as Python alone writes it"),
        (
            "API_KEY",
            "a\r\nX: y",
            "engine_api_key: holds a character that cannot be printed",
            "a second header",
        ),
        ("PASSWORD", "\udc80", "engine_password: holds a character", "bytes that are not UTF-8"),
    ],
)
def test_bad_for_an_engine(name: str, text: str, words: str, remark: str) -> None:
    with pytest.raises(InvalidField, match=words):
        EngineSettings.read({f"SIMGATE_ENGINE_{name}": text})


@pytest.mark.parametrize("place", ["x" * 5000, "a\0b"])
def test_calibrations_at_a_place_that_cannot_be(place: str) -> None:
    with pytest.raises(CalibrationMissing, match="is not there: SIMGATE_CALIBRATIONS names folders or files"):
        read_calibrations(place)


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().threads = 3  # type: ignore[misc]


def test_defaults_are_those_of_an_environment_without_them() -> None:
    names = {"SIMGATE_" + item.name.upper() for item in fields(Settings)}
    assert Settings.read({key: value for key, value in os.environ.items() if key not in names}) == Settings()
