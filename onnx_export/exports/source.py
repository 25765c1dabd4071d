"""What bundles are made from: the model of a checkpoint or of a bundle, and what goes with it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onnx_export.calibration import Calibration, calibrate
from onnx_export.convert import BITS, manifest_of, read_run, sealed
from onnx_export.exports.sample import sample_rows
from onnx_export.graphs import export_encoder, export_verifier
from onnx_export.model import Model
from onnx_export.pair import Pair
from onnx_export.restore import restored
from plugin_server.bundle import ENCODER, FILES, TOKENIZER, VERIFIER, Bundle, Manifest, Profile
from plugin_server.bundle_file import sha256

#: What a checkpoint needs beside it.
BESIDE = ("data.json", "heldout.jsonl")


@dataclass(slots=True)
class Source:
    """A model in torch, and all that a bundle of it says beside its graphs.

    Attributes:
        model: in float32.
        rows: pairs, held out from training for a checkpoint; for a bundle `sample_rows`.
        work: folder for graphs in float32, which are written once for each opset.
    """

    model: Model
    rows: list[Pair]
    work: Path
    _tokenizer: Path
    _manifest: Manifest
    _given: bool
    _fitted: dict[int, tuple[Manifest, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, work: Path) -> Source:
        """The source in a file, a checkpoint, or in a folder, a bundle.

        Raises:
            BadCheckpoint: the file is no checkpoint, what lies beside it is missing, or the bundle does not tell how it
                was trained.
            BundleError: the bundle cannot be loaded.
        """
        if path.is_dir():
            bundle = Bundle.open(path)
            model, _ = restored(bundle)
            return cls(model, sample_rows(), work, path / TOKENIZER, bundle.manifest, True)
        model, training, rows = read_run(path)
        manifest = manifest_of(model, "", Calibration.neutral(), training, BITS)
        return cls(model, rows, work, model.folder / TOKENIZER, manifest, False)

    def full(self, opset: int) -> Path:
        """The folder with tokenizer and graphs in float32, written the first time that it is asked for."""
        folder = self.work / f"opset{opset}"
        if not folder.exists():
            part = Path(tempfile.mkdtemp(dir=self.work))  # one that failed is tried anew by the next bundle
            shutil.copyfile(self._tokenizer, part / TOKENIZER)
            export_encoder(self.model.encoder, part / ENCODER, opset)
            export_verifier(self.model.verifier, self.model.config.encoder.dimension, part / VERIFIER, opset)
            part.rename(folder)
        return folder

    def manifest(self, opset: int, bits: int = 0) -> tuple[Manifest, dict[str, Any]]:
        """What every bundle of this source with rows of so many bits says, and figures of held-out rows.

        A bundle's thresholds are taken over. For a checkpoint they are fitted with the graphs in float32, once, so that
        bundles of all precisions judge by the same ones.

        Args:
            bits: of a number of a token row; 0 for the bundle's own, or for `BITS`.
        """
        bits = bits or self._manifest.token_bits
        if bits not in self._fitted:
            manifest = replace(self._manifest, token_bits=bits, quality={}, form={}, files={}, fingerprint="")
            figures: dict[str, Any] = {}
            if not self._given:
                fitted, heldout = calibrate(sealed(self.full(opset), manifest), self.rows)
                profiles = {key: Profile(**knobs) for key, knobs in fitted.profiles.items()}
                manifest = replace(manifest, profiles=profiles, match_threshold=fitted.match_threshold)
                figures = {"heldout": heldout}
            self._fitted[bits] = manifest, figures
        return self._fitted[bits]


def digest_of(path: Path) -> str:
    """SHA-256 of what a source is made of: of a bundle what its manifest names, of a checkpoint all that it needs.

    Raises:
        BundleError: the bundle's manifest cannot be read.
        BadCheckpoint: a file is missing.
    """
    if path.is_dir():
        manifest = Bundle.at(path).manifest
        taken = repr((manifest.profiles, manifest.match_threshold))
        parts = [manifest.fingerprint, taken, *(manifest.files[name] for name in FILES)]
    else:
        parts = [sha256(file) for file in (path, *(path.parent / name for name in BESIDE)) if file.exists()]
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


def told_of(path: Path) -> str:
    """What a manifest says of its source: no path, which is of one machine alone."""
    if path.is_dir():
        manifest = Bundle.at(path).manifest
        return f"bundle {manifest.name}, fingerprint {manifest.fingerprint}"
    return f"checkpoint {path.name}, sha256 {sha256(path)[:16]}"
