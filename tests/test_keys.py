"""The file of API keys, what a bucket lets through, and the command that makes keys."""

from __future__ import annotations

import logging
import tomllib
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plugin_server.bucket import Bucket
from plugin_server.caller import caller
from plugin_server.cli import main
from plugin_server.errors import InvalidField, RateLimited, Unauthenticated
from plugin_server.keyring import Keyring, key_in
from plugin_server.keys import Key, Keys, entry

DIGEST = sha256(b"sg_one").hexdigest()
OTHER = sha256(b"sg_two").hexdigest()
GOOD = f'[one]\nsha256 = "{DIGEST}"\n'
BAD_FILES = [
    ("", "holds no key: add one", "an empty file would lock everybody out"),
    ("# nothing yet\n", "holds no key", "comments are no keys"),
    ("[one", "is not TOML: Expected ']'", "truncated"),
    ("\x00", "is not TOML", "control characters"),
    ("a = " + "[" * 50_000, "is not TOML", "no stack is deep enough"),
    ("sha256 = 'a'\n", "sha256: stands outside of a table", "no name"),
    ("[one]\n", "[one] sha256: is not a SHA-256 digest", "no digest"),
    ("[one]\nsha256 = 'sg_verysecret'\n", "[one] sha256: is not a SHA-256 digest", "the key instead of its digest"),
    ("[one]\nsha256 = 5\n", "[one] sha256: is not a SHA-256 digest", "no text"),
    (GOOD + "expire = 2027-01-01T00:00:00Z\n", "[one] expire: is not known: choose one of sha256", "a slip of the pen"),
    (GOOD + "name = 'two'\n", "[one] name: is not known", "the table names it"),
    (GOOD + "expires = 2027-01-01\n", "[one] expires: is not a date with time and offset", "no time"),
    (GOOD + "expires = 2027-01-01T00:00:00\n", "[one] expires: is not a date with time", "no offset"),
    (GOOD + "expires = '2027-01-01T00:00:00Z'\n", "[one] expires: is not a date with time", "a text"),
    (GOOD + "requests_per_second = 0\n", "[one] requests_per_second: is not a number from 0.0001", "never"),
    (GOOD + "requests_per_second = nan\n", "[one] requests_per_second: is not a number", "not a number"),
    (GOOD + "requests_per_second = inf\n", "[one] requests_per_second: is not a number", "no limit: leave it out"),
    (GOOD + "requests_per_second = true\n", "[one] requests_per_second: is not a number", "no number"),
    (GOOD + "requests_per_second = 1\nburst = 0\n", "[one] burst: is not a whole number from 1", "nothing fits in"),
    (GOOD + "requests_per_second = 1\nburst = 1.5\n", "[one] burst: is not a whole number", "half a request"),
    (GOOD + "burst = 5\n", "[one] burst: limits nothing alone", "no rate"),
    (GOOD + GOOD, "is not TOML: Cannot declare ('one',) twice", "one name, two tables"),
    (GOOD + f"[two]\nsha256 = '{DIGEST.upper()}'\n", "[two] sha256: is that of [one]", "one key, two names"),
    (f"['one two']\nsha256 = '{DIGEST}'\n", "[one two]: name it with 1 to 64 letters", "a space would break logs"),
    (f"['']\nsha256 = '{DIGEST}'\n", "[]: name it with 1 to 64 letters", "no name"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keys.toml"
    made.write_text(GOOD)
    return made


def admitted(ring: Keyring, key: bytes) -> str:
    """The name that the request goes by which brings a key."""

    def request() -> str:
        ring.admit(key)
        return caller()

    return copy_context().run(request)


@pytest.mark.parametrize(("text", "words", "remark"), BAD_FILES, ids=[case[2] for case in BAD_FILES])
def test_bad_files(text: str, words: str, remark: str, path: Path) -> None:
    path.write_text(text)
    with pytest.raises(InvalidField) as caught:
        Keys.read(str(path))
    assert str(caught.value).startswith(f"api_keys: {path}: {words}"), remark
    assert "verysecret" not in str(caught.value)


def test_file_that_is_no_text_or_not_there(path: Path) -> None:
    path.write_bytes(b"\xff\xfe[one]")
    with pytest.raises(InvalidField, match="is not TOML: it is not UTF-8"):
        Keys.read(str(path))
    path.unlink()
    with pytest.raises(InvalidField, match="cannot be read: No such file"):
        Keys.read(str(path))


def test_whole_file(path: Path) -> None:
    limits = "requests_per_second = 0.5\nburst = 7\nexpires = 2027-01-31T12:00:00+02:00\n"
    path.write_text(f"{GOOD}[two]\nsha256 = '{OTHER.upper()}'\n{limits}")
    one, two = Keys.read(str(path)).keys
    assert (one.name, one.requests_per_second, one.most, one.expires) == ("one", None, 1, None)
    assert (two.name, two.requests_per_second, two.most) == ("two", 0.5, 7)
    assert two.expires == datetime(2027, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rate", "most", "remark"),
    [(0.001, 1, "at least one"), (2.5, 3, "a second's, rounded up"), (20, 20, "a second's")],
)
def test_burst_without_one(rate: float, most: int, remark: str) -> None:
    assert Key("one", DIGEST, rate).most == most, remark


def test_every_key_is_found_and_no_other() -> None:
    keys = Keys((Key("one", DIGEST), Key("two", OTHER)))
    found = [keys.find(given) for given in (b"sg_one", b"sg_two")]
    assert [key.name for key in found if key] == ["one", "two"]
    for given in (b"", b"sg_", b"sg_onE", b"sg_one ", DIGEST.encode(), b"\xff" * 1000, b"one"):
        assert keys.find(given) is None, given


@pytest.mark.parametrize(("offset", "taken"), [(timedelta(minutes=1), True), (timedelta(seconds=-1), False)])
def test_expiry(offset: timedelta, taken: bool) -> None:
    key = Key("one", DIGEST, expires=datetime.now(UTC) + offset)
    assert bool(Keys((key,)).find(b"sg_one")) is taken


#: Seconds of the clock and what the bucket says then: 2 a second, 3 at once.
FLOW = [
    (0.0, 0.0, "full at first"),
    (0.0, 0.0, "second of the burst"),
    (0.0, 0.0, "third of the burst"),
    (0.0, 0.5, "empty"),
    (0.25, 0.25, "half a token is none"),
    (0.5, 0.0, "one has come"),
    (0.5, 0.5, "and is gone"),
    (1000.0, 0.0, "a long pause"),
    (1000.0, 0.0, "fills it"),
    (1000.0, 0.0, "to the brim"),
    (1000.0, 0.5, "and no further"),
]


def test_bucket() -> None:
    now = 0.0
    bucket = Bucket(2.0, 3, lambda: now)
    for now, wait, remark in FLOW:  # noqa: B007
        assert bucket.take() == pytest.approx(wait), remark


def test_rates_follow_the_keys_and_survive_a_change_of_the_file(path: Path) -> None:
    path.write_text(f"{GOOD}requests_per_second = 0.001\nburst = 2\n[two]\nsha256 = '{OTHER}'\n")
    ring = Keyring(str(path))
    for _ in range(2):
        assert admitted(ring, b"sg_one") == "one"
    with pytest.raises(RateLimited) as caught:
        admitted(ring, b"sg_one")
    assert 0 < caught.value.retry_after <= 1000
    assert "the key one may send 0.001 requests a second, 2 at once" in str(caught.value)
    for _ in range(50):
        admitted(ring, b"sg_two")
    path.write_text(path.read_text() + "# touched\n")
    with pytest.raises(RateLimited):
        admitted(ring, b"sg_one")
    path.write_text(path.read_text().replace("burst = 2", "burst = 3"))
    for _ in range(3):
        admitted(ring, b"sg_one")


def test_keys_change_while_they_are_used(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ring = Keyring(str(path))
    admitted(ring, b"sg_one")
    path.write_text(f"{GOOD}[two]\nsha256 = '{OTHER}'\n")
    admitted(ring, b"sg_one")
    admitted(ring, b"sg_two")
    path.write_text(f"[two]\nsha256 = '{OTHER}'\n")
    with pytest.raises(Unauthenticated):
        admitted(ring, b"sg_one")
    for broken in ("", "[two", None):
        caplog.clear()
        path.write_text(broken) if broken is not None else path.unlink()
        for _ in range(3):
            admitted(ring, b"sg_two")
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(said) == 1, "once"
        assert str(path) in said[0] and "stays in use" in said[0]
    path.write_text(GOOD)
    admitted(ring, b"sg_one")
    with pytest.raises(Unauthenticated):
        admitted(ring, b"sg_two")


HEADERS: list[tuple[list[tuple[bytes, bytes]], bytes, bytes, str]] = [
    ([], b"", b"", "none"),
    ([(b"x-api-key", b"k")], b"k", b"k", "one's own header"),
    ([(b"x-api-key", b"  k ")], b"k", b"k", "spaces around it are not its"),
    ([(b"authorization", b"Bearer k")], b"k", b"", "a bearer token, where it is not the engine's"),
    ([(b"authorization", b"bEARER  k ")], b"k", b"", "schemes have no case"),
    ([(b"authorization", b"Basic k")], b"", b"", "another scheme"),
    ([(b"authorization", b"ApiKey k")], b"", b"", "an engine's scheme"),
    ([(b"authorization", b"k")], b"", b"", "no scheme"),
    ([(b"authorization", b"Bearer")], b"", b"", "a scheme alone"),
    ([(b"authorization", b"Bearer k"), (b"x-api-key", b"l")], b"l", b"l", "one's own header goes first"),
    ([(b"authorization", b"Bearer k"), (b"x-api-key", b"")], b"k", b"", "unless it is empty"),
    ([(b"x-api-key", b"k"), (b"x-api-key", b"l")], b"k", b"k", "the first of several"),
    ([(b"api-key", b"k"), (b"x-api-keys", b"k")], b"", b"", "nearly the name"),
]


@pytest.mark.parametrize(("headers", "key", "behind", "remark"), HEADERS, ids=[case[3] for case in HEADERS])
def test_headers(headers: list[tuple[bytes, bytes]], key: bytes, behind: bytes, remark: str) -> None:
    assert (key_in(headers), key_in(headers, bearer=False)) == (key, behind), remark


def new(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["key", "new", *arguments])


def test_new_key_fits_its_entry(path: Path) -> None:
    result = new("search-team", "--requests-per-second", "2.5", "--burst", "10", "--days", "90")
    assert result.exit_code == 0
    key = result.stderr.split()[-1]
    assert key.startswith("sg_") and len(key) == 46
    assert key not in result.stdout and sha256(key.encode()).hexdigest() in result.stdout
    path.write_text(GOOD + result.stdout + new("other").stdout)
    found = Keys.read(str(path)).find(key.encode())
    assert found and (found.name, found.requests_per_second, found.burst) == ("search-team", 2.5, 10)
    assert found.expires and timedelta(89) < found.expires - datetime.now(UTC) <= timedelta(90)
    assert Keys((Key(**{"name": "search-team", **tomllib.loads(entry(found))["search-team"]}),)).keys == (found,)


def test_no_two_keys_are_alike() -> None:
    assert len({new("a").stderr for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["search team"], 1, "[search team]: name it with 1 to 64 letters"),
        (["a", "--requests-per-second", "-1"], 1, "[a] requests_per_second: is not a number from 0.0001"),
        (["a", "--requests-per-second", "nan"], 1, "[a] requests_per_second: is not a number from 0.0001"),
        (["a", "--burst", "3"], 1, "[a] burst: limits nothing alone"),
        (["a", "--days", "0"], 2, "Invalid value for '--days'"),
        ([], 2, "Missing argument 'NAME'"),
    ],
)
def test_bad_new_key(arguments: list[str], code: int, words: str) -> None:
    result = new(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr and "sg_" not in result.stderr
