"""What the engines' own documentation says and we did not measure: each with where it is written."""

from __future__ import annotations

#: Bytes of a vector's numbers in memory, by how the engine keeps it; the graph's links come to them.
VECTORS = {"float": 4.0, "fp16": 2.0, "byte": 1.0, "binary": 1 / 8}
#: Those that the engine rounds by itself.
ROUNDED = ("fp16", "binary")
#: Connections of a graph's node (`m` in index_templates), and what a vector takes more than its numbers and links.
LINKS, OVERHEAD = 16, 1.1
#: GB of a shard that is searched, and Lucene documents that it holds, at most; a window is one, and its document too.
SHARD_GB, SHARD_DOCUMENTS = 30.0, 200e6
#: GB of the largest Java heap that keeps short pointers; a node gives it half of its memory, and no more than this.
LARGEST_HEAP_GB = 31.0

SOURCES = {
    "memory of a vector: 1.1 × (bytes a number × numbers + 8 × m)": (
        "OpenSearch, k-NN: memory estimation of float, half-float, byte and binary vectors",
        "https://docs.opensearch.org/latest/mappings/supported-field-types/knn-memory-optimized",
    ),
    "a shard of 10 to 50 GB, 10 to 30 for searches": (
        "AWS, OpenSearch Service Lens, AOSPERF01-BP01; Elasticsearch, size your shards",
        "https://docs.aws.amazon.com/wellarchitected/latest/amazon-opensearch-service-lens/aosperf01-bp01.html",
    ),
    "at most 200 million documents a shard, nested ones counted": (
        "Elasticsearch, size your shards",
        "https://www.elastic.co/docs/deploy-manage/production-guidance/optimize-performance/size-shards",
    ),
    "half of the memory for the heap, at most 31 GB; half of the rest for vectors": (
        "OpenSearch, vector search settings: knn.memory.circuit_breaker.limit is 50 %",
        "https://docs.opensearch.org/latest/vector-search/settings/",
    ),
}


def vector_memory_bytes(numbers: float, kept: str) -> float:
    """Bytes of memory of one vector in an HNSW graph.

    Example:
        >>> round(vector_memory_bytes(384, "float"), 1), round(vector_memory_bytes(384, "binary"), 1)
        (1830.4, 193.6)
    """
    return OVERHEAD * (VECTORS[kept] * numbers + 8 * LINKS)


def vector_disk_bytes(numbers: float, kept: str) -> float:
    """Bytes of a vector's numbers on disk; faiss alone has those of `ROUNDED`, and keeps the float ones beside them.

    Example:
        >>> vector_disk_bytes(384, "byte"), vector_disk_bytes(384, "binary")
        (384.0, 1584.0)
    """
    return (VECTORS[kept] + (VECTORS["float"] if kept in ROUNDED else 0.0)) * numbers
