"""Clients of a simgate server, synchronous and asynchronous, that speak the core's own words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TypeVar

import grpc

from plugin_server import reply
from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server.candidate import Candidate
from plugin_server.channel import Tls, async_channel, channel, metadata
from plugin_server.ranking import Ranking
from plugin_server.remote import remote_error
from plugin_server.search import Question
from plugin_server.verdict import Verdict

ADDRESS = "127.0.0.1:50051"
#: Seconds a call may take, waiting for the connection included.
TIMEOUT = 30.0
Request = TypeVar("Request")
Response = TypeVar("Response")


class Client:
    """A connection to a simgate server, from several threads if need be; a context manager that closes it.

    Every call raises a `plugin_server.remote.RemoteError` when the server answers with an error or not at all, and
    `UnknownChoice` for a profile or policy that does not exist.

    Args:
        address: ``host:port``.
        timeout: seconds of one call.
        tls: for a server that has it.
        api_key: for a server that asks for one.

    Example::

        with Client("127.0.0.1:50051") as client:
            ranking = client.rerank("a red car", ["a red car", "a blue car"])
        with Client("rerank.example:50051", tls=Tls(ca="ca.pem"), api_key=os.environ["SIMGATE_KEY"]) as client:
            ...
    """

    def __init__(
        self, address: str = ADDRESS, timeout: float = TIMEOUT, tls: Tls | None = None, api_key: str = ""
    ) -> None:
        self.timeout = timeout
        self._metadata = metadata(api_key)
        self._channel = channel(address, tls)
        self._stub = pb_grpc.SimgateStub(self._channel)

    def rerank(
        self,
        query: str,
        candidates: Sequence[str | Candidate],
        profile: str = "passages",
        policy: str = "filter",
        top_n: int = 0,
        calibration: str = "",
        verification: str = "",
    ) -> Ranking:
        """The candidates in their new order, as `Reranker.rerank`; the best `top_n` hits alone unless it is 0."""
        request = reply.rerank_request(query, candidates, profile, policy, top_n, calibration, verification)
        return reply.ranking_of(self._call(self._stub.Rerank, request), candidates)

    def verify(self, pairs: Sequence[tuple[str, str]], profile: str = "pairs", calibration: str = "") -> list[Verdict]:
        """The verdicts on (query, document), in the order given."""
        response = self._call(self._stub.Verify, reply.verify_request(pairs, profile, calibration))
        return [reply.verdict_of(verdict) for verdict in response.verdicts]

    def encode(self, texts: Sequence[str]) -> list[reply.Encoding]:
        """Recall vectors and a token blob for each text, in the order given."""
        response = self._call(self._stub.Encode, pb.EncodeRequest(texts=texts))
        return [reply.encoding_of(encoding) for encoding in response.encodings]

    def info(self) -> reply.Info:
        """What the server has loaded, and its limits."""
        return reply.info_of(self._call(self._stub.Info, pb.InfoRequest()))

    def search(self, question: str | Question) -> reply.SearchResult:
        """The best documents of the server's engine or index; a bare query stands for a question with the defaults."""
        request = reply.search_request(_question(question))
        return reply.search_result_of(self._call(self._stub.Search, request))

    def close(self) -> None:
        """Nothing; the connection is closed, and calls that are running end."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Response], request: object) -> Response:
        try:
            return method(request, timeout=self.timeout, metadata=self._metadata)
        except grpc.RpcError as error:  # which is also a Call
            raise remote_error(error.code(), error.details() or "", error.trailing_metadata() or ()) from error


class AsyncClient:
    """A connection to a simgate server for asyncio; an asynchronous context manager. Errors are those of `Client`.

    Made while an event loop runs, which it stays with.

    Args:
        address: ``host:port``.
        timeout: seconds of one call.
        tls: for a server that has it.
        api_key: for a server that asks for one.
    """

    def __init__(
        self, address: str = ADDRESS, timeout: float = TIMEOUT, tls: Tls | None = None, api_key: str = ""
    ) -> None:
        self.timeout = timeout
        self._metadata = metadata(api_key)
        self._channel = async_channel(address, tls)
        self._stub = pb_grpc.SimgateStub(self._channel)

    async def rerank(
        self,
        query: str,
        candidates: Sequence[str | Candidate],
        profile: str = "passages",
        policy: str = "filter",
        top_n: int = 0,
        calibration: str = "",
        verification: str = "",
    ) -> Ranking:
        """The ranking, as `Client.rerank`."""
        request = reply.rerank_request(query, candidates, profile, policy, top_n, calibration, verification)
        return reply.ranking_of(await self._call(self._stub.Rerank, request), candidates)

    async def verify(
        self, pairs: Sequence[tuple[str, str]], profile: str = "pairs", calibration: str = ""
    ) -> list[Verdict]:
        """The verdicts, as `Client.verify`."""
        response = await self._call(self._stub.Verify, reply.verify_request(pairs, profile, calibration))
        return [reply.verdict_of(verdict) for verdict in response.verdicts]

    async def encode(self, texts: Sequence[str]) -> list[reply.Encoding]:
        """The encodings, as `Client.encode`."""
        response = await self._call(self._stub.Encode, pb.EncodeRequest(texts=texts))
        return [reply.encoding_of(encoding) for encoding in response.encodings]

    async def info(self) -> reply.Info:
        """The server's state, as `Client.info`."""
        return reply.info_of(await self._call(self._stub.Info, pb.InfoRequest()))

    async def search(self, question: str | Question) -> reply.SearchResult:
        """The documents, as `Client.search`."""
        request = reply.search_request(_question(question))
        return reply.search_result_of(await self._call(self._stub.Search, request))

    async def close(self) -> None:
        """Nothing; the connection is closed, and calls that are running end."""
        await self._channel.close(None)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Callable[..., Awaitable[Response]], request: object) -> Response:
        try:
            return await method(request, timeout=self.timeout, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise remote_error(error.code(), error.details() or "", error.trailing_metadata() or ()) from error


def _question(given: str | Question) -> Question:
    return Question(given) if isinstance(given, str) else given
