"""Errors as answers: a status, a sentence that names the field and the fix, in the form that a door's clients know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from plugin_server.status import headers, http_status, message

#: Makes the body of an answer from its status and sentence.
Form: TypeAlias = Callable[[int, str], dict[str, str]]

#: Sentences for what validation finds, by its name for it; others get its own words.
SENTENCES = {
    "missing": "is missing: give it",
    "string_type": "is not a text: give a text in quotes",
    "string_unicode": "is not valid Unicode: it has half a surrogate pair",
    "list_type": "is not a list: give a list of texts",
    "int_type": "is not a whole number: give one without quotes",
    "int_parsing": "is not a whole number: give one without quotes",
    "int_from_float": "is not a whole number: give one without a fraction",
    "bool_type": "is neither true nor false: give one of them",
    "bool_parsing": "is neither true nor false: give one of them",
    "float_type": "is not a number: give one, or leave it out",
    "float_parsing": "is not a number: give one, or leave it out",
    "greater_than_equal": "is too small: give at least 1, or leave it out",
    "finite_number": "is not a finite number: give one, or leave it out",
    "model_type": "is neither a text nor an object: give a text, or an object with text, blob, id or score",
    "model_attributes_type": "is neither a text nor an object: give a text, or an object with text, blob, id or score",
}
NO_OBJECT = "body: is not a JSON object: send one, with the header Content-Type: application/json"
ERROR_TYPES = {
    HTTPStatus.UNAUTHORIZED: "Unauthenticated",
    HTTPStatus.TOO_MANY_REQUESTS: "Overloaded",
    HTTPStatus.SERVICE_UNAVAILABLE: "Unhealthy",
}


class Message(BaseModel):
    """The body of an error as Cohere's clients know it."""

    message: str = Field(examples=["query: is missing: give it"])


class TeiError(BaseModel):
    """The body of an error as text-embeddings-inference's clients know it."""

    error: str = Field(examples=["query: is missing: give it"])
    error_type: str = Field(examples=["Validation"])


def as_message(status: int, sentence: str) -> dict[str, str]:
    """The body of `Message`."""
    return {"message": sentence}


def as_tei(status: int, sentence: str) -> dict[str, str]:
    """The body of `TeiError`.

    Example:
        >>> as_tei(400, "query: is missing: give it")
        {'error': 'query: is missing: give it', 'error_type': 'Validation'}
    """
    ours = "Validation" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Backend"
    return {"error": sentence, "error_type": ERROR_TYPES.get(HTTPStatus(status), ours)}


def answer(error: Exception, form: Form) -> JSONResponse:
    """The answer to a request that ended in an error; one that is not simgate's is logged and tells nothing."""
    if isinstance(error, RequestValidationError):
        status, sentence = HTTPStatus.BAD_REQUEST.value, sentence_of(error.errors()[0])
    elif isinstance(error, HTTPException):  # what FastAPI raises if the body cannot be parsed at all
        status, sentence = error.status_code, "body: cannot be read: send JSON in UTF-8"
    else:
        status, sentence = http_status(error), message(error)
    return JSONResponse(form(status, sentence), status, headers(error))


def sentence_of(fault: Mapping[str, Any]) -> str:
    """What is wrong in a request and what to do, from what validation found.

    Example:
        >>> sentence_of({"type": "string_type", "loc": ("body", "documents", 1, "text"), "msg": ""})
        'documents[1].text: is not a text: give a text in quotes'
    """
    place: Sequence[str | int] = fault["loc"][1:]
    if fault["type"] == "json_invalid":
        return f"body: is not JSON: {fault['ctx']['error']} at character {place[0]}"
    if not place:
        return NO_OBJECT
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    words = fault["msg"][:1].lower() + fault["msg"][1:]
    return f"{field}: {SENTENCES.get(fault['type'], words)}"
