"""Every bundle of an export, one after another: made, held against torch, put in place; a failure stops no other."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from onnx_export.errors import ExportError, ExportFailed, TooFar
from onnx_export.exports.agreement import agreement, faults
from onnx_export.exports.folder import check_free, claimed, finished, part_of, put
from onnx_export.exports.form import LIMITS
from onnx_export.exports.job import Job
from onnx_export.exports.lowering import lower
from onnx_export.exports.outcome import DONE, FAILED, KEPT, Outcome
from onnx_export.exports.pace import pace
from onnx_export.exports.source import digest_of, told_of
from onnx_export.exports.tensorrt import fault_for_tensorrt
from onnx_export.exports.workshop import Workshop
from onnx_export.model_card import finish
from plugin_server.bundle import ENCODER, VERIFIER, Bundle
from plugin_server.errors import InvalidField, SimgateError
from plugin_server.session import open_session

#: Is raised when what is written changes for the same configuration, so that what lies there is made again.
REVISION = 1
Progress = Callable[[float, float | None, str], None]
Note = Callable[[str], None]


def export_all(jobs: Sequence[Job], output: Path, progress: Progress) -> list[Outcome]:
    """What became of each bundle, in the jobs' order; bundles that are there, whole and of the same form, are left.

    Args:
        output: folder of the bundles' folders; made if it is not there.

    Raises:
        OutputTaken: another export writes there, or something that no export wrote is in a bundle's place.
    """
    outcomes = []
    with claimed(output):
        for job in jobs:
            check_free(output / job.name)
        with tempfile.TemporaryDirectory(prefix="simgate-export-") as work:
            workshop = Workshop(Path(work))
            for number, job in enumerate(jobs):
                note = partial(_note, progress, number, len(jobs), job.name)
                outcomes.append(_made(workshop, job, output, note))
    tally = [sum(item.status == status for item in outcomes) for status in (DONE, KEPT, FAILED)]
    progress(len(jobs), len(jobs), "{} done, {} kept, {} failed".format(*tally))
    return outcomes


def provider_for(target: str, graph: Path) -> str:
    """What a bundle for that target is checked with here: its own provider where it can run a graph, else the CPU."""
    if target == "cpu":
        return target
    try:
        open_session(graph, provider=target)
    except InvalidField:  # this onnxruntime has no such provider, or there is no GPU, or no driver
        return "cpu"
    return target


def _made(workshop: Workshop, job: Job, output: Path, note: Note) -> Outcome:
    """What became of one bundle."""
    start = time.monotonic()
    try:
        digest = _digest(job)
        bundle, status = finished(output / job.name, digest), KEPT
        if bundle is None or bundle.manifest.form["checked_on"] != _provider(bundle, job):
            bundle, status = _make(workshop, job, output, digest, note), DONE
    except (ExportError, SimgateError) as error:
        figures = error.figures if isinstance(error, TooFar) else {}
        return Outcome(job, FAILED, str(error), parity=figures, seconds=time.monotonic() - start)
    except Exception as error:  # of torch, onnx, optimum or onnxruntime, which share no root below Exception
        line = str(error).strip().partition("\n")[0]
        return Outcome(job, FAILED, f"{type(error).__name__}: {line}", seconds=time.monotonic() - start)
    manifest, tried = bundle.manifest, bundle.manifest.form["checked_on"]
    missing = "" if tried == job.form.target else f"checked on {tried}, not run: needs {job.form.target}"
    quality = manifest.quality
    seconds = time.monotonic() - start
    return Outcome(
        job, status, missing, manifest.fingerprint, manifest.token_bits, bundle.size, quality["parity"],
        quality.get("pace", {}), seconds,
    )  # fmt: skip


def _provider(bundle: Bundle, job: Job) -> str:
    """What the bundle would be checked with now."""
    return provider_for(job.form.target, bundle.folder / ENCODER)


def _make(workshop: Workshop, job: Job, output: Path, digest: str, note: Note) -> Bundle:
    """The bundle, made, checked and in its place.

    Raises:
        ExportFailed: it cannot be written in that form, or is too far from torch; nothing is left of it.
    """
    form = job.form
    note("source")
    source, reference = workshop.source(job.source)
    note("thresholds, graphs in float32")
    full = source.full(form.opset)
    manifest, quality = source.manifest(form.opset, form.bits)
    provider = provider_for(form.target, full / ENCODER)
    told = {"precision": form.precision, "target": form.target, "opset": form.opset}
    told |= {"source": told_of(job.source), "checked_on": provider, "digest": digest}
    with part_of(output) as room:
        part = room / job.name
        part.mkdir()
        note(f"graphs in {form.precision}")
        draft = lower(
            form.precision, source.model, full, part, replace(manifest, name=job.name, form=told), source.rows
        )
        if form.target == "tensorrt":
            for file in (ENCODER, VERIFIER):
                if fault := fault_for_tensorrt(part / file):
                    raise ExportFailed(fault)
        note("parity")
        parity = agreement(reference, draft, provider)
        if wrong := list(faults(parity, LIMITS[form.precision])):
            raise TooFar(wrong, parity)
        quality = quality | {"parity": parity}
        if provider == form.target:
            quality["pace"] = pace(draft, provider)
        bundle = finish(part, replace(draft.manifest, quality=quality))
        put(part, output / job.name)
    return Bundle(output / job.name, bundle.manifest)


def _note(progress: Progress, done: int, total: int, name: str, step: str) -> None:
    """Nothing; it is told which step of which bundle is at hand."""
    progress(done, total, f"{name}: {step}")


def _digest(job: Job) -> str:
    """What tells whether a bundle is of this job: source, form and `REVISION`."""
    parts = {"source": digest_of(job.source), "name": job.name, "form": asdict(job.form), "revision": REVISION}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
