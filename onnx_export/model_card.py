"""The model card of a bundle, and the bundle with it: what is written once the graphs are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plugin_server.bundle import CARD, FILES, LONG, SHORT, Bundle, Manifest
from plugin_server.bundle_file import sha256

#: Licence of each training source, as shared with the data.
LICENCES = {
    "paws_wiki": "PAWS-Wiki, freely used for any purpose (Google)",
    "hans": "HANS, MIT",
    "scone": "ScoNe, CC0",
    "cannot": "CANNOT, CC BY-SA 4.0",
    "snli": "SNLI, CC BY-SA 4.0",
    "nli_cad": "counterfactually revised NLI, Apache-2.0",
    "sugarcrepe_pp": "SugarCrepe++, MIT",
    "valse": "VALSE, MIT",
    "stsb": "STS Benchmark, scores CC BY-SA 4.0",
    "squadshifts": "SquadShifts, CC BY 4.0",
    "qed_nq": "QED (Natural Questions), CC BY-SA 3.0",
    "written": "own pairs, written by hand, Apache-2.0",
    "grammar": "own grammars, Apache-2.0",
    "edits": "own edits of sentences of the sets above and of VSR captions (Apache-2.0)",
    "blocks": "near-misses and rewritings of sentences of the sets above by rule, as `simgate negatives` writes them",
    "claims": "own claims about the passages above",
    "topics": "own topical queries to the passages above",
    "renamed": "pairs of PAWS-Wiki and own written ones under other names",
    "implied": "pairs of PAWS-Wiki sentences whose label follows from those of other pairs",
    "unrelated": "texts of the sets above that have nothing to do with each other",
}

#: Whether training rows were held against the sets used for reporting.
LOOKED_AT = "No row of a set used for reporting, and no near copy of one, was trained on."
NOT_LOOKED_AT = "Whether a row of a set used for reporting, or a near copy of one, was trained on was not looked at."


def finish(folder: Path, manifest: Manifest, page: str = "") -> Bundle:
    """The bundle over the graphs in the folder, its card (a page of figures at its end) and checksums written anew."""
    (folder / CARD).write_text(model_card(manifest) + page, encoding="utf-8")
    manifest = replace(manifest, files={file: sha256(folder / file) for file in FILES})
    manifest.write(folder)
    return Bundle(folder, manifest)


def model_card(manifest: Manifest) -> str:
    """The card as Markdown: what the model is, what it was trained on, how it was measured, where it fails."""
    rows = manifest.training.get("rows", {})
    lines = [
        f"# {manifest.name}",
        "",
        "A model bundle of simgate: token embeddings and a verifier that reads the similarity map of query and "
        "candidate and says whether the candidate holds up. The recall vector is the base model's own.",
        "",
        f"- base: {manifest.base.get('name', '')} ({manifest.base.get('licence', '')})",
        f"- fingerprint of its token blobs: `{manifest.fingerprint}`",
        f"- recall vector: {manifest.recall_dimension} float32; token row: {manifest.token_dimension} numbers of "
        f"{manifest.token_bits} bits, {manifest.token_bytes} bytes",
        f"- windows of {manifest.window_tokens} tokens, overlapping by {manifest.window_overlap}",
        f"- verifier: {manifest.verifier}",
        *_form(manifest.form),
        "- language: English",
        "",
        "## Profiles",
        "",
        "| profile | threshold | meaning |",
        "|---|---|---|",
        f"| pairs | {manifest.profiles['pairs'].threshold} | both texts say the same |",
        f"| passages | {manifest.profiles['passages'].threshold} | the candidate answers or supports the query |",
        *(
            f"| {name}, documents of up to {SHORT} tokens | {knobs.short_threshold} | moving to the above at {LONG} |"
            for name, knobs in manifest.profiles.items()
            if knobs.short_threshold
        ),
        "",
        "## Training data",
        "",
        "| source | rows | held out | dropped as overlapping a report set |",
        "|---|---|---|---|",
    ]
    overlap = rows.get("dropped_as_overlap")  # only where the report sets were at hand
    for source, count in rows.get("train", {}).items():
        held, dropped = rows["heldout"].get(source, 0), (overlap or {}).get(source, 0)
        lines.append(f"| {LICENCES.get(source, source)} | {count:,} | {held:,} | {dropped:,} |")
    lines += [
        "",
        f"Steps: {manifest.training.get('steps', 0):,}. Thresholds and calibration were fitted on the held-out rows. "
        + (LOOKED_AT if overlap is not None or not rows else NOT_LOOKED_AT),
        "",
        *_before(manifest.training.get("before", [])),
        "Configuration:",
        "",
        "```json",
        json.dumps(manifest.training.get("config", {}), indent=1),
        "```",
        "",
        *_quality(manifest.quality),
        "## Limits",
        "",
        "- English only; texts of other languages get a defined verdict that means little.",
        "- Sentences and short passages were trained on; a long document is judged by its best window.",
        "- A verdict says whether the words of the candidate hold up against the query, not whether they are true.",
        "",
    ]
    return "\n".join(lines)


def _form(form: Mapping[str, Any]) -> list[str]:
    """In what form `simgate export` wrote the graphs, and what they were held against."""
    if not form:
        return []
    return [
        f"- form: precision {form['precision']} for target {form['target']}, opset {form['opset']}; made from "
        f"{form['source']}, checked with onnxruntime's provider {form['checked_on']}"
    ]


def _before(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the first steps were taken with, where that was not the configuration of the last ones."""
    lines = []
    for part in parts:
        config = part["config"]
        mixture = ", ".join(f"{source} {share:g}" for source, share in config["mixture"].items())
        lines += [
            f"Up to step {part['until']:,} the schedule was one of {config['training']['steps']:,} steps, with the "
            f"rows there were at that time, drawn by these shares: {mixture}.",
            "",
        ]
    return lines


def _quality(quality: dict[str, Any]) -> list[str]:
    """The figures of conversion: held-out AUROC and parity."""
    lines: list[str] = []
    if "heldout" in quality:
        lines += [
            "## Held-out rows of the training sources, AUROC",
            "",
            "| source | pairs | passages |",
            "|---|---|---|",
        ]
        heldout = quality["heldout"]
        for source in sorted(set(heldout["pairs"]) | set(heldout["passages"])):
            cells = [str(heldout[profile].get(source, "")) for profile in ("pairs", "passages")]
            lines.append(f"| {source} | {cells[0]} | {cells[1]} |")
        lines.append("")
    if "parity" in quality:
        lines += ["## Parity with torch in float32, largest difference", "", "| what | difference |", "|---|---|"]
        lines += [f"| {name} | {value:.1e} |" for name, value in quality["parity"].items()]
        lines.append("")
    return lines
