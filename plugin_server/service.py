"""The five calls of ``simgate.v1``: a request in, the core's work on a thread, a response or a status out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

import grpc

from plugin_server import simgate_v1_pb2 as pb
from plugin_server import simgate_v1_pb2_grpc as pb_grpc
from plugin_server import wire
from plugin_server.asked import Asked
from plugin_server.backend import Backend
from plugin_server.core import Core
from plugin_server.errors import IndexFailure, InvalidField, OverLimit, Overloaded
from plugin_server.occasion import occurring
from plugin_server.reranker import WANTED, Reranker
from plugin_server.room import Room
from plugin_server.server_settings import ServerSettings
from plugin_server.status import grpc_status, message

NAME = pb.DESCRIPTOR.services_by_name["Simgate"].full_name
#: Methods that are nothing but a computation.
COMPUTED = {f"/{NAME}/{method}" for method in ("Rerank", "Verify", "Encode")}
#: Seconds of a call whose client sets no deadline.
DEADLINE = ServerSettings().deadline
Request = TypeVar("Request")
Response = TypeVar("Response")


class Service(pb_grpc.SimgateServicer):
    """The servicer; the event loop only waits, so health checks are answered while a request is computed.

    Args:
        core: shared by all calls. What a client does not wait for any more is not computed.
        backend: for Search.
        max_message_bytes: the server's limit, for Info.
        deadline: seconds of a call, at most; a client's own may be shorter.
    """

    def __init__(
        self, core: Core, backend: Backend | None = None, max_message_bytes: int = 0, deadline: float = DEADLINE
    ) -> None:
        self.backend = backend or Backend()
        self.max_message_bytes = max_message_bytes
        self.deadline = deadline
        self._core = core

    @property
    def reranker(self) -> Reranker:
        """The reranker of the call that is served."""
        return self._core.reranker

    async def Rerank(self, request: pb.RerankRequest, context: Any) -> pb.RerankResponse:
        """The candidates in their new order, each with its verdict."""
        return await answered(self._core, self.deadline, self.rerank, request, context)

    async def Verify(self, request: pb.VerifyRequest, context: Any) -> pb.VerifyResponse:
        """A verdict for each pair."""
        return await answered(self._core, self.deadline, self.verify, request, context)

    async def Encode(self, request: pb.EncodeRequest, context: Any) -> pb.EncodeResponse:
        """Recall vectors and token blobs."""
        return await answered(self._core, self.deadline, self.encode, request, context)

    async def Info(self, request: pb.InfoRequest, context: Any) -> pb.InfoResponse:
        """What is loaded, and the limits."""
        return self.info()

    async def Search(self, request: pb.SearchRequest, context: Any) -> pb.SearchResponse:
        """Recall and reranking over the engine or the index."""
        async with served(self._core, self.deadline, context, request):
            if self.backend.search is None:
                raise IndexFailure("index: this server was started without one: start it with an engine or an index")
            answer = await self.backend.search(wire.question_of(request, self.backend.name))
            return wire.search_response(answer, self._fingerprint)

    def rerank(self, request: pb.RerankRequest) -> pb.RerankResponse:
        """The response to a Rerank request.

        Raises:
            InvalidRequest: as `Reranker.rerank`.
        """
        profile, policy = wire.profile_of(request.profile, "passages"), wire.policy_of(request.policy)
        candidates = [wire.candidate_of(candidate) for candidate in request.candidates]
        asked = Asked(
            request.query,
            candidates,
            profile,
            policy,
            calibration=request.calibration,
            verification=wire.verification_of(request.verification),
            wanted=request.top_n or WANTED,
        )
        shadow = self._core.shadow
        ranking = shadow.rerank(self.reranker, asked) if shadow else asked.rank(self.reranker)
        return wire.rerank_response(ranking, request.top_n, self._fingerprint)

    def verify(self, request: pb.VerifyRequest) -> pb.VerifyResponse:
        """The response to a Verify request.

        Raises:
            InvalidRequest: as `Reranker.verify`, or there are no pairs or too many.
        """
        profile = wire.profile_of(request.profile, "pairs")
        self._check_number("pairs", len(request.pairs))
        pairs = [(pair.query, pair.document) for pair in request.pairs]
        room, shadow = Room(self.reranker.settings.windows), self._core.shadow
        verify = partial(shadow.verify_pairs, self.reranker) if shadow else self.reranker.verify_pairs
        verdicts = verify(pairs, profile, request.calibration, room)
        return wire.verify_response(verdicts, self._fingerprint)

    def encode(self, request: pb.EncodeRequest) -> pb.EncodeResponse:
        """The response to an Encode request.

        Raises:
            InvalidRequest: as `Encoder.documents`, or there are no texts or too many.
        """
        self._check_number("texts", len(request.texts))
        names = [f"texts[{number}]" for number in range(len(request.texts))]
        room = Room(self.reranker.settings.windows)
        encoded = self.reranker.encoder.documents(list(request.texts), names, room)
        return wire.encode_response(encoded, self._fingerprint)

    def info(self) -> pb.InfoResponse:
        """The response to an Info request."""
        reranker = self.reranker
        return wire.info_response(
            reranker.manifest,
            reranker.settings,
            version("simgate"),
            reranker.encoder.max_query_tokens,
            self.max_message_bytes,
            self.backend.search is not None,
            reranker.previous.manifest.fingerprint if reranker.previous else "",
        )

    @property
    def _fingerprint(self) -> str:
        return self.reranker.manifest.fingerprint

    def _check_number(self, field: str, number: int) -> None:
        if not number:
            raise InvalidField(f"{field}: the list is empty: send at least one")
        limit = self.reranker.settings.max_candidates
        if number > limit:
            raise OverLimit(field, number, limit, field, "send fewer, or raise max_candidates")


async def answered(
    core: Core, deadline: float, work: Callable[[Request], Response], request: Request, context: Any
) -> Response:
    """What `work` returns, done on a thread of the core; an error ends the call with its status."""
    async with served(core, deadline, context, request):
        return await core.run(work, request)


@asynccontextmanager
async def served(core: Core, deadline: float, context: Any, request: Any) -> AsyncIterator[None]:
    """Nothing; the block is a request of the core, and an error in it ends the call with its status.

    Args:
        deadline: seconds, at most; the client's own counts if it is shorter.
    """
    left = context.time_remaining()
    way = type(request).DESCRIPTOR.full_name.removesuffix("Request")
    with (
        core.request(deadline if left is None else min(left, deadline)),
        occurring(way, context.invocation_metadata() or ()),
    ):
        try:
            yield
        except Exception as error:
            await abort(context, error)


async def abort(context: Any, error: Exception) -> NoReturn:
    """Never; the call ends with the error's status and sentence, and the hint when to send it again if there is one.

    The hint is gRPC's own (``grpc-retry-pushback-ms``, proposal A6), which clients with a retry policy heed.
    """
    hint = (("grpc-retry-pushback-ms", str(round(1000 * error.retry_after))),) if isinstance(error, Overloaded) else ()
    await context.abort(grpc_status(error), message(error), (*context.trailing_metadata(), *hint))
    raise grpc.aio.AbortError
