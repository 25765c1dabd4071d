"""A document of a rerank request: a text, a token blob, a blob with its text behind it, or an object."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat

from plugin_server.blob import split
from plugin_server.candidate import Candidate


class Document(BaseModel):
    """A document as an object; other keys are ignored."""

    text: str = Field("", description="The text. It may begin with a token blob: `sgb1:…`, then the text itself.")
    id: str = Field("", description="Your own name for it, unique within the request; results name it by `index`.")
    blob: str = Field("", description="The token blob from indexing, used instead of encoding the text.")
    score: FiniteFloat | None = Field(
        None, description="The engine's score. If every document has one, it stands for recall in the ranking."
    )

    def candidate(self) -> Candidate:
        """The document as a candidate, a blob before its text taken apart from it.

        Example:
            >>> Document(text="a red car", score=0.7).candidate()
            Candidate(text='a red car', id='', score=0.7, blob='')
        """
        stored, rest = split(self.text)
        return Candidate(rest, self.id, self.score, self.blob or stored)


def _object(given: Any) -> Any:
    """A bare text as an object; null, which stands for a field that a document lacks, as an empty text."""
    if given is None or isinstance(given, str):
        return {"text": given or ""}
    return given


#: What a list of documents holds; each is a `Document` once it is validated.
AnyDocument = Annotated[Document, BeforeValidator(_object, json_schema_input_type=str | Document | None)]
