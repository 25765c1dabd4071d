"""The measured constants: a small file that ``python -m benchmarks.sizing`` writes from the benchmarks' figures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from plugin_server import content, strict
from plugin_server.errors import InvalidField

#: The constants in the package.
PACKAGED = Path(__file__).parent.parent / "constants.json"
#: Bytes of a file; the one in the package has some thousand.
MAX_BYTES = 1 << 20
#: Above every constant.
MOST = 1e12


@dataclass(frozen=True, slots=True)
class Constants:
    """What one bundle takes on one machine; ``core_ms`` are milliseconds of one core.

    Attributes:
        machine: that it was measured on, in words.
        measured: by which commands, and what else a reader should know.
        recall_numbers: of a recall vector.
        token_numbers, token_bits: of a stored token.
        window_tokens, window_overlap_tokens: of a long document's pieces.
        request_core_ms: a gRPC call and the encoding of a query of 16 tokens.
        recall_vector_core_ms: more, if its recall vector is wanted too.
        carried_candidate_core_us: of each candidate that came, verified or not.
        verified_candidate_core_us: more for each one verified,
        verified_query_token_core_us: and for each token of the query with it,
        verified_cell_core_ns: and for each cell of their map, which has as many as the product of both lengths.
        light_candidate_core_us: for each one that MaxSim alone ranks.
        encoded_token_core_ms: a document's token, to both outputs.
        indexing_share: documents a second that are indexed, of those encoded alone.
        query_ms, query_and_recall_ms: a query's encoding on an idle machine.
        verification_ms, cascade_ms, light_ms: of 100 blobs of 128 tokens; in the cascade one in five holds up.
        grpc_ms, http_ms: what a door adds to a call with 100 of them.
        start_s, rest_mib: a sidecar's first answer, and its memory then.
        text_index_bytes_per_token: of the engine's index, for the document's text, ids and graph.
        blob_index_bytes_per_token: of the engine's index, for the blob.
        text_bytes_per_token: of the text itself.
        answer_bytes_per_hit: of an engine's answer, beside blob and text.
        engine_documents: in the one shard that the engine's constants were measured on.
        engine_query_core_ms: of the engine for a search of that shard that returns nothing.
        engine_hit_core_us: of the engine for each hit with its blob.
        exchange_core_ms, exchange_hit_core_us: of the sidecar for such an exchange, and for each hit of it.

    Raises:
        InvalidField: one is not above zero.
    """

    machine: str
    measured: str
    recall_numbers: int
    token_numbers: int
    token_bits: int
    window_tokens: int
    window_overlap_tokens: int
    request_core_ms: float
    recall_vector_core_ms: float
    carried_candidate_core_us: float
    verified_candidate_core_us: float
    verified_query_token_core_us: float
    verified_cell_core_ns: float
    light_candidate_core_us: float
    encoded_token_core_ms: float
    indexing_share: float
    query_ms: float
    query_and_recall_ms: float
    verification_ms: float
    cascade_ms: float
    light_ms: float
    grpc_ms: float
    http_ms: float
    start_s: float
    rest_mib: float
    text_index_bytes_per_token: float
    blob_index_bytes_per_token: float
    text_bytes_per_token: float
    answer_bytes_per_hit: float
    engine_documents: int
    engine_query_core_ms: float
    engine_hit_core_us: float
    exchange_core_ms: float
    exchange_hit_core_us: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value, kind = getattr(self, item.name), item.type
            if kind == "str":
                if not isinstance(value, str):
                    raise InvalidField(f"{item.name}: is no text: measure again")
            elif type(value) not in ((int,) if kind == "int" else (int, float)):
                raise InvalidField(f"{item.name}: is no {'whole ' if kind == 'int' else ''}number: measure again")
            elif not 0 < value < MOST:
                raise InvalidField(f"{item.name}: {value:g} is not above 0 and below {MOST:g}: measure again")

    @classmethod
    def read(cls, path: Path = PACKAGED) -> Constants:
        """The constants in a file, those of the package if none is given.

        Raises:
            InvalidField: it cannot be read, or does not hold every constant and nothing else.
        """
        try:
            given = strict.parse(content.read(path, MAX_BYTES).decode("utf-8"))
        except OSError as error:
            raise InvalidField(f"{path}: {error.strerror}: give a file that `benchmarks.sizing` wrote") from error
        except ValueError as error:
            raise InvalidField(f"{path}: {error}: give a file that `benchmarks.sizing` wrote") from error
        known = {item.name for item in fields(cls)}
        if not isinstance(given, dict):
            raise InvalidField(f"{path}: is no object: give a file that `benchmarks.sizing` wrote")
        if wrong := sorted(known ^ given.keys()):
            fault = "is missing" if wrong[0] in known else "is not known"
            raise InvalidField(f"{path}: {wrong[0]} {fault}: write it again with `benchmarks.sizing`")
        try:
            return cls(**given)
        except InvalidField as error:
            raise InvalidField(f"{path}: {error}") from None

    def text(self) -> str:
        """The file's text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
