"""A checkpoint in, a bundle out: graphs, tokenizer, calibrated thresholds, parity, model card, manifest."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onnx_export.base import base_licence, base_name, plain_tokenizer
from onnx_export.calibration import Calibration, calibrate, capped, load_rows
from onnx_export.checkpoint import load_checkpoint
from onnx_export.errors import BadCheckpoint
from onnx_export.graphs import export_encoder, export_verifier, shrink
from onnx_export.model import Model
from onnx_export.model_card import finish
from onnx_export.pair import Pair
from onnx_export.parity import TEXTS, parity, recall_gap
from onnx_export.quantisation import quantise_verifier
from onnx_export.verifiers import SERVED
from plugin_server.bundle import ENCODER, TOKENIZER, VERIFIER, Bundle, Manifest, Profile, fingerprint
from plugin_server.bundle_file import sha256
from plugin_server.encoder import Encoder
from plugin_server.verifier import batches

#: What a recall vector's cosine with the base model's own may fall below 1, and held-out rows of a source that tell.
RECALL_GAP, RECALL_ROWS = 1e-4, 5

#: Held-out rows of a source that show the verifier's largest and smallest numbers.
SHOWN = 50

#: Texts that stand for others where there are no rows.
SAMPLE = [text for pair in TEXTS for text in pair]

#: Bits of a number of a token row: against 8, no source of held-out rows lost more than 0.0011 of its AUROC.
BITS = 4


def convert(checkpoint: Path, output: Path, name: str = "simgate-minilm", bits: int = BITS) -> Bundle:
    """The bundle made from a checkpoint, in the folder `output`, which is created or overwritten.

    Beside the checkpoint lie ``data.json`` and ``heldout.jsonl``, which `simgate train` wrote: the rows trained on, and
    the rows held out, on which thresholds and calibration are fitted with the served graphs.

    Args:
        bits: of a number of a token row, 4 or 8.

    Raises:
        BadCheckpoint: the file is no checkpoint, or what lies beside it is missing.
    """
    model, training, rows = read_run(checkpoint)
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model.folder / TOKENIZER, output / TOKENIZER)
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder)
        write_graphs(model, full, output, [row.document for row in capped(rows, RECALL_ROWS)])
        draft = assemble(model, output, name, Calibration.neutral(), training, {}, bits)
        draft = round_products(draft, full, rows)
        compared = parity(model, full, output, bits)
    fitted, heldout = calibrate(draft, rows)
    assemble(model, output, name, fitted, training, {"parity": compared, "heldout": heldout}, bits)
    return Bundle.open(output)


def read_run(checkpoint: Path) -> tuple[Model, dict[str, Any], list[Pair]]:
    """The model of a finished run, what a manifest says of its training, and the rows that were held out.

    Raises:
        BadCheckpoint: as `convert`.
    """
    model, state = load_checkpoint(checkpoint)
    if not isinstance(model, Model) or model.config.encoder.frozen or model.config.verifier.kind not in SERVED:
        raise BadCheckpoint(
            f"{checkpoint}: kind {model.config.verifier.kind!r} is for comparison alone: a bundle holds a trained "
            f"encoder and a verifier of kind {' or '.join(SERVED)}"
        )
    config = state["config"]
    try:
        trained_on = json.loads((checkpoint.parent / "data.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadCheckpoint(f"{checkpoint.parent / 'data.json'}: the run's row counts are needed: {error}") from error
    training = {"config": config, "steps": state["step"], "rows": trained_on, "before": state.get("before", [])}
    return model, training, load_rows(checkpoint.parent / "heldout.jsonl")


def write_graphs(model: Model, full: Path, output: Path, texts: Sequence[str] = SAMPLE) -> None:
    """Write both graphs, into the folder `full` in float32, into `output` with smaller weights.

    Args:
        texts: on which the recall vector must stay what it is; where int8 embeddings move its cosine by more than
            `RECALL_GAP`, they are written as float16.
    """
    export_encoder(model.encoder, full / ENCODER)
    export_verifier(model.verifier, model.config.encoder.dimension, full / VERIFIER)
    shrink(full / VERIFIER, output / VERIFIER)
    shrink_encoder(model, full / ENCODER, output / ENCODER, texts)


def shrink_encoder(model: Model, full: Path, output: Path, texts: Sequence[str] = SAMPLE) -> None:
    """Write the encoder graph `full` with smaller weights; `texts` as in `write_graphs`."""
    shrink(full, output)
    tokenizer = plain_tokenizer(model.folder)
    tokenizer.enable_truncation(model.window)
    codes = (code.ids for code in tokenizer.encode_batch(list(texts)))
    if recall_gap(full, output, codes) > RECALL_GAP:
        shrink(full, output, tables=False)


def round_products(draft: Bundle, full: Path, rows: Sequence[Pair]) -> Bundle:
    """The draft with a verifier that computes its widest products in whole numbers, scaled by what the rows show.

    Args:
        draft: its other files are as they will be; the one given is no longer whole afterwards.
        full: folder with the verifier in float32.
    """
    shown = capped(rows, SHOWN)
    encoder = Encoder(draft)
    documents = encoder.documents([row.document for row in shown])
    queries = encoder.documents([row.query for row in shown])
    pairs = [(query.windows[0], document.windows[0]) for query, document in zip(queries, documents, strict=True)]
    rounded = full / "rounded.onnx"
    quantise_verifier(full / VERIFIER, rounded, batches(pairs, 32))
    shrink(rounded, draft.folder / VERIFIER)
    return finish(draft.folder, draft.manifest)


def assemble(
    model: Model,
    output: Path,
    name: str,
    fitted: Calibration,
    training: dict[str, Any],
    quality: dict[str, Any],
    bits: int = BITS,
) -> Bundle:
    """The bundle over the graphs that lie in `output`: card and manifest are written, last of all."""
    return sealed(output, replace(manifest_of(model, name, fitted, training, bits), quality=quality))


def sealed(folder: Path, manifest: Manifest) -> Bundle:
    """The bundle over the graphs and the tokenizer in a folder: fingerprint, card and checksums are made anew."""
    files = sha256(folder / ENCODER), sha256(folder / TOKENIZER)
    knobs = manifest.window_tokens, manifest.window_overlap, manifest.token_bits
    return finish(folder, replace(manifest, fingerprint=fingerprint(*files, *knobs)))


def manifest_of(model: Model, name: str, fitted: Calibration, training: dict[str, Any], bits: int) -> Manifest:
    """What a bundle of the model says of itself, before there are graphs: no fingerprint, files or figures."""
    encoder, shape = model.encoder, model.config.encoder
    return Manifest(
        name=name,
        fingerprint="",
        recall_dimension=encoder.recall_width,
        token_dimension=model.config.encoder.dimension,
        token_bits=bits,
        window_tokens=model.window,
        window_overlap=shape.overlap,
        verifier=model.config.verifier.kind,
        profiles={key: Profile(**knobs) for key, knobs in fitted.profiles.items()},
        match_threshold=fitted.match_threshold,
        files={},
        base={"name": base_name(shape.base), "licence": base_licence(model.folder)},
        training=training,
    )
