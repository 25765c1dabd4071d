"""The model: what a collection and its traffic take, by the measured constants; every line can be checked by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plugin_server.settings import Settings
from plugin_server.sizing.constants import Constants
from plugin_server.sizing.need import Need, Nodes, Prices
from plugin_server.sizing.rules import SHARD_DOCUMENTS, vector_disk_bytes, vector_memory_bytes

GB, MIB, HOURS_OF_A_MONTH = 1e9, 2**20, 730.0
#: Tokens of the query that a request's constant holds, the marks at both ends of a text, and what is always there.
QUERY_TOKENS, MARKS, AVAILABLE = 16, 2, 2
#: Bytes of a blob beside its rows and windows, and of a window; characters before its base64.
BLOB_HEAD_BYTES, BLOB_WINDOW_BYTES, BLOB_MAGIC_BYTES = 18, 2, 5


@dataclass(frozen=True, slots=True)
class Document:
    """What one document takes, on average."""

    windows: float
    tokens_stored: float
    blob_bytes: float
    index_bytes: float
    vector_memory_bytes: float
    encoding_core_ms: float


@dataclass(frozen=True, slots=True)
class Search:
    """What one search takes."""

    verified: float
    sidecar_core_ms: float
    engine_core_ms: float
    answer_bytes: float
    hits_read: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What the whole takes; `nodes_by_…` are the data nodes that memory, disk or cores alone would want."""

    document: Document
    search: Search
    shards: int
    copies: int
    blob_gb: float
    index_gb: float
    vector_memory_gb: float
    nodes_by_memory: int
    nodes_by_disk: int
    nodes_by_cores: int
    data_nodes: int
    sidecars: int
    sidecar_memory_mib: float
    requests_per_second_and_core: float
    fetch_mb_per_second: float
    reads_per_second: float
    encoding_core_hours: float
    encoding_hours: float
    sidecar_price_per_month: float
    engine_price_per_month: float
    encoding_price: float
    price_per_million_searches: float
    verification_price_per_million_searches: float

    @property
    def wanted(self) -> list[tuple[str, int]]:
        """What wants how many data nodes, the most first: ``memory``, ``disk``, ``cores`` and ``copies``."""
        wanted = {"memory": self.nodes_by_memory, "disk": self.nodes_by_disk, "cores": self.nodes_by_cores}
        # of equals the first one counts, and copies alone where nothing else wants as many
        return sorted((wanted | {"copies": self.copies}).items(), key=lambda item: -item[1])

    @property
    def bound(self) -> str:
        """What the data nodes are counted by."""
        return self.wanted[0][0]


def plan(need: Need, nodes: Nodes, prices: Prices, constants: Constants) -> Plan:
    """Everything that the need takes."""
    one = document(need, constants)
    index_gb, copies = need.documents * one.index_bytes / GB, 1 + math.ceil(need.replicas)
    shards = max(_up(index_gb / need.shard_gb), _up(need.documents * (1 + one.windows) / SHARD_DOCUMENTS))
    each = search(need, one, shards, constants)
    vector_gb = copies * need.documents * one.vector_memory_bytes / GB
    core_s = nodes.busy * 1000
    by_memory = _up(vector_gb / nodes.vector_memory_gb)
    by_disk = _up(copies * index_gb / (nodes.node_disk_gb * nodes.disk_fill))
    by_cores = _up(need.requests_per_second * each.engine_core_ms / core_s / nodes.node_cores)
    data_nodes = max(by_memory, by_disk, by_cores, copies)
    sidecars = max(AVAILABLE, _up(need.requests_per_second * each.sidecar_core_ms / core_s / nodes.sidecar_cores))
    memory_mib = constants.rest_mib + Settings().cache_bytes / MIB
    hour = nodes.sidecar_cores * prices.price_core_hour + memory_mib * MIB / GB * prices.price_memory_gb_hour
    sidecar_price = HOURS_OF_A_MONTH * sidecars * hour
    hour = nodes.node_cores * prices.price_core_hour + nodes.node_memory_gb * prices.price_memory_gb_hour
    engine_price = data_nodes * (HOURS_OF_A_MONTH * hour + nodes.node_disk_gb * prices.price_disk_gb_month)
    millions = need.requests_per_second * 3600 * HOURS_OF_A_MONTH / 1e6
    core_hours = need.documents * one.encoding_core_ms / 3.6e6
    return Plan(
        document=one,
        search=each,
        shards=shards,
        copies=copies,
        blob_gb=need.documents * one.blob_bytes / GB,
        index_gb=index_gb,
        vector_memory_gb=vector_gb,
        nodes_by_memory=by_memory,
        nodes_by_disk=by_disk,
        nodes_by_cores=by_cores,
        data_nodes=data_nodes,
        sidecars=sidecars,
        sidecar_memory_mib=memory_mib,
        requests_per_second_and_core=1000 / each.sidecar_core_ms,
        fetch_mb_per_second=need.requests_per_second * each.answer_bytes / 1e6,
        reads_per_second=need.requests_per_second * each.hits_read,
        encoding_core_hours=core_hours,
        encoding_hours=core_hours / nodes.encoding_cores,
        sidecar_price_per_month=sidecar_price,
        engine_price_per_month=engine_price,
        encoding_price=core_hours * prices.price_core_hour,
        price_per_million_searches=(sidecar_price + engine_price) / millions,
        verification_price_per_million_searches=sidecar_price / millions,
    )


def document(need: Need, constants: Constants) -> Document:
    """What a document of that many tokens takes; a longer one is cut into windows that overlap."""
    first = constants.window_tokens - MARKS
    more = max(0.0, need.tokens - MARKS - first)
    windows = 1 + math.ceil(more / (first - constants.window_overlap_tokens))
    stored = need.tokens + (windows - 1) * (MARKS + constants.window_overlap_tokens)
    numbers = constants.recall_numbers
    return Document(
        windows=windows,
        tokens_stored=stored,
        blob_bytes=blob_bytes(stored, windows, constants),
        index_bytes=windows * vector_disk_bytes(numbers, need.vectors)
        + need.tokens * constants.text_index_bytes_per_token
        + stored * constants.blob_index_bytes_per_token,
        vector_memory_bytes=windows * vector_memory_bytes(numbers, need.vectors),
        encoding_core_ms=stored * constants.encoded_token_core_ms / constants.indexing_share,
    )


def blob_bytes(tokens: float, windows: float, constants: Constants) -> float:
    """Bytes of a blob as text: its magic, and four characters for each three bytes begun."""
    row = constants.token_numbers * constants.token_bits / 8
    raw = BLOB_HEAD_BYTES + BLOB_WINDOW_BYTES * windows + row * tokens
    return BLOB_MAGIC_BYTES + 4 * math.ceil(raw / 3)


def search(need: Need, one: Document, shards: int, constants: Constants) -> Search:
    """What a search takes of the sidecar, and of the engine with so many shards."""
    verified = verified_candidates(need)
    ours = sidecar_core_ms(need, one, verified, constants)
    answer = need.candidates * (
        one.blob_bytes + need.tokens * constants.text_bytes_per_token + constants.answer_bytes_per_hit
    )
    if need.way == "search":
        ours += constants.recall_vector_core_ms + constants.exchange_core_ms
        ours += need.candidates * constants.exchange_hit_core_us / 1000
    asked = max(1.0, shards * need.searched_share)
    # a graph's search grows with the logarithm of its vectors
    deeper = max(1.0, math.log(need.documents * one.windows / shards) / math.log(constants.engine_documents))
    theirs = asked * deeper * constants.engine_query_core_ms + need.candidates * constants.engine_hit_core_us / 1000
    return Search(verified, ours, theirs, answer, need.candidates)


def verified_candidates(need: Need) -> float:
    """How many candidates of a search are verified.

    Example:
        >>> verified_candidates(Need()), verified_candidates(Need(verification="cascade", accepted_share=0.2, top_n=10))
        (100, 50.0)
        >>> verified_candidates(Need(verification="light"))
        0.0
    """
    if need.verification == "light":
        return 0.0
    if need.verification == "cascade":
        return min(need.candidates, need.top_n / need.accepted_share)
    return need.candidates


def sidecar_core_ms(need: Need, one: Document, verified: float, constants: Constants) -> float:
    """Milliseconds of a core for a request with blobs: the query, what is carried, what is verified or ranked."""
    tokens = one.tokens_stored
    pair_us = (
        constants.verified_candidate_core_us
        + one.windows * need.query_tokens * constants.verified_query_token_core_us
        + need.query_tokens * tokens * constants.verified_cell_core_ns / 1000
    )
    ranked = need.candidates if need.verification == "light" else 0.0
    longer = max(0.0, need.query_tokens - QUERY_TOKENS) * constants.encoded_token_core_ms
    return (
        constants.request_core_ms
        + longer
        + need.candidates * constants.carried_candidate_core_us / 1000
        + verified * pair_us / 1000
        + ranked * constants.light_candidate_core_us / 1000
    )


def _up(number: float) -> int:
    """The next whole number, and at least one."""
    return max(1, math.ceil(number - 1e-9))
