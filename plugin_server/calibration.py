"""A team's own threshold for one profile of one bundle: a small file, written by `simgate calibrate`."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_type_hints

from plugin_server import content, strict
from plugin_server.bundle import PROFILES, STEEPEST, VERIFIER, Manifest, Profile
from plugin_server.errors import CalibrationMalformed, CalibrationMissing, CalibrationTooNew, InvalidField
from plugin_server.jsonlines import kind

FORMAT_VERSION = 1
#: What a calibration's file ends with, so that a folder of them may hold other files too.
SUFFIX = ".calibration.json"
#: Bytes of a file; those that are written have less than one thousand.
MAX_BYTES = 1 << 20
#: Pairs that nobody labels; and scales below which any logit's probability is one half.
MOST_PAIRS, FLATTEST = 10**12, 1e-6
#: The name that stands for no calibration: the bundle's own thresholds.
OWN = "bundle"
NEEDED = {str: "a text in Unicode", bool: "true or false", int: "a whole number", float: "a finite number"}
#: Names become part of a file's, so that they hold neither slashes nor blanks and begin with a letter or digit.
NAME = re.compile(r"[^\W_][\w.+=@-]{0,127}")


@dataclass(frozen=True, slots=True)
class Calibration:
    """One threshold, the probabilities around it, and what may be expected of them.

    Attributes:
        name: of the tenant or the index it is for.
        profile: ``pairs`` or ``passages``.
        fingerprint, verifier: of the bundle whose graphs made the logits: its fingerprint, and its verifier's sha256.
        threshold: probability from which a candidate of any length is accepted, in (0, 1).
        scale, bias: probability = 1 / (1 + exp(-(scale * logit + bias))); 1 / scale is the temperature.
        max_false_accept: the share of near-misses that may be accepted, as it was asked for.
        bound: the share that is not exceeded, with that confidence; above `max_false_accept` if there were too few.
        confidence: over all draws of as many pairs, the share of those in which `bound` holds.
        near_misses, near_misses_accepted: how many there were, and how many of them reach the threshold.
        true_pairs, true_pairs_lost: the same for true pairs below it.
        loss_low, loss_high: the share of true pairs lost lies between, with that confidence.
        per_query: whether the near-misses of one query counted as one, its highest.
        created: the day, as 2026-01-31.
        format_version: of the file; a reader refuses a higher one than it knows.
    """

    name: str
    profile: str
    fingerprint: str
    verifier: str
    threshold: float
    scale: float
    bias: float
    max_false_accept: float
    bound: float
    confidence: float
    near_misses: int
    near_misses_accepted: int
    true_pairs: int
    true_pairs_lost: int
    loss_low: float
    loss_high: float
    per_query: bool
    created: str
    format_version: int = FORMAT_VERSION

    @property
    def holds(self) -> bool:
        """Whether there were pairs enough for what was asked."""
        return self.bound <= self.max_false_accept

    def fits(self, manifest: Manifest) -> bool:
        """Whether it was made with that bundle's graphs."""
        return (self.fingerprint, self.verifier) == (manifest.fingerprint, manifest.files[VERIFIER])

    def knobs(self, manifest: Manifest) -> Profile:
        """The bundle's profile with these knobs, whose one threshold counts for documents of every length.

        What a logit weighs in the ranking stays as it is, so that a calibration changes which hits are kept, and never
        the order of those that are.
        """
        own = manifest.profile(self.profile)
        return Profile(self.threshold, self.scale, self.bias, own.blend * own.scale / self.scale)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(draft, path)

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """The calibration in a file.

        Raises:
            CalibrationMissing: the file cannot be read.
            CalibrationMalformed: it does not hold a calibration, or a value is out of its range.
            CalibrationTooNew: its format is newer than this program.
        """
        try:
            given = content.read(path, MAX_BYTES)
        except OSError as error:
            raise CalibrationMissing(f"{path}: {error.strerror}: write it with `simgate calibrate`") from error
        except ValueError as error:
            raise CalibrationMalformed(str(path), str(error)) from error
        try:
            raw = strict.parse(given.decode("utf-8"))
        except ValueError as error:
            raise CalibrationMalformed(str(path), f"not valid JSON: {error}") from error
        version = raw.get("format_version") if isinstance(raw, dict) else None
        if type(version) is not int or version < 1:
            raise CalibrationMalformed(str(path), "format_version is missing or not a whole number")
        if version > FORMAT_VERSION:
            raise CalibrationTooNew(str(path), version, FORMAT_VERSION)
        if fault := _fault(raw):
            raise CalibrationMalformed(str(path), fault)
        return cls(**{item.name: raw[item.name] for item in fields(cls)})


def checked_name(name: str, field: str = "name") -> str:
    """The name itself.

    Raises:
        InvalidField: it cannot be a calibration's.

    Example:
        >>> checked_name("shop-faq")
        'shop-faq'
        >>> checked_name("../shop")
        Traceback (most recent call last):
        ...
        plugin_server.errors.InvalidField: name: '../shop' cannot be a name: give 1 to 128 letters, digits and ...
    """
    if not NAME.fullmatch(name):
        raise InvalidField(
            f"{field}: {name[:140]!r} cannot be a name: give 1 to 128 letters, digits and -_.+=@, "
            "the first a letter or digit"
        )
    if name == OWN:
        raise InvalidField(f"{field}: {OWN!r} stands for the bundle's own thresholds: give another name")
    return name


def _is_unicode(value: object) -> bool:
    """Whether a value is no text with half a surrogate pair, which could not be written again."""
    return not isinstance(value, str) or value.encode("utf-8", "replace").decode() == value


def _fault(raw: dict[str, object]) -> str:
    """What is wrong with the values of a file, empty for nothing."""
    for name, wanted in get_type_hints(Calibration).items():
        if name not in raw:
            return f"{name} is missing"
        value, numeric = raw[name], (int, float) if wanted is float else wanted
        right = isinstance(value, numeric) and isinstance(value, bool) == (wanted is bool)
        if not right or not _is_unicode(value):
            return f"{name} is {kind(value)}, {value!r:.40}: {NEEDED[wanted]} is needed"
    values = {name: value for name, value in raw.items() if isinstance(value, int | float)}
    if not NAME.fullmatch(str(raw["name"])) or raw["name"] == OWN:
        return f"name {raw['name']!r:.140} cannot be one"
    if raw["profile"] not in PROFILES:
        return f"profile {raw['profile']!r:.40} is none of {', '.join(PROFILES)}"
    if not 0 < values["threshold"] < 1:
        return "threshold must lie between 0 and 1"
    if not FLATTEST <= values["scale"] <= STEEPEST or not -STEEPEST <= values["bias"] <= STEEPEST:
        return f"scale must lie between {FLATTEST:g} and {STEEPEST:g}, bias between -{STEEPEST:g} and {STEEPEST:g}"
    shares = ("max_false_accept", "bound", "confidence", "loss_low", "loss_high")
    if beyond := [name for name in shares if not 0 <= values[name] <= 1]:
        return f"{beyond[0]} must lie between 0 and 1"
    for part, whole in (("near_misses_accepted", "near_misses"), ("true_pairs_lost", "true_pairs")):
        if not 0 <= values[part] <= values[whole] <= MOST_PAIRS:
            return f"{part} must lie between 0 and {whole}, and that within {MOST_PAIRS}"
    return ""
