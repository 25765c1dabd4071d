"""The HTTP doors by their own OpenAPI document: what it allows and what it does not, with every method."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from hypothesis import strategies as st

from fuzz.engine import hostile_engine
from fuzz.server import reranker, serving
from fuzz.target import Step, Target, properties

METHODS = ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]


@contextmanager
def opened() -> Iterator[Step]:
    """A server with every door, and its document's cases."""
    import schemathesis
    from schemathesis import GenerationMode

    with hostile_engine(reranker()) as url, serving(url) as server, requests.Session() as session:
        base = f"http://{server.http_address}"
        document = schemathesis.openapi.from_url(f"{base}/openapi.json")
        operations = [found.ok() for found in document.get_all_operations()]
        assert len(operations) >= 8
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        cases = [operation.as_strategy(mode) for operation in operations for mode in modes]

        def check(given: tuple[Any, str | None]) -> str | None:
            case, method = given
            try:
                if method:
                    answer = session.request(method, base + case.operation.path, timeout=60)
                else:
                    answer = case.call(base, session=session, timeout=60)
            except (requests.exceptions.ContentDecodingError, requests.exceptions.ChunkedEncodingError) as error:
                return type(error).__name__  # the engine's answer, passed on as it is
            ours = "nternal" in answer.text  # else what the engine says is passed on
            assert answer.status_code < 500 or not ours, (answer.status_code, answer.text[:300])
            return None if answer.status_code < 300 else str(answer.status_code)

        methods = st.sampled_from([None] * 12 + METHODS)
        yield properties(st.tuples(st.one_of(cases), methods), check)
        assert session.get(f"{base}/livez").status_code == 200


TARGETS = [Target("HTTP doors: OpenAPI", "schemathesis", 5_000, 60, opened)]
