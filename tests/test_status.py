import logging

import grpc
import pytest

from plugin_server import errors
from plugin_server.remote import KINDS, RemoteError, RemoteOverloaded, RemoteTooLarge, remote_error
from plugin_server.status import LONGEST, UNFORESEEN_MESSAGE, grpc_status, http_status, message

Code = grpc.StatusCode
CASES = [
    (errors.EmptyText("query"), Code.INVALID_ARGUMENT, 400, "the caller's fault"),
    (
        errors.OverLimit("query", 300, 256, "tokens", "shorten it"),
        Code.INVALID_ARGUMENT,
        400,
        "sending again is no use",
    ),
    (errors.TooLarge(10), Code.INVALID_ARGUMENT, 413, "HTTP has a code of its own for it"),
    (errors.DuplicateId("a"), Code.INVALID_ARGUMENT, 400, "the caller's fault"),
    (errors.BlobMalformed("is truncated"), Code.INVALID_ARGUMENT, 400, "a blob is part of the request"),
    (errors.BlobOfOtherBundle("aa", "bb"), Code.FAILED_PRECONDITION, 409, "nearer than its parent InvalidRequest"),
    (errors.BundleMissing("x"), Code.UNAVAILABLE, 503, "another replica may have it"),
    (errors.BundleAltered("x", "aa", "bb"), Code.UNAVAILABLE, 503, "another replica may have it"),
    (errors.IndexMissing("x"), Code.FAILED_PRECONDITION, 404, "create one first"),
    (errors.IndexDamaged("x"), Code.FAILED_PRECONDITION, 409, "index again first"),
    (errors.IndexOfOtherBundle("x", "aa", "bb"), Code.FAILED_PRECONDITION, 409, "index again first"),
    (errors.VerificationFailed("x"), Code.UNAVAILABLE, 503, "sending again may help"),
    (errors.EngineError("x"), Code.UNAVAILABLE, 502, "what stands behind answered badly"),
    (errors.EngineNotReady("x"), Code.UNAVAILABLE, 503, "again in a moment"),
    (errors.EngineTimeout("x", 1), Code.DEADLINE_EXCEEDED, 504, "no answer"),
    (errors.EngineBusy("x"), Code.RESOURCE_EXHAUSTED, 429, "as the engine says"),
    (errors.IndexDenied("index", "x", "is outside", ()), Code.PERMISSION_DENIED, 403, "nearer than EngineError"),
    (errors.EngineTooLarge("x"), Code.INVALID_ARGUMENT, 400, "the engine's limit, not ours"),
    (errors.EngineMissing("x"), Code.NOT_FOUND, 404, "nearer than its parent EngineRefused"),
    (errors.Overloaded(64, 0.25), Code.RESOURCE_EXHAUSTED, 429, "again in a moment"),
    (errors.DeadlinePassed(), Code.DEADLINE_EXCEEDED, 504, "as gRPC itself says it"),
    (errors.CallerGone(), Code.CANCELLED, 400, "nobody reads it"),
    (errors.RateLimited("a", 1, 1, 0.5), Code.RESOURCE_EXHAUSTED, 429, "again in a moment, as its parent Overloaded"),
    (errors.Unauthenticated(), Code.UNAUTHENTICATED, 401, "who it is, not what it may do"),
    (errors.BodyTooSlow(), Code.DEADLINE_EXCEEDED, 408, "the client's, nearer than its parent DeadlinePassed"),
    (errors.SimgateError("x"), Code.INTERNAL, 500, "the bare root is never raised on purpose"),
    (KeyError("secret"), Code.INTERNAL, 500, "not simgate's"),
    (MemoryError(), Code.INTERNAL, 500, "not simgate's"),
]


@pytest.mark.parametrize(("error", "code", "http", "remark"), CASES, ids=[repr(case[0])[:30] for case in CASES])
def test_codes(error: Exception, code: grpc.StatusCode, http: int, remark: str) -> None:
    assert (grpc_status(error), http_status(error)) == (code, http), remark


def test_every_error_of_the_tree_has_a_row() -> None:
    def leaves(kind: type[Exception]) -> list[type[Exception]]:
        return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]

    for kind in leaves(errors.SimgateError):
        fails = kind is not errors.SimgateError and not issubclass(kind, errors.NotVerified)
        if fails and kind.__module__ == errors.__name__:
            assert grpc_status(kind.__new__(kind)) is not Code.INTERNAL, kind


def test_message_of_simgate_is_told() -> None:
    assert message(errors.NoCandidates()) == "candidates: the list is empty: send at least one text, blob or id"


def test_message_fits_a_header_and_is_unicode() -> None:
    said = message(errors.UnknownChoice("profile", "é" * 100_000, ["pairs"]))
    assert said.startswith("profile: 'ééé") and said.endswith("é…") and len(said) <= LONGEST + 1
    assert message(errors.EngineRefused("no \ud800")) == "no ?"


def test_message_of_others_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(KeyError) as caught:
        {}["secret"]
    with caplog.at_level(logging.ERROR):
        assert message(caught.value) == UNFORESEEN_MESSAGE
    assert "Traceback" in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize("code", list(Code))
def test_every_code_makes_a_remote_error(code: grpc.StatusCode) -> None:
    error = remote_error(code, "")
    assert type(error) is KINDS.get(code, RemoteError)
    assert error.code is code
    assert code.name in str(error)


@pytest.mark.parametrize(
    ("trailing", "kind"),
    [
        ([], RemoteTooLarge),
        ([("other", "1500")], RemoteTooLarge),
        ([("grpc-retry-pushback-ms", "1500")], RemoteOverloaded),
        ([("grpc-retry-pushback-ms", "-1")], RemoteTooLarge),
        ([("grpc-retry-pushback-ms", "soon")], RemoteTooLarge),
    ],
)
def test_exhausted_is_overload_if_the_server_says_when_to_come_again(
    trailing: list[tuple[str, str]], kind: type[RemoteError]
) -> None:
    error = remote_error(Code.RESOURCE_EXHAUSTED, "x", trailing)
    assert type(error) is kind
    if isinstance(error, RemoteOverloaded):
        assert error.retry_after == 1.5
