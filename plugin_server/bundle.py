"""The model bundle: one folder, the only contract between export and serving."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from plugin_server import content, strict
from plugin_server.bundle_file import GRAPH_BYTES, content_of, sha256
from plugin_server.errors import BundleAltered, BundleMalformed, BundleMissing, BundleTooNew, UnknownChoice

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
ENCODER, VERIFIER, TOKENIZER, CARD = "encoder.onnx", "verifier.onnx", "tokenizer.json", "MODEL_CARD.md"
FILES = (ENCODER, VERIFIER, TOKENIZER, CARD)
#: Bytes of the other files: a few times the largest in use, tokenizers of a quarter of a million words and long cards.
LIMITS = {ENCODER: GRAPH_BYTES, VERIFIER: GRAPH_BYTES, TOKENIZER: 128 << 20, CARD: 16 << 20, MANIFEST: 4 << 20}
#: Numbers beyond which no model goes: a row's, and a window's tokens; both are multiplied, and make arrays.
WIDEST, LONGEST = 65_536, 131_072
#: Knobs beyond which any logit's probability is 0 or 1.
STEEPEST = 1e6
#: The columns of the verifier's logits, in their order.
PROFILES = ("pairs", "passages")
#: Tokens up to which a document is short, and from which it is long.
SHORT, LONG = 48, 128
#: Numbers of a row and rows of a window that a token blob's two bytes can count.
WIDEST = 65535
#: Largest number of a profile: with larger ones scores overflow.
LARGEST = 1e9
DEFAULT = Path(__file__).parent / "default_bundle"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one profile turns a logit into a verdict.

    Attributes:
        threshold: probability from which a candidate is accepted, in (0, 1).
        short_threshold: the same for a short document, which says a thing or does not, where a long one may say it in
            words that the verifier does not know; None for `threshold`.
        scale, bias: probability = 1 / (1 + exp(-(scale * logit + bias))), fitted on held-out pairs.
        blend: weight of the probability's log-odds beside the recall score in the ranking.
    """

    threshold: float
    scale: float = 1.0
    bias: float = 0.0
    blend: float = 0.0
    short_threshold: float | None = None

    def threshold_for(self, tokens: int) -> float:
        """The threshold for a document of that many tokens.

        Up to `SHORT` it is the short documents', from `LONG` on the long ones'; in between its log-odds change evenly.

        Example:
            >>> profile = Profile(0.1, short_threshold=0.5)
            >>> profile.threshold_for(20), round(profile.threshold_for(88), 3), profile.threshold_for(400)
            (0.5, 0.25, 0.1)
        """
        if self.short_threshold is None or tokens >= LONG:
            return self.threshold
        if tokens <= SHORT:
            return self.short_threshold
        share = (tokens - SHORT) / (LONG - SHORT)
        short, long = (math.log(value / (1 - value)) for value in (self.short_threshold, self.threshold))
        odds = math.exp(short + share * (long - short))
        return odds / (1 + odds)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``bundle.json`` says, the same object for the writer and the reader.

    Attributes:
        format_version: of this file; a reader refuses a higher one than it knows.
        name: for people.
        fingerprint: 16 hexadecimal digits of what makes a token blob: encoder, tokenizer and rounding. Bundles that
            differ in the verifier alone share it, so that a better verifier needs no new index.
        recall_dimension, token_dimension: widths of a recall vector and of a token row.
        token_bits: of a number of a token row, 4 or 8: see `plugin_server.blob.quantise`.
        window_tokens, window_overlap: a longer text is split into windows of this many tokens, overlapping by so many.
        verifier: kind of the verifier, a name in ``onnx_export.verifiers.KINDS``.
        profiles: by name, see `Profile`.
        match_threshold: a query word whose best cosine in the candidate is below found no match.
        base: the base model and its licence.
        training: data sets with licence and rows, and the configuration.
        quality: measured figures.
        files: sha256 of every other file, by name.
        form: what `simgate export` was told to make: ``precision``, ``target``, ``opset``, and from what; empty for a
            bundle of `simgate convert`. It tells people and programs; the fingerprint tells blobs apart, since
            it goes by the encoder graph's bytes, which every precision and opset changes and no target does by itself.
    """

    name: str
    fingerprint: str
    recall_dimension: int
    token_dimension: int
    token_bits: int
    window_tokens: int
    window_overlap: int
    verifier: str
    profiles: dict[str, Profile]
    match_threshold: float
    files: dict[str, str]
    base: dict[str, str] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    quality: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def profile(self, name: str) -> Profile:
        """The profile of that name.

        Raises:
            UnknownChoice: there is none.
        """
        if name not in self.profiles:
            raise UnknownChoice("profile", name, list(self.profiles))
        return self.profiles[name]

    @property
    def token_bytes(self) -> int:
        """Bytes of a token in a blob; half a byte left over counts as one."""
        return -(-self.token_dimension * self.token_bits // 8)

    def write(self, folder: Path) -> None:
        """Write ``bundle.json`` into the folder."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a bundle's folder; no other file is opened.

        Raises:
            BundleMissing: the folder or ``bundle.json`` is not there.
            BundleMalformed: ``bundle.json`` is no JSON object with the fields of this class.
            BundleTooNew: the format is newer than this program.
        """
        path = folder / MANIFEST
        try:
            given = content.read(path, LIMITS[MANIFEST])
        except OSError as error:
            raise BundleMissing(f"{path}: {error.strerror}: give the folder of a bundle") from error
        except ValueError as error:
            raise BundleMalformed(f"{path}: {error}") from error
        try:
            raw = strict.parse(given.decode("utf-8"))
            json.dumps(raw, ensure_ascii=False).encode("utf-8")  # half a surrogate pair cannot be sent or written
        except ValueError as error:
            raise BundleMalformed(f"{path}: not valid JSON: {error}") from error
        version = raw.get("format_version") if isinstance(raw, dict) else None
        if type(version) is not int or version < 1:
            raise BundleMalformed(f"{path}: format_version is missing or not a number")
        if version > FORMAT_VERSION:
            raise BundleTooNew(version, FORMAT_VERSION)
        known = {item.name for item in fields(cls)}
        try:
            profiles = {name: Profile(**values) for name, values in raw.pop("profiles").items()}
            manifest = cls(profiles=profiles, **{name: value for name, value in raw.items() if name in known})
        except (KeyError, TypeError, AttributeError) as error:
            raise BundleMalformed(f"{path}: {error}") from error
        manifest.check_values(path)
        return manifest

    def check_values(self, path: Path) -> None:
        """Nothing, if every value is of its type and range.

        Raises:
            BundleMalformed: one is not; the message names it.
        """
        if set(self.profiles) != set(PROFILES):
            raise BundleMalformed(f"{path}: profiles: must be {', '.join(PROFILES)}, found {', '.join(self.profiles)}")
        for name, profile in self.profiles.items():
            values = {key: value for key, value in asdict(profile).items() if (key, value) != ("short_threshold", None)}
            thresholds = (profile.threshold, 0.5 if profile.short_threshold is None else profile.short_threshold)
            known = all(_is_number(value, STEEPEST) for value in values.values())
            if not known or not all(0 < value < 1 for value in thresholds):
                raise BundleMalformed(
                    f"{path}: profiles.{name}: numbers up to {STEEPEST:g} are needed, thresholds between 0 and 1"
                )
        most = {"recall_dimension": WIDEST, "token_dimension": WIDEST, "window_tokens": LONGEST}
        for name, limit in most.items():
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= limit:
                raise BundleMalformed(f"{path}: {name}: {value!r:.40} is not a whole number from 1 to {limit}")
        if type(self.token_bits) is not int or self.token_bits not in (4, 8):
            raise BundleMalformed(f"{path}: token_bits: {self.token_bits!r:.40} is neither 4 nor 8")
        if type(self.window_overlap) is not int or not 0 <= self.window_overlap < self.window_tokens - 2:
            raise BundleMalformed(f"{path}: window_overlap: must be a whole number below window_tokens - 2")
        if not _is_number(self.match_threshold, 1):
            raise BundleMalformed(f"{path}: match_threshold: {self.match_threshold!r:.40} is no cosine, from -1 to 1")
        if not isinstance(self.fingerprint, str) or not re.fullmatch("[0-9a-f]{16}", self.fingerprint):
            raise BundleMalformed(f"{path}: fingerprint: {self.fingerprint!r:.40} is not 16 hexadecimal digits")
        if not isinstance(self.name, str) or not isinstance(self.verifier, str):
            raise BundleMalformed(f"{path}: name, verifier: must be text")
        if not all(isinstance(part, dict) for part in (self.files, self.base, self.training, self.quality, self.form)):
            raise BundleMalformed(f"{path}: files, base, training, quality, form: must be objects")
        if set(self.files) != set(FILES) or not all(isinstance(value, str) for value in self.files.values()):
            raise BundleMalformed(f"{path}: files: must name {', '.join(FILES)} and their sha256")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's folder and its manifest, its files checked."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path | str = "") -> Bundle:
        """The bundle in a folder, every file present and unaltered; empty for the one in the package.

        Raises:
            BundleError: it cannot be loaded; the message names the file, what is wrong and the fix.
        """
        return cls.at(folder).check(*FILES)

    @classmethod
    def at(cls, folder: Path | str = "") -> Bundle:
        """The bundle in a folder, of which nothing but the manifest was read; `read` and `check` look at its files.

        Raises:
            BundleError: as `Manifest.read`.
        """
        path = Path(folder) if folder else DEFAULT
        return cls(path, Manifest.read(path))

    def check(self, *names: str) -> Bundle:
        """This bundle, if these files are there and unaltered.

        Raises:
            BundleError: one is not.
        """
        for name in names:
            self._compare(name, sha256(self.folder / name, LIMITS[name]))
        return self

    def read(self, name: str) -> bytes:
        """A file's content, checked: what is used of it is what the manifest names, whatever befalls the file later.

        Raises:
            BundleError: it is missing, altered, too large or no file.
        """
        raw = content_of(self.folder / name, LIMITS[name])
        self._compare(name, hashlib.sha256(raw).hexdigest())
        return raw

    def _compare(self, name: str, found: str) -> None:
        if found != self.manifest.files[name]:
            raise BundleAltered(name, self.manifest.files[name], found)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum((self.folder / name).stat().st_size for name in (*self.manifest.files, MANIFEST))


def _is_number(value: object, most: float) -> bool:
    """Whether a value of ``bundle.json`` is a number from -`most` to `most`; JSON's true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def fingerprint(encoder: str, tokenizer: str, window_tokens: int, window_overlap: int, token_bits: int) -> str:
    """16 hexadecimal digits that change whenever a token blob of the same text would.

    Args:
        encoder, tokenizer: sha256 of the two files.

    Example:
        >>> fingerprint("a", "b", 256, 32, 8) == fingerprint("a", "b", 256, 32, 8) != fingerprint("a", "b", 256, 32, 4)
        True
    """
    parts = f"{encoder}/{tokenizer}/{window_tokens}/{window_overlap}/{token_bits}"
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
