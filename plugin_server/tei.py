"""``tei.v1.Rerank``: text-embeddings-inference's rerank over gRPC, with the scores of the HTTP door ``/rerank``."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from plugin_server import tei_v1_pb2 as pb
from plugin_server import tei_v1_pb2_grpc as pb_grpc
from plugin_server.blob import split
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.core import Core
from plugin_server.relevance import Relevant, rerank
from plugin_server.service import DEADLINE, answered

NAME = pb.DESCRIPTOR.services_by_name["Rerank"].full_name
#: Methods that are nothing but a computation.
COMPUTED = {f"/{NAME}/Rerank"}
#: Stands where the request has no place for one.
PROFILE = "passages"


class TeiService(pb_grpc.RerankServicer):
    """The servicer; the event loop only waits.

    Args:
        core: shared by all calls.
        deadline: seconds of a call, at most.
    """

    def __init__(self, core: Core, deadline: float = DEADLINE) -> None:
        self._core = core
        self._deadline = deadline

    async def Rerank(self, request: pb.RerankRequest, context: Any) -> pb.RerankResponse:
        """The texts with their scores, best first."""
        return await answered(self._core, self._deadline, self.rerank, request, context)

    def rerank(self, request: pb.RerankRequest) -> pb.RerankResponse:
        """The response to a request; a text that cannot be read is not rejected.

        Raises:
            InvalidRequest: as `Reranker.rerank` does when it is lenient.
        """
        began = perf_counter_ns()
        candidates = [Candidate(rest, blob=stored) for stored, rest in map(split, request.texts)]
        shadow = self._core.shadow
        found = rerank(self._core.reranker, request.query, candidates, PROFILE, Policy.DEMOTE, "texts", shadow=shadow)
        ranks = [_rank(item, request) for item in found]
        read = len(request.query) + sum(len(candidate.text) for candidate in candidates)
        metadata = pb.Metadata(compute_chars=read, total_time_ns=perf_counter_ns() - began)
        return pb.RerankResponse(ranks=ranks, metadata=metadata)


def _rank(item: Relevant, request: pb.RerankRequest) -> pb.Rank:
    """One text with its score, as the request wants it."""
    text = item.hit.candidate.text if request.return_text else None
    return pb.Rank(index=item.hit.position, score=item.told(request.raw_scores), text=text)
