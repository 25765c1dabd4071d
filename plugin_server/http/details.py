"""What simgate tells of a document beside its score."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from plugin_server.relevance import Relevant

#: For clients that refuse keys they do not know, as some of Elasticsearch's inference services do.
WANTED = "Whether each result has the keys `verdict`, `probability`, `threshold` and `reason`."
Wanted = Annotated[bool, Query(alias="details", description=WANTED)]


RANKED = "Whether the documents come best first, as an engine's own processor sends them: their places then stand for "
Ranked = Annotated[bool, Query(alias="ranked", description=RANKED + "recall where they have no scores.")]

#: The keys of a result that are simgate's own.
Outcome = Annotated[
    str | None, Field(description="`accepted`, `rejected`, or `unverified` if the document could not be read.")
]
Probability = Annotated[
    float | None,
    Field(description="That the document holds up under the profile, 0 to 1; absent if it is unverified."),
]
Threshold = Annotated[float | None, Field(description="The probability from which a document like this is accepted.")]
Calibrated = Annotated[
    str | None, Field(description="Name of the calibration whose threshold it is; absent for the bundle's own.")
]
Reason = Annotated[str | None, Field(description="Why the document is unverified, else absent.")]


def details(item: Relevant, wanted: bool) -> dict[str, Any]:
    """simgate's own keys and values for a result; none if they are not wanted."""
    verdict = item.hit.verdict
    if not wanted:
        return {}
    return {
        "verdict": verdict.outcome.value,
        "probability": verdict.probability,
        "threshold": verdict.threshold,
        "calibration": verdict.calibration or None,
        "reason": verdict.reason or None,
    }


def text_of(item: Relevant) -> str:
    """The text of a result as it can be sent back: half a surrogate pair, which is not Unicode, becomes ``?``."""
    return item.hit.candidate.text.encode("utf-8", "replace").decode("utf-8")
