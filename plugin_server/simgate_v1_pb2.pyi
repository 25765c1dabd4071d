from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Profile(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_UNSPECIFIED: _ClassVar[Profile]
    PROFILE_PAIRS: _ClassVar[Profile]
    PROFILE_PASSAGES: _ClassVar[Profile]

class Policy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POLICY_UNSPECIFIED: _ClassVar[Policy]
    POLICY_FILTER: _ClassVar[Policy]
    POLICY_DEMOTE: _ClassVar[Policy]
    POLICY_ANNOTATE: _ClassVar[Policy]

class Verification(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERIFICATION_UNSPECIFIED: _ClassVar[Verification]
    VERIFICATION_FULL: _ClassVar[Verification]
    VERIFICATION_CASCADE: _ClassVar[Verification]
    VERIFICATION_LIGHT: _ClassVar[Verification]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ACCEPTED: _ClassVar[Outcome]
    OUTCOME_REJECTED: _ClassVar[Outcome]
    OUTCOME_UNVERIFIED: _ClassVar[Outcome]
PROFILE_UNSPECIFIED: Profile
PROFILE_PAIRS: Profile
PROFILE_PASSAGES: Profile
POLICY_UNSPECIFIED: Policy
POLICY_FILTER: Policy
POLICY_DEMOTE: Policy
POLICY_ANNOTATE: Policy
VERIFICATION_UNSPECIFIED: Verification
VERIFICATION_FULL: Verification
VERIFICATION_CASCADE: Verification
VERIFICATION_LIGHT: Verification
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ACCEPTED: Outcome
OUTCOME_REJECTED: Outcome
OUTCOME_UNVERIFIED: Outcome

class Candidate(_message.Message):
    __slots__ = ("id", "text", "blob", "score")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    blob: str
    score: float
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., blob: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("outcome", "probability", "threshold", "profile", "maxsim", "window", "unmatched", "reason", "calibration")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    MAXSIM_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    UNMATCHED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    probability: float
    threshold: float
    profile: Profile
    maxsim: float
    window: int
    unmatched: _containers.RepeatedScalarFieldContainer[str]
    reason: str
    calibration: str
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., probability: _Optional[float] = ..., threshold: _Optional[float] = ..., profile: _Optional[_Union[Profile, str]] = ..., maxsim: _Optional[float] = ..., window: _Optional[int] = ..., unmatched: _Optional[_Iterable[str]] = ..., reason: _Optional[str] = ..., calibration: _Optional[str] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("id", "index", "score", "verdict")
    ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    id: str
    index: int
    score: float
    verdict: Verdict
    def __init__(self, id: _Optional[str] = ..., index: _Optional[int] = ..., score: _Optional[float] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...

class RerankRequest(_message.Message):
    __slots__ = ("query", "candidates", "profile", "policy", "top_n", "calibration", "verification")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    TOP_N_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    query: str
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    profile: Profile
    policy: Policy
    top_n: int
    calibration: str
    verification: Verification
    def __init__(self, query: _Optional[str] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., profile: _Optional[_Union[Profile, str]] = ..., policy: _Optional[_Union[Policy, str]] = ..., top_n: _Optional[int] = ..., calibration: _Optional[str] = ..., verification: _Optional[_Union[Verification, str]] = ...) -> None: ...

class RerankResponse(_message.Message):
    __slots__ = ("hits", "dropped", "fingerprint")
    HITS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    dropped: _containers.RepeatedCompositeFieldContainer[Hit]
    fingerprint: str
    def __init__(self, hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., dropped: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class Pair(_message.Message):
    __slots__ = ("query", "document")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    query: str
    document: str
    def __init__(self, query: _Optional[str] = ..., document: _Optional[str] = ...) -> None: ...

class VerifyRequest(_message.Message):
    __slots__ = ("pairs", "profile", "calibration")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[Pair]
    profile: Profile
    calibration: str
    def __init__(self, pairs: _Optional[_Iterable[_Union[Pair, _Mapping]]] = ..., profile: _Optional[_Union[Profile, str]] = ..., calibration: _Optional[str] = ...) -> None: ...

class VerifyResponse(_message.Message):
    __slots__ = ("verdicts", "fingerprint")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[Verdict]
    fingerprint: str
    def __init__(self, verdicts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class EncodeRequest(_message.Message):
    __slots__ = ("texts",)
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, texts: _Optional[_Iterable[str]] = ...) -> None: ...

class Vector(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...

class Encoding(_message.Message):
    __slots__ = ("vectors", "blob")
    VECTORS_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    vectors: _containers.RepeatedCompositeFieldContainer[Vector]
    blob: str
    def __init__(self, vectors: _Optional[_Iterable[_Union[Vector, _Mapping]]] = ..., blob: _Optional[str] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("encodings", "fingerprint")
    ENCODINGS_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    encodings: _containers.RepeatedCompositeFieldContainer[Encoding]
    fingerprint: str
    def __init__(self, encodings: _Optional[_Iterable[_Union[Encoding, _Mapping]]] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class InfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProfileInfo(_message.Message):
    __slots__ = ("profile", "threshold")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    profile: Profile
    threshold: float
    def __init__(self, profile: _Optional[_Union[Profile, str]] = ..., threshold: _Optional[float] = ...) -> None: ...

class InfoResponse(_message.Message):
    __slots__ = ("version", "bundle", "fingerprint", "verifier", "recall_dimension", "token_dimension", "window_tokens", "profiles", "max_candidates", "max_characters", "max_query_tokens", "max_message_bytes", "search", "previous_fingerprint", "verification")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    VERIFIER_FIELD_NUMBER: _ClassVar[int]
    RECALL_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    MAX_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_QUERY_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    version: str
    bundle: str
    fingerprint: str
    verifier: str
    recall_dimension: int
    token_dimension: int
    window_tokens: int
    profiles: _containers.RepeatedCompositeFieldContainer[ProfileInfo]
    max_candidates: int
    max_characters: int
    max_query_tokens: int
    max_message_bytes: int
    search: bool
    previous_fingerprint: str
    verification: Verification
    def __init__(self, version: _Optional[str] = ..., bundle: _Optional[str] = ..., fingerprint: _Optional[str] = ..., verifier: _Optional[str] = ..., recall_dimension: _Optional[int] = ..., token_dimension: _Optional[int] = ..., window_tokens: _Optional[int] = ..., profiles: _Optional[_Iterable[_Union[ProfileInfo, _Mapping]]] = ..., max_candidates: _Optional[int] = ..., max_characters: _Optional[int] = ..., max_query_tokens: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., search: bool = ..., previous_fingerprint: _Optional[str] = ..., verification: _Optional[_Union[Verification, str]] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("query", "k", "top_n", "profile", "policy", "calibration", "index", "filter", "recall_query", "hybrid", "verification")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    K_FIELD_NUMBER: _ClassVar[int]
    TOP_N_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    RECALL_QUERY_FIELD_NUMBER: _ClassVar[int]
    HYBRID_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    query: str
    k: int
    top_n: int
    profile: Profile
    policy: Policy
    calibration: str
    index: str
    filter: str
    recall_query: str
    hybrid: bool
    verification: Verification
    def __init__(self, query: _Optional[str] = ..., k: _Optional[int] = ..., top_n: _Optional[int] = ..., profile: _Optional[_Union[Profile, str]] = ..., policy: _Optional[_Union[Policy, str]] = ..., calibration: _Optional[str] = ..., index: _Optional[str] = ..., filter: _Optional[str] = ..., recall_query: _Optional[str] = ..., hybrid: bool = ..., verification: _Optional[_Union[Verification, str]] = ...) -> None: ...

class Found(_message.Message):
    __slots__ = ("id", "title", "text", "index", "score", "verdict", "extra")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    text: str
    index: int
    score: float
    verdict: Verdict
    extra: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., text: _Optional[str] = ..., index: _Optional[int] = ..., score: _Optional[float] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., extra: _Optional[str] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "dropped", "fingerprint", "incomplete")
    HITS_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Found]
    dropped: _containers.RepeatedCompositeFieldContainer[Found]
    fingerprint: str
    incomplete: str
    def __init__(self, hits: _Optional[_Iterable[_Union[Found, _Mapping]]] = ..., dropped: _Optional[_Iterable[_Union[Found, _Mapping]]] = ..., fingerprint: _Optional[str] = ..., incomplete: _Optional[str] = ...) -> None: ...
