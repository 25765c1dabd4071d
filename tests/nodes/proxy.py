"""A proxy in front of an engine, which can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from aiohttp import ClientConnectionError, ClientSession, DummyCookieJar, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

#: Headers that are about one connection, not about the message.
OF_A_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade")
#: Headers that aiohttp would add to a request.
ADDED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


@dataclass
class Rule:
    """What befalls requests whose path starts with ``prefix``; the first rule that fits is taken.

    Attributes:
        prefix: of the path.
        delay: seconds to wait before anything else.
        status: what is answered, with ``body`` and ``headers``, and the engine is not asked; None asks it.
        cut: the connection ends in the middle of the answer.
        times: the rule goes after so many requests; None keeps it.
    """

    prefix: str = "/"
    delay: float = 0.0
    status: int | None = None
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    times: int | None = None


@dataclass(frozen=True)
class Seen:
    """A request that came.

    Attributes:
        path: with the query string, as it was sent.
    """

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the client is to get; ``headers`` hold the length, which a HEAD's empty body does not tell."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Proxy:
    """Forwards every request to a target untouched, as far as no rule says otherwise.

    Attributes:
        url: without a slash at the end.
        rules: what goes wrong; change it at any time.
        seen: every request that came, the refused ones too.
        authorization: the header ``Authorization`` that every request must carry; None asks for none.
        certificate: what a client must trust, with TLS.
    """

    def __init__(self, target: str, session: ClientSession, certificate: Path | None) -> None:
        self.url = ""
        self.rules: list[Rule] = []
        self.seen: list[Seen] = []
        self.authorization: str | None = None
        self.certificate = certificate
        self._target = target
        self._session = session
        self._runner: web.AppRunner | None = None

    @classmethod
    async def start(cls, target: str, tls: Path | None = None) -> Proxy:
        """A proxy on a free port, in front of the engine at the URL ``target``.

        Args:
            target: such as ``node.url``.
            tls: a folder to make a self-signed certificate in; None speaks plain HTTP.
        """
        session = ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar(), skip_auto_headers=ADDED)
        certificate = await asyncio.to_thread(self_signed, tls) if tls else None
        proxy = cls(target, session, certificate)
        application = web.Application(client_max_size=2**30)
        application.router.add_route("*", "/{path:.*}", proxy._handle)
        proxy._runner = web.AppRunner(application, auto_decompress=False, shutdown_timeout=1)
        await proxy._runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        if context and certificate:
            context.load_cert_chain(certificate, certificate.with_name("key.pem"))
        await web.TCPSite(proxy._runner, "127.0.0.1", 0, ssl_context=context).start()
        proxy.url = f"{'https' if certificate else 'http'}://127.0.0.1:{proxy._runner.addresses[0][1]}"
        return proxy

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._runner:
            await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(request.method, request.raw_path, request.headers, await request.read())
        self.seen.append(seen)
        rule = self._rule(seen)
        await asyncio.sleep(rule.delay)
        try:
            answer = await self._answer(seen, rule)
        except ClientConnectionError:
            return await cut(request, None)  # what a client of a dead engine sees
        if rule.cut:
            return await cut(request, answer)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _rule(self, seen: Seen) -> Rule:
        """The rule for a request, one of its times taken."""
        if self.authorization not in (None, seen.headers.get("Authorization")):
            return Rule(status=401, body=b'{"status":401}', headers={"WWW-Authenticate": 'Basic realm="test"'})
        for rule in self.rules:
            if seen.path.startswith(rule.prefix):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self.rules.remove(rule)
                return rule
        return Rule()

    async def _answer(self, seen: Seen, rule: Rule) -> Answer:
        """The rule's answer, or the engine's."""
        if rule.status is not None:
            length = {"Content-Length": str(len(rule.body)), "Content-Type": "application/json"}
            return Answer(rule.status, length | dict(rule.headers), rule.body)
        url = URL(self._target + seen.path, encoded=True)
        body = BytesIO(seen.body) if seen.body else None  # bytes as they are draw a warning when they are many
        headers = message_headers(seen.headers)
        headers.popall("Host", None)
        async with self._session.request(seen.method, url, headers=headers, data=body, allow_redirects=False) as answer:
            return Answer(answer.status, message_headers(answer.headers), await answer.read())


def message_headers(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers that go on from one connection to the next."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in OF_A_CONNECTION)


async def cut(request: web.Request, answer: Answer | None) -> web.StreamResponse:
    """Sends the first half of an answer, or nothing of none, and closes the connection."""
    response = web.StreamResponse()
    if answer:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body) or 2
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    if request.transport:
        request.transport.close()
    return response


def self_signed(folder: Path) -> Path:
    """``certificate.pem`` for 127.0.0.1 and localhost, its key in ``key.pem`` beside it."""
    certificate = folder / "certificate.pem"
    options = "-x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost".split()
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", str(certificate.with_name("key.pem")), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *options, *names, *files], check=True, capture_output=True)
    return certificate
