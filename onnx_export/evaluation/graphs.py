"""Two promises of the served graphs, measured: recall is the base model's, and a score is of the pair alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnx_export.base import base_folder
from onnx_export.evaluation.scores import Progress, encode_texts
from onnx_export.pair import Pair
from plugin_server.blob import TokenMatrix, quantise
from plugin_server.bundle import ENCODER, PROFILES, VERIFIER, Bundle, Manifest
from plugin_server.reranker import Reranker
from plugin_server.session import open_session
from plugin_server.verdict import probability
from plugin_server.windows import BUCKET

#: Texts of the recall comparison; pairs and rounds of the batch comparison.
PARITY_TEXTS, PAIRS, ROUNDS = 1000, 128, 5


def spread(texts: Sequence[str], count: int) -> list[str]:
    """At most `count` distinct texts, evenly over the lengths, shortest and longest among them.

    Example:
        >>> spread(["aaa", "a", "aaaaa", "aa", "a", "aaaa"], 3)
        ['a', 'aaa', 'aaaaa']
    """
    ordered = sorted(set(texts), key=lambda text: (len(text), text))
    if len(ordered) <= count:
        return ordered
    return [ordered[int(place)] for place in np.linspace(0, len(ordered) - 1, count).round()]


def base_of(manifest: Manifest) -> Path:
    """The folder of the base model that the bundle was made from."""
    return base_folder(manifest.base.get("name", ""))


def base_model(manifest: Manifest) -> Any:
    """The bundle's base model in sentence-transformers, cut at the bundle's window."""
    # slow to import, and the rest of the evaluation does without
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(base_of(manifest)), device="cpu", local_files_only=True)
    model.max_seq_length = manifest.window_tokens
    return model


def recall_parity(reranker: Reranker, texts: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Cosine of the bundle's recall vector with sentence-transformers' own embedding: lowest and mean.

    A text longer than a window is compared by its first window, which is where the base model cuts.
    """
    base = base_model(reranker.manifest)
    wanted = base.encode(list(texts), batch_size=32, show_progress_bar=False, convert_to_numpy=True)
    encoded = encode_texts(reranker, texts, progress, "parity")
    found = np.stack([item.vectors[0] for item in encoded])
    cosines = (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    lengths = [len(item.windows[0]) for item in encoded]
    return {
        "texts": len(texts),
        "shortest_tokens": min(lengths),
        "longer_than_a_window": sum(len(item.windows) > 1 for item in encoded),
        "lowest": float(cosines.min()),
        "mean": float(cosines.mean()),
        "lowest_text_tokens": lengths[int(cosines.argmin())],
    }


def batch_invariance(reranker: Reranker, rows: Sequence[Pair], progress: Progress, seed: int = 0) -> dict[str, Any]:
    """How far a pair's probability moves with its batch, order and padding, against the pair all alone.

    ``served``: texts and pairs through Encoder and Verifier in random order and batches. ``verifier_graph``: the same
    matrices in the graph at random padded widths beside random others. ``encoder_graph``: matrices from the encoder's
    graph at random widths, which serving never does, because rounding to int8 turns a last bit into a whole step.
    """
    generator = np.random.default_rng(seed)
    texts = sorted({text for row in rows for text in (row.query, row.document)})
    alone = {text: reranker.encode([text])[0].windows[0] for text in texts}
    pairs = [(row.query, row.document) for row in rows]
    reference = _chances(reranker, [reranker.verifier.read([(alone[a], alone[b])])[0].logits for a, b in pairs])
    worst = dict.fromkeys(("served", "verifier_graph", "encoder_graph"), 0.0)
    flips, changed, numbers = 0, 0, 0
    profiles = [reranker.manifest.profile(name) for name in PROFILES]
    thresholds = np.array([[profile.threshold_for(len(alone[b])) for profile in profiles] for _, b in pairs])
    graphs = _Graphs(reranker)
    for done in range(1, ROUNDS + 1):
        batched, padded = _served_matrices(reranker, texts, generator), graphs.encode(texts, alone, generator)
        order = generator.permutation(len(pairs))
        found = np.zeros((3, len(pairs), len(PROFILES)))
        for part in np.array_split(order, generator.integers(2, 9)):
            chosen = [pairs[number] for number in part]
            served = reranker.verifier.read([(batched[a], batched[b]) for a, b in chosen])
            found[0, part] = _chances(reranker, [reading.logits for reading in served])
            for row, source in ((1, alone), (2, padded)):
                found[row, part] = _chances(
                    reranker, graphs.read([(source[a], source[b]) for a, b in chosen], generator)
                )
        for row, name in enumerate(worst):
            worst[name] = max(worst[name], float(np.abs(found[row] - reference).max()))
        flips += int(((found[0] >= thresholds) != (reference >= thresholds)).sum())
        changed += sum(int((padded[text] != alone[text]).sum()) for text in texts)
        numbers += sum(alone[text].size for text in texts)
        progress(done, ROUNDS, "batch invariance: rounds")
    figures = {"pairs": len(pairs), "rounds": ROUNDS, **worst}
    return figures | {"verdicts_changed": flips, "int8_changed_by_padding": changed / numbers}


class _Graphs:
    """Both graphs, run at random padded widths."""

    def __init__(self, reranker: Reranker) -> None:
        bundle: Bundle = reranker.bundle
        self._encoder = open_session(bundle.folder / ENCODER, reranker.settings.threads)
        self._verifier = open_session(bundle.folder / VERIFIER, reranker.settings.threads)
        self._tokenizer = reranker.encoder._tokenizer
        self._bits = reranker.manifest.token_bits
        self._widest = -(-reranker.manifest.window_tokens // BUCKET) * BUCKET

    def encode(
        self, texts: list[str], alone: dict[str, TokenMatrix], generator: np.random.Generator
    ) -> dict[str, TokenMatrix]:
        """The first window of every text."""
        result = {}
        for part in np.array_split(generator.permutation(len(texts)), max(1, len(texts) // 16)):
            width = max(len(alone[texts[number]]) for number in part) + int(generator.integers(0, 40))
            width = min(width, self._widest)
            ids, mask = np.zeros((2, len(part), width), np.int64)
            for row, number in enumerate(part):
                codes = self._tokenizer.encode(texts[number]).ids
                ids[row, : len(codes)], mask[row, : len(codes)] = codes, 1
            tokens = self._encoder.run(["tokens"], {"input_ids": ids, "attention_mask": mask})[0]
            for row, number in enumerate(part):
                result[texts[number]] = quantise(tokens[row, : len(alone[texts[number]])], self._bits)
        return result

    def read(self, pairs: list[tuple[TokenMatrix, TokenMatrix]], generator: np.random.Generator) -> list[Any]:
        """Logits of the pairs, in one run."""
        inputs: dict[str, Any] = {}
        for name, matrices in (("query", [a for a, _ in pairs]), ("document", [b for _, b in pairs])):
            width = max(map(len, matrices)) + int(generator.integers(0, 40))
            rows = np.zeros((len(matrices), width, matrices[0].shape[1]), np.int8)
            for number, matrix in enumerate(matrices):
                rows[number, : len(matrix)] = matrix
            inputs |= {name: rows, f"{name}_length": np.array([len(matrix) for matrix in matrices], np.int64)}
        return list(self._verifier.run(["logits"], inputs)[0])


def _served_matrices(reranker: Reranker, texts: list[str], generator: np.random.Generator) -> dict[str, TokenMatrix]:
    """The first window of every text, encoded in random order and batches."""
    result: dict[str, TokenMatrix] = {}
    for part in np.array_split(generator.permutation(len(texts)), generator.integers(1, 9)):
        chosen = [texts[number] for number in part]
        result |= {text: item.windows[0] for text, item in zip(chosen, reranker.encode(chosen), strict=True)}
    return result


def _chances(reranker: Reranker, logits: list[Any]) -> Any:
    """(n, 2) probabilities, a column for each profile."""
    knobs = [reranker.manifest.profile(name) for name in PROFILES]
    return np.array(
        [[probability(float(value), knob) for value, knob in zip(row, knobs, strict=True)] for row in logits]
    )
