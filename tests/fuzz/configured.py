"""Settings from any mapping: what is accepted lies in the documented ranges and can be used."""

from __future__ import annotations

from dataclasses import fields
from random import Random
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from yarl import URL

from fuzz.mutate import NUMBERS, TEXTS, text
from fuzz.target import Target, at_once, mutations, properties
from plugin_server.calibrations import read_calibrations
from plugin_server.engines.clients import client
from plugin_server.engines.settings import EngineSettings
from plugin_server.errors import CalibrationError, InvalidRequest
from plugin_server.gateway.forward import Forward
from plugin_server.gateway.settings import GatewaySettings
from plugin_server.server_settings import RANGES, ServerSettings
from plugin_server.settings import FAILURE, MISMATCH, Settings

KNOWN = [
    *("BUNDLE", "THREADS", "MAX_CANDIDATES", "MAX_CHARACTERS", "MAX_QUERY_TOKENS", "ON_MISMATCH", "ON_FAILURE"),
    *("PREVIOUS_BUNDLE", "CALIBRATIONS", "ENGINE", "ENGINE_URL", "ENGINE_USER", "ENGINE_PASSWORD", "ENGINE_API_KEY"),
    *("ENGINE_CA", "ENGINE_TIMEOUT", "HYBRID_PIPELINE", "TEXT_FIELD", "MAX_WINDOWS", "CACHE_BYTES", "PROVIDER"),
    *("VERIFICATION", *(field.name.upper() for field in fields(ServerSettings))),
]
SENSIBLE = [
    *("1", "8", "0", "1000", "0.5", "10", "encode", "refuse", "open", "closed", "opensearch", "elasticsearch", "text"),
    *("http://127.0.0.1:9200", "https://search:9200/", "http://[::1]:9200", "body.text", "user", "p:w", "VuaC=="),
    *("4294967295", "4294967296", "3599.9", "3600", "1e-320", "0x10", "1_000", "١٠", "-1", "1e3", "nan", "inf"),
]
URLS = [
    "",
    "http://",
    "https://",
    "http://search",
    "HTTP://",
    "ftp://",
    "http:",
    "//",
    "http://u@",
    "http://u:p@",
    "://",
]
PORTS = [
    "",
    ":",
    ":9200",
    ":0",
    ":65535",
    ":65536",
    ":99999999999",
    ":-1",
    ":٣",
    ":x",
    ":9200:1",
    "/",
    "/x",
    "?q",
    "#f",
]
MOST = 2**32 - 1


def mapping(random: Random) -> dict[str, str]:
    """A few settings, sensible, awkward or random."""
    return {f"SIMGATE_{name}": _value(random, name) for name in random.sample(KNOWN, random.randrange(1, 6))}


def _value(random: Random, name: str) -> str:
    kind = random.randrange(6)
    if name == "ENGINE_URL" and kind < 4:
        host = random.choice(
            ["search", "127.0.0.1", "[::1]", "[::1", "a b", "", "é", "xn--", "a..b", "%00", text(random)]
        )
        return random.choice(URLS) + host + random.choice(PORTS)
    return random.choice(SENSIBLE) if kind < 3 else random.choice(TEXTS) if kind < 5 else text(random)


def check(given: dict[str, str]) -> None:
    """Nothing; every field of what is accepted lies in its range."""
    settings = Settings.read(given)
    for name in ("max_candidates", "max_characters", "max_query_tokens"):
        assert 1 <= getattr(settings, name) <= MOST, name  # which Info tells in 32 bits
    assert 0 <= settings.threads <= 4096
    assert settings.on_mismatch in MISMATCH and settings.on_failure in FAILURE
    assert settings.cache_bytes >= 0 and 1 <= settings.max_windows <= MOST
    server = ServerSettings.read(given)
    assert all(low <= getattr(server, name) <= high for name, (low, high) in RANGES.items())
    engine = EngineSettings.read(given)
    assert 0 < engine.engine_timeout < 3600 and engine.text_field
    usable(engine.engine_url)
    for secret in (engine.engine_user, engine.engine_password, engine.engine_api_key):
        assert not set(secret) & set("\r\n\0"), "would break a header"
        secret.encode()
    client(engine)
    read_calibrations(settings.calibrations)


def usable(url: str) -> None:
    """Nothing; requests can be sent there."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port != 0
    assert not any(character.isspace() or ord(character) < 32 for character in url)
    host = URL(url).host
    assert host and host.encode("idna")


def gateway(random: Random) -> dict[str, Any]:
    """Arguments of `GatewaySettings`, of their types."""
    made: dict[str, Any] = {"url": _value(random, "ENGINE_URL")}
    for name in ("timeout", "verify_timeout"):
        if random.random() < 0.4:
            made[name] = random.choice([1.0, 0.5, 60.0, 3600.0, *(n for n in NUMBERS if isinstance(n, float))])
    if random.random() < 0.3:
        made["max_body_bytes"] = random.choice([1, 4, 1 << 26, *(n for n in NUMBERS if isinstance(n, int))])
    for name in ("text_field", "blob_field", "windows_field", "ca", "fail"):
        if random.random() < 0.2:
            made[name] = _value(random, name)
    return made


def check_gateway(given: dict[str, Any]) -> None:
    """Nothing; every field of what is accepted lies in its range, and the engine's address can be built upon."""
    settings = GatewaySettings(**given)
    assert 0 < settings.timeout < 3600 and 0 < settings.verify_timeout < 3600
    assert settings.max_body_bytes > 0
    usable(settings.url)
    Forward(settings)._url("/_search?q=a")


def mappings() -> st.SearchStrategy[dict[str, str]]:
    """Mappings of any texts."""
    numbers = st.one_of(
        st.integers().map(str), st.floats().map(str), st.from_regex(r"[-+]?[\d_]{1,12}(\.\d*)?", fullmatch=True)
    )
    urls = st.from_regex(r"https?://[^/]{0,12}(:\d{0,7})?(/.{0,5})?", fullmatch=True)
    values = st.one_of(st.sampled_from(SENSIBLE), st.text(), numbers, urls)
    return st.dictionaries(st.sampled_from(KNOWN).map("SIMGATE_".__add__), values, min_size=1, max_size=4)


REFUSED = (InvalidRequest, CalibrationError)
TARGETS = [
    Target("settings", "mutations", 60_000, 500, at_once(mutations(mapping, check)), REFUSED),
    Target("settings", "hypothesis", 10_000, 200, at_once(properties(mappings(), check)), REFUSED),
    Target("gateway settings", "mutations", 60_000, 500, at_once(mutations(gateway, check_gateway)), REFUSED),
]
