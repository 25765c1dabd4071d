"""The chart's settings are the server's: same names, same defaults, same ranges, none of them settable twice."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest
from chart import MODES, SCHEMA, VALUES, environment, pods, render, values_of

from plugin_server.choices import Verification
from plugin_server.engines.settings import ENGINES, EngineSettings
from plugin_server.server_settings import LOG_FORMATS, LOG_LEVELS, RANGES, TRACING, ServerSettings
from plugin_server.settings import FAILURE, LARGEST, MISMATCH, PROVIDERS, Settings

KINDS: list[Any] = [Settings, ServerSettings, EngineSettings]
DEFAULTS = {item.name: item.default for kind in KINDS for item in fields(kind)}
#: Where a setting is that is not in `settings`; None for what the chart makes of other values alone.
ELSEWHERE: dict[str, str | None] = {
    "bundle": None, "previous_bundle": None, "calibrations": None, "threads": None, "provider": None, "insecure": None,
    "tls_certificate": None, "tls_key": None, "tls_client_ca": None, "api_keys": None, "shadow": None,
    "engine_user": None, "engine_password": None, "engine_api_key": None, "engine_ca": None,
    "shadow_bytes": "shadow.bytes", "engine": "engine.type", "engine_url": "engine.url",
    "engine_timeout": "engine.timeout",
    "hybrid_pipeline": "engine.hybridPipeline", "text_field": "engine.textField", "engine_indices": "engine.indices",
}  # fmt: skip
#: Defaults that are the chart's own, and why.
OTHER = {
    "drain_delay": 5,  # clients that watch health are to notice
    "max_connection_age": 300,  # clients of the headless Service are to find new Pods
    "log_format": "json",  # collectors read it
    "engine": "",  # no engine until one is named
    "engine_url": "",
    "engine_indices": [],  # a list in YAML
}
#: Environment variables that are no settings of the dataclasses: the default index, and what containers have in common.
BESIDE = {"SIMGATE_INDEX", "SIMGATE_API_KEY"}


def camel(name: str) -> str:
    """The name in values.

    Example:
        >>> camel("max_queue")
        'maxQueue'
    """
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def value_at(path: str) -> Any:
    """The default at a dotted path."""
    part: Any = VALUES
    for name in path.split("."):
        part = part[name]
    return part


def test_every_setting_is_in_the_chart_once() -> None:
    assert set(DEFAULTS) - set(ELSEWHERE) == {name for name in DEFAULTS if camel(name) in VALUES["settings"]}
    assert {camel(name) for name in DEFAULTS} >= set(VALUES["settings"])
    assert MISSING not in DEFAULTS.values()


@pytest.mark.parametrize("name", [name for name in DEFAULTS if ELSEWHERE.get(name, "settings") is not None])
def test_the_default_is_the_servers(name: str) -> None:
    assert value_at(ELSEWHERE.get(name) or f"settings.{camel(name)}") == OTHER.get(name, DEFAULTS[name])


def test_the_other_defaults_are_others() -> None:
    assert all(DEFAULTS[name] != value for name, value in OTHER.items())


@pytest.mark.parametrize("name", [name for name in RANGES if name not in ELSEWHERE])
def test_the_range_is_the_servers(name: str) -> None:
    part = SCHEMA["properties"]["settings"]["properties"][camel(name)]
    assert (part["minimum"], part["maximum"]) == RANGES[name]


CHOICES = [
    ("settings.logFormat", LOG_FORMATS), ("settings.logLevel", LOG_LEVELS), ("settings.tracing", TRACING),
    ("settings.onMismatch", MISMATCH), ("settings.onFailure", FAILURE),
    ("settings.verification", tuple(item.value for item in Verification)),
    ("engine.type", ("", *ENGINES)), ("gpu.provider", PROVIDERS[1:]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "known"), CHOICES)
def test_the_choices_are_the_servers(path: str, known: tuple[str, ...]) -> None:
    part = SCHEMA
    for name in path.split("."):
        part = part["properties"][name]
    assert tuple(part["enum"]) == known


def test_the_bounds_of_the_first_settings() -> None:
    part = SCHEMA["properties"]["settings"]["properties"]
    for name in ("maxCandidates", "maxCharacters", "maxQueryTokens", "maxWindows"):
        assert (part[name]["minimum"], part[name]["maximum"]) == (1, LARGEST)


@pytest.mark.parametrize("mode", MODES)
def test_every_variable_is_a_setting_and_given_once(mode: str) -> None:
    known = {f"SIMGATE_{name.upper()}" for name in DEFAULTS} | BESIDE
    objects = render(values_of(mode))
    for pod in pods(objects).values():
        for container in pod.get("initContainers", []) + pod["containers"]:
            ours = {name for name in environment(objects, container) if name.startswith("SIMGATE_")}
            assert ours <= known
            named = [item["name"] for item in container.get("env", [])]
            assert len(named) == len(set(named))
            config = next(
                item["data"] for item in objects if item["kind"] == "ConfigMap" and "SIMGATE_BUNDLE" in item["data"]
            )
            assert not set(config) & set(named) or "envFrom" not in container


@pytest.mark.parametrize("mode", [mode for mode in MODES if "tls" not in mode])
def test_the_server_takes_what_the_chart_gives(mode: str) -> None:
    """Files are for the test with a process: here the settings that name none are read."""
    objects = render(values_of(mode))
    config = next(item["data"] for item in objects if item["kind"] == "ConfigMap" and "SIMGATE_BUNDLE" in item["data"])
    given = {name: value for name, value in config.items() if name != "SIMGATE_ENGINE_CA"}
    assert Settings.read(given).bundle == given["SIMGATE_BUNDLE"]
    assert ServerSettings.read(given).insecure is True
    assert EngineSettings.read(given).engine_url == given.get("SIMGATE_ENGINE_URL", EngineSettings().engine_url)
