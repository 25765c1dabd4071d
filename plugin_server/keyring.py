"""Who may come in, and how often: the keys of a file, and a bucket for each that has a limit."""

from __future__ import annotations

from collections.abc import Iterable

from plugin_server.admission import Watch
from plugin_server.bucket import Bucket
from plugin_server.caller import called_by
from plugin_server.errors import RateLimited, Unauthenticated
from plugin_server.keys import Key, Keys
from plugin_server.reloaded import Reloaded

#: Headers of HTTP and metadata of gRPC, in small letters; the first goes before the second.
API_KEY, AUTHORIZATION = "x-api-key", "authorization"
SCHEME = b"bearer "


class Keyring:
    """The keys of a file, which is read again when it changes; lives on one event loop.

    A key whose limits stay the same keeps what it has used of them when the file is read again.

    Args:
        path: the file.
        watch: is told who was sent away.

    Raises:
        InvalidField: the file cannot be used.
    """

    def __init__(self, path: str, watch: Watch | None = None) -> None:
        self._keys: Reloaded[Keys] = Reloaded([path], lambda before: Keys.read(path))
        self._buckets: dict[str, Bucket] = {}
        self._watch = watch

    def admit(self, given: bytes) -> None:
        """Nothing; the request is its caller's from now on.

        Args:
            given: the key; empty for none.

        Raises:
            Unauthenticated: it is none of the keys, or has expired.
            RateLimited: its caller has sent too many requests.
        """
        key = self._keys.current.find(given)
        if key is None:
            self._shed("unauthenticated")
            raise Unauthenticated
        called_by(key.name)
        if key.requests_per_second and (wait := self._bucket(key, key.requests_per_second).take()):
            self._shed("rate_limited")
            raise RateLimited(key.name, key.requests_per_second, key.most, wait)

    def _bucket(self, key: Key, rate: float) -> Bucket:
        known = self._buckets.get(key.name)
        if known is None or (known.rate, known.burst) != (rate, key.most):
            known = self._buckets[key.name] = Bucket(rate, key.most)
        return known

    def _shed(self, cause: str) -> None:
        if self._watch:
            self._watch.shed(cause)


def key_in(headers: Iterable[tuple[bytes, bytes]], bearer: bool = True) -> bytes:
    """The key that a request brings; empty for none.

    Args:
        headers: names in small letters.
        bearer: whether ``authorization: Bearer KEY`` is for us.

    Example:
        >>> key_in([(b"authorization", b"Bearer sg_a")]), key_in([(b"authorization", b"Bearer sg_a")], bearer=False)
        (b'sg_a', b'')
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found.setdefault(name, value.strip())
    authorization = found.get(AUTHORIZATION.encode(), b"") if bearer else b""
    token = authorization[len(SCHEME) :].strip() if authorization.lower().startswith(SCHEME) else b""
    return found.get(API_KEY.encode()) or token
