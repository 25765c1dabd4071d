"""Figures of benchmarks from which every constant of sizing can be worked out on paper, and what comes out."""

from __future__ import annotations

from typing import Any

MACHINE = {"cores": 2, "instructions": "avx2", "memory_gib": 8}
DEPTHS: dict[str, Any] = {
    "candidates": 100,
    "threads": 2,
    "milliseconds": {
        "full": 14.0,
        "cascade, all hold up": 5.0,
        "cascade, one in 5 holds up": 8.0,
        "light": 6.0,
        "query encoded, tokens alone": 6.0,
        "query encoded, recall vector too": 9.0,
    },
    "verified": {"cascade, all hold up": 10},
}
COST = {
    "threads": 2,
    "pairs": 50,
    "grid_ms": [[q, d, 1 + 50 * (0.002 * q + 0.00001 * q * d)] for q in (8, 16, 32) for d in (32, 64)],
    "encoded_per_second": {"10": 500.0, "100": 50.0},
}
CALLS = {
    "machine": MACHINE,
    "start_s": 1.5,
    "rest_bytes": 300 * 2**20,
    "milliseconds": {
        "10": {"in process": 8.0, "gRPC, stub": 9.0, "HTTP /v2/rerank": 9.5},
        "100": {"in process": 20.0, "gRPC, stub": 22.8, "HTTP /v2/rerank": 24.0},
    },
    "requests_per_second": {"10 blobs": {"1": 90, "32": 100.0}, "100 blobs": {"1": 40, "32": 40.0}},
}
ENGINES = {
    "documents": 50_000,
    "index_per_second": 90.0,
    "encode_per_second": 100.0,
    "size_documents": 1000,
    "size_tokens": 30.0,
    "bare_bytes": 1_836_000,
    "blobs_bytes": 3_036_000,
    "blob_bytes_per_token": 40.0,
    "work": {
        "no hits": {"engine_core_ms": 3.0, "own_core_ms": 0.5},
        "blobs": {
            "engine_core_ms": 8.0,
            "own_core_ms": 1.5,
            "answer_bytes": 100_000.0,
            "blob_bytes": 80_000.0,
            "text_bytes": 10_000.0,
        },
    },
}
PAPER: dict[str, dict[str, Any]] = {"depths": DEPTHS, "cost": COST, "calls": CALLS, "engines": ENGINES}
WORKED = {
    # requests: 20 and 50 ms of a core with 10 and 100 candidates, so 1/3 each and 16.67 without
    "request_core_ms": 16.67,
    # full is 9 ms more for 90 verified: 0.1 each, which leaves 4 of 5 ms for 100 carried; the door adds 1.8 ms for 90
    "carried_candidate_core_us": 60.0,
    # 333.3 - 60 - 16 × 4 - 2,048 × 0.02
    "verified_candidate_core_us": 168.4,
    "verified_query_token_core_us": 4.0,
    "verified_cell_core_ns": 20.0,
    # 6 ms of two cores for 100, less 40 that carrying took
    "light_candidate_core_us": 80.0,
    "recall_vector_core_ms": 6.0,
    # 4 ms of a core for 10 tokens, 40 for 100
    "encoded_token_core_ms": 0.4,
    "indexing_share": 0.9,
    "query_ms": 6.0,
    "query_and_recall_ms": 9.0,
    "verification_ms": 14.0,
    "cascade_ms": 8.0,
    "light_ms": 6.0,
    "grpc_ms": 2.8,
    "http_ms": 4.0,
    "start_s": 1.5,
    "rest_mib": 300.0,
    # 1,836 bytes a document, 4 × 384 of them numbers, over 30 tokens
    "text_index_bytes_per_token": 10.0,
    "blob_index_bytes_per_token": 40.0,
    # 100 bytes of text and 800 of blob, which is 20 tokens
    "text_bytes_per_token": 5.0,
    "answer_bytes_per_hit": 100.0,
    "engine_query_core_ms": 3.0,
    "engine_hit_core_us": 50.0,
    "exchange_core_ms": 0.5,
    "exchange_hit_core_us": 10.0,
}
