"""Files that a server starts from: a bundle's manifest, calibrations, and corpora in JSON Lines."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from fuzz.mutate import bent, mutated, spelled
from fuzz.target import Check, Step, Target, at_once, coverage, mutations
from plugin_server.bundle import DEFAULT, FILES, MANIFEST, PROFILES, Bundle, Manifest, sha256
from plugin_server.calibration import Calibration
from plugin_server.corpus import Document, read_corpus
from plugin_server.errors import BundleError, CalibrationError
from plugin_server.jsonlines import dump
from plugin_server.ranking import log_odds
from plugin_server.verdict import probability

LIMIT = 512 << 20
TOKENS = (1, 48, 49, 60, 88, 127, 128, 10**6)
LOGITS = (-1e30, -800.0, -1.0, 0.0, 1e-9, 3.0, 800.0, 1e30)
OWN = Manifest.read(DEFAULT)
CALIBRATION = {
    "name": "shop-faq", "profile": "pairs", "fingerprint": OWN.fingerprint, "verifier": "0" * 64, "threshold": 0.7,
    "scale": 0.9, "bias": -0.1, "max_false_accept": 0.01, "bound": 0.009, "confidence": 0.95, "near_misses": 400,
    "near_misses_accepted": 1, "true_pairs": 300, "true_pairs_lost": 20, "loss_low": 0.04, "loss_high": 0.1,
    "per_query": False, "created": "2026-01-31", "format_version": 1,
}  # fmt: skip
DOCUMENT = {"id": "a", "text": "A red car.", "title": "Car", "year": 1999, "tags": ["a", {"b": None}]}


@contextmanager
def opened_bundles() -> Iterator[Step]:
    """A folder whose other files are right, and small."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file in FILES:
            (folder / file).write_bytes(file.encode())
        manifest = asdict(OWN) | {"files": {file: sha256(folder / file) for file in FILES}}
        manifest |= {"training": {"rows": 3}, "quality": {"auroc": [0.5]}}
        yield mutations(
            lambda random: broken(random, manifest), in_file(folder / MANIFEST, lambda: check_bundle(folder))
        )


@contextmanager
def opened_calibrations() -> Iterator[Step]:
    """A folder for one file."""
    with TemporaryDirectory() as name:
        path = Path(name, "x.calibration.json")
        yield mutations(lambda random: broken(random, CALIBRATION), in_file(path, lambda: check_calibration(path)))


def broken(random: Random, given: object) -> bytes:
    """A file: with values changed, or random bytes."""
    return (
        random.randbytes(random.randrange(200)) if random.random() < 0.02 else spelled(random, mutated(random, given))
    )


def in_file(path: Path, check: object) -> Check:
    """A check of the bytes, once they stand in the file."""

    def checked(raw: bytes) -> None:
        path.write_bytes(raw)
        check()  # type: ignore[operator]

    return checked


def check_bundle(folder: Path) -> None:
    """Nothing; a manifest that is accepted works for every document, and can be written and read again."""
    manifest = Bundle.open(folder).manifest
    assert manifest.token_bytes < 1 << 31 and manifest.window_tokens < 1 << 31 and manifest.recall_dimension < 1 << 31
    for name in PROFILES:
        profile = manifest.profile(name)
        for tokens in TOKENS:
            assert 0 < profile.threshold_for(tokens) < 1
        for logit in LOGITS:
            chance = probability(logit, profile)
            assert 0 <= chance <= 1 or math.isnan(chance)
            assert math.isfinite(profile.blend * log_odds(chance)) or math.isnan(chance)
    manifest.write(folder)
    assert Manifest.read(folder) == manifest


def check_calibration(path: Path) -> None:
    """Nothing; as `check_bundle`, for a calibration."""
    calibration = Calibration.read(path)
    knobs = calibration.knobs(OWN)
    assert 0 < knobs.threshold < 1 and isinstance(calibration.holds, bool) and not calibration.fits(OWN)
    for logit in LOGITS:
        chance = probability(logit, knobs)
        assert 0 <= chance <= 1 or math.isnan(chance)
        assert math.isfinite(knobs.blend * log_odds(chance)) or math.isnan(chance)
    calibration.write(path)
    assert Calibration.read(path) == calibration


def corpus(random: Random) -> bytes:
    """A few lines, most of them documents."""
    lines = [
        spelled(random, mutated(random, DOCUMENT | {"id": random.randrange(9)}, random.randrange(3)))
        for _ in range(random.randrange(1, 5))
    ]
    raw = random.choice([b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\0"]).join(lines)
    return bent(random, raw) if random.random() < 0.1 else raw


def check_corpus(raw: bytes) -> str | None:
    """How it was refused, if no line of it is a document; every document can be stored and written again."""
    items = list(read_corpus(io.BytesIO(raw), 1000))
    documents = [item for item in items if isinstance(item, Document)]
    assert [item.line for item in items] == sorted({item.line for item in items})
    assert len({document.id for document in documents}) == len(documents)
    for document in documents:
        assert document.id and document.text.strip() and len(document.text) <= 1000
        (document.id + document.text + document.title).encode()
        deeper(40, lambda document=document: dump(document.extra))
        json.dumps(document.extra)
    return None if documents else "every line refused" if items else "no line"


def deeper(frames: int, work: object) -> object:
    """What the work returns, called from so many frames down, as in a server."""
    return work() if not frames else deeper(frames - 1, work)  # type: ignore[operator]


def check_bytes(raw: bytes) -> str | None:
    """As `check_corpus`."""
    return check_corpus(raw)


def seeds() -> list[bytes]:
    """Inputs for `check_bytes` to begin with."""
    return [json.dumps(DOCUMENT).encode() + b"\n" + b'{"text": "\\ud83d\\ude00 1e5"}\n[1e999, NaN]']


TARGETS = [
    Target("bundles", "mutations", 40_000, 300, opened_bundles, (BundleError,), LIMIT),
    Target("calibrations", "mutations", 60_000, 500, opened_calibrations, (CalibrationError,), LIMIT),
    Target("corpora", "mutations", 50_000, 500, at_once(mutations(corpus, check_corpus)), (), LIMIT),
    Target("corpora", "atheris", 60_000, 1000, coverage("files")),
]
