"""Every error simgate raises on purpose: a small tree, a sentence each, naming the field, the limit and the fix."""

from __future__ import annotations


class SimgateError(Exception):
    """The root of the tree."""


class InvalidRequest(SimgateError):
    """What the caller sent cannot be served; sending it again changes nothing."""


class EmptyText(InvalidRequest):
    """A text holds no words: it is empty, or only spaces or control characters.

    Example:
        >>> print(EmptyText("query"))
        query: holds no words: give a text with at least one letter, digit or sign
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: holds no words: give a text with at least one letter, digit or sign")


class InvalidText(InvalidRequest):
    """A text is not valid Unicode (a lone surrogate from wrongly decoded bytes)."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: is not valid Unicode: decode the bytes as UTF-8 before sending")


class OverLimit(InvalidRequest):
    """Something is longer or more than its limit.

    Example:
        >>> print(OverLimit("query", 300, 256, "tokens", "shorten it"))
        query: 300 tokens, the limit is 256: shorten it
    """

    def __init__(self, field: str, size: int, limit: int, unit: str, fix: str) -> None:
        super().__init__(f"{field}: {size} {unit}, the limit is {limit}: {fix}")


class TooLarge(InvalidRequest):
    """The body of a request has more bytes than the server takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"body: more than {limit} bytes, which is the limit: send fewer or shorter documents")


class NoCandidates(InvalidRequest):
    """The list of candidates is empty."""

    def __init__(self, field: str = "candidates") -> None:
        super().__init__(f"{field}: the list is empty: send at least one text, blob or id")


class DuplicateId(InvalidRequest):
    """Two candidates of one request have the same id."""

    def __init__(self, identity: str, field: str = "candidates") -> None:
        super().__init__(f"{field}: the id {identity!r} occurs twice: ids must be unique within a request")


class UnknownChoice(InvalidRequest):
    """A field names something that does not exist.

    Example:
        >>> print(UnknownChoice("profile", "pear", ["pairs", "passages"]))
        profile: 'pear' is not known: choose one of pairs, passages
    """

    def __init__(self, field: str, given: str, known: list[str]) -> None:
        super().__init__(f"{field}: {given!r} is not known: choose one of {', '.join(known)}")


class UnknownCalibration(InvalidRequest):
    """A request names a calibration that is not loaded; others' names, which may be other tenants', are not told."""

    def __init__(self, name: str, profile: str) -> None:
        super().__init__(
            f"calibration: {name[:140]!r} is not loaded for profile {profile}: put its file where SIMGATE_CALIBRATIONS "
            "says and start again, or leave the field out"
        )


class InvalidField(InvalidRequest):
    """A field has the wrong type or a value out of range."""


class BlobError(InvalidRequest):
    """A token blob cannot be used."""


class BlobMalformed(BlobError):
    """A token blob is truncated, altered or no blob at all."""

    def __init__(self, fault: str, field: str = "blob") -> None:
        super().__init__(f"{field}: the token blob {fault}: index the document again, or send its text")


class BlobOfOtherBundle(BlobError):
    """A token blob was made by an encoder other than the one that is loaded."""

    def __init__(self, found: str, loaded: str, field: str = "blob") -> None:
        super().__init__(
            f"{field}: the token blob was made by bundle {found}, but {loaded} is loaded: "
            f"index the document again, or serve bundle {found}"
        )


class BundleError(SimgateError):
    """A model bundle cannot be loaded."""


class BundleMissing(BundleError):
    """There is no bundle at the path, or a file of it is missing."""


class BundleMalformed(BundleError):
    """A bundle's manifest cannot be read, or its files do not fit it."""


class BundleAltered(BundleError):
    """A file of a bundle is not the one its manifest names."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(
            f"{name}: sha256 is {found[:12]}…, the manifest says {expected[:12]}…: "
            "the file is truncated or altered, copy it again"
        )


class BundleTooNew(BundleError):
    """A bundle has a format that this version of simgate does not know."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"bundle.json: format_version {found}, this simgate reads up to {known}: upgrade simgate")


class BundleNotFetched(BundleError):
    """A bundle's archive cannot be had, or is not the one that was asked for, or cannot be put in place.

    Example:
        >>> print(BundleNotFetched("https://store.example/b.tar.gz", "answers 404: look whether it is there"))
        https://store.example/b.tar.gz: answers 404: look whether it is there
    """

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(f"{place}: {fault}")


class CalibrationError(SimgateError):
    """A calibration cannot be loaded."""


class CalibrationMissing(CalibrationError):
    """There is no calibration at the path."""


class CalibrationMalformed(CalibrationError):
    """A file is no calibration, or one with values that cannot be."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path}: {fault}: write the calibration again with `simgate calibrate`")


class CalibrationTooNew(CalibrationError):
    """A calibration has a format that this version of simgate does not know."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(f"{path}: format_version {found}, this simgate reads up to {known}: upgrade simgate")


class CalibrationOfOtherBundle(CalibrationError):
    """A calibration was made with the graphs of another bundle, whose logits compare with none of this one's."""

    def __init__(self, path: str, found: str, loaded: str) -> None:
        graphs = f"bundle {found}" if found != loaded else f"another verifier of bundle {found}"
        super().__init__(f"{path}: made with {graphs}, but {loaded} is loaded: calibrate again, or take the file away")


class Overloaded(SimgateError):
    """The server has too much to do; the request was not begun, and may be sent again.

    Attributes:
        retry_after: seconds after which it is worth trying.

    Example:
        >>> print(Overloaded(64, 0.25))
        the server is overloaded, 64 requests wait: send it again in 0.25 s
    """

    def __init__(self, waiting: int, retry_after: float) -> None:
        super().__init__(f"the server is overloaded, {waiting} requests wait: send it again in {retry_after:.2g} s")
        self.retry_after = retry_after


class RateLimited(Overloaded):
    """A caller has sent more requests than its key allows; the request was not begun, and may be sent again.

    Example:
        >>> print(RateLimited("search-team", 0.5, 2, 1.75))
        the key search-team may send 0.5 requests a second, 2 at once: send it again in 1.75 s
    """

    def __init__(self, name: str, rate: float, burst: int, retry_after: float) -> None:
        SimgateError.__init__(
            self,
            f"the key {name} may send {rate:g} requests a second, {burst} at once: send it again in "
            f"{round(retry_after, 2):g} s",
        )
        self.retry_after = retry_after


class Unauthenticated(SimgateError):
    """A request has no API key, or one that is not known or has expired; it is not told which."""

    def __init__(self) -> None:
        super().__init__(
            "a valid API key is needed: send it as x-api-key: KEY, or, except to an engine behind the gateway, as "
            "authorization: Bearer KEY"
        )


class DeadlinePassed(SimgateError):
    """The time that the caller gave is over before the answer was there."""

    def __init__(self) -> None:
        super().__init__("the deadline has passed: give the call more time, or send fewer or shorter documents")


class BodyTooSlow(DeadlinePassed):
    """The body of a request was not there when its time was over."""

    def __init__(self) -> None:
        SimgateError.__init__(
            self, "body: the deadline has passed before its end came: send it faster, or give more time"
        )


class CallerGone(SimgateError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__("the caller is gone")


class NotVerified(SimgateError):
    """Why a candidate that could have been read was not verified; it fails no request."""


class Unreached(NotVerified):
    """A cascade ended before the candidate.

    Example:
        >>> print(Unreached(10))
        not reached: 10 candidates before it were accepted
    """

    def __init__(self, accepted: int) -> None:
        super().__init__(f"not reached: {accepted} candidates before it were accepted")


class MaxsimOnly(NotVerified):
    """The request asked for MaxSim alone."""

    def __init__(self) -> None:
        super().__init__("light: only MaxSim was computed")


class IndexFailure(SimgateError):
    """The embedded index cannot be used."""


class IndexMissing(IndexFailure):
    """There is no embedded index at the path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: no index there: create one with `simgate index corpus.jsonl`, or run `simgate demo`")


class IndexOfOtherBundle(IndexFailure):
    """An embedded index was made with another encoder."""

    def __init__(self, path: str, found: str, loaded: str) -> None:
        super().__init__(
            f"{path}: made by bundle {found}, but {loaded} is loaded: "
            f"index the corpus again with --replace, or give --bundle for {found}"
        )


class IndexDamaged(IndexFailure):
    """An embedded index file is there, but is not one or is damaged."""


class VerificationFailed(SimgateError):
    """A search's hits could not be verified, and it is not to be answered without."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"the hits could not be verified: {fault}")


class EngineError(SimgateError):
    """The search engine could not do what it was asked; sending the request again may help."""


class EngineUnavailable(EngineError):
    """Nobody answers at the engine's address, or the connection broke."""

    def __init__(self, url: str, fault: str) -> None:
        super().__init__(f"{url}: cannot be reached: {fault}: is the engine running, and the address right?")


class EngineTimeout(EngineError):
    """The engine did not answer in time."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(f"{url}: no answer within {seconds:g} s: try again, or raise SIMGATE_ENGINE_TIMEOUT")


class EngineBusy(EngineError):
    """The engine refuses for now: it has too much to do."""


class EngineNotReady(EngineError):
    """The engine, or what stands before it, cannot serve for now: it starts, or a shard is not there yet."""


class EngineDenied(EngineError):
    """The engine wants other credentials, or these may not do this."""


class IndexDenied(EngineDenied):
    """A request names an index, or what may stand for one, that the settings keep from callers.

    Example:
        >>> print(IndexDenied("index", "stock", "is outside", ("products-*", "articles")))
        index: 'stock' is outside: what may be reached is products-*, articles (SIMGATE_ENGINE_INDICES)
    """

    def __init__(self, field: str, name: str, fault: str, patterns: tuple[str, ...]) -> None:
        reach = ", ".join(patterns) or "every index whose name does not begin with a dot"
        named = f"{name[:140]!r} " if name or fault.startswith("is empty") else ""
        super().__init__(f"{field}: {named}{fault}: what may be reached is {reach} (SIMGATE_ENGINE_INDICES)")


class EngineRefused(EngineError):
    """The engine says that the request is wrong; sending it again changes nothing."""


class EngineTooLarge(EngineRefused):
    """The request has more bytes than the engine takes."""


class EngineMissing(EngineRefused):
    """The engine has no such index, pipeline or document."""


class LayoutError(EngineError):
    """An index of the engine lacks a field that is needed, or has it in another form."""
