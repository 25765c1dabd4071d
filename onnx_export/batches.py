"""Training rows in, padded batches of similar length out, the same ones for the same seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from onnx_export.errors import BadConfig
from onnx_export.pair import Pair

#: Rows drawn and sorted by length at a time: large enough for even batches, small enough to keep the mixture in each.
POOL = 4096


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and masks of queries (b, m) and documents (b, n), labels (b, 2), NaN where unknown, and the texts'
    numbers (b,) among the rows that it was made from."""

    query: Tensor
    query_mask: Tensor
    document: Tensor
    document_mask: Tensor
    labels: Tensor
    query_texts: Tensor
    document_texts: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class Rows:
    """Tokenised pairs, ready to be drawn from.

    Args:
        pairs: the rows.
        tokenizer: with special tokens, without padding.
        window: tokens a text may have at most; a longer one is cut here, in training only.
    """

    def __init__(self, pairs: Sequence[Pair], tokenizer: Tokenizer, window: int = 256) -> None:
        texts = sorted({text for pair in pairs for text in (pair.query, pair.document)})
        place = {text: number for number, text in enumerate(texts)}
        self.ids = [np.asarray(code.ids[:window], dtype=np.int64) for code in tokenizer.encode_batch(texts)]
        self.sides = np.array([[place[pair.query], place[pair.document]] for pair in pairs], dtype=np.int64).reshape(
            -1, 2
        )
        unknown = float("nan")
        self.labels = np.array(
            [[unknown if label is None else label for label in (pair.pairs, pair.passages)] for pair in pairs],
            np.float32,
        ).reshape(-1, 2)
        self.lengths = np.array([len(row) for row in self.ids], dtype=np.int64)[self.sides]
        self.sources = np.array([pair.source for pair in pairs])
        mutual = np.isin(self.sources, np.unique(self.sources[self.labels[:, 0] == 1]))
        agreed = (self.labels[:, 0] == self.labels[:, 1]) | np.isnan(self.labels[:, 1])
        self.exchangeable = mutual & agreed

    def batch(self, chosen: NDArray[np.int64], swap: NDArray[np.bool_] | None = None) -> Batch:
        """The rows ``chosen`` as one batch; ``swap`` exchanges query and document of a row."""
        sides = self.sides[chosen]
        if swap is not None:
            sides = np.where(swap[:, None], sides[:, ::-1], sides)
        query, query_mask = padded([self.ids[side] for side in sides[:, 0]])
        document, document_mask = padded([self.ids[side] for side in sides[:, 1]])
        labels, texts = torch.from_numpy(self.labels[chosen]), torch.from_numpy(sides)
        return Batch(query, query_mask, document, document_mask, labels, texts[:, 0], texts[:, 1])

    def in_order(self, tokens: int) -> Iterator[tuple[NDArray[np.int64], Batch]]:
        """Every row once, in batches of similar length, with the rows' numbers."""
        order = np.lexsort((self.lengths[:, 0], self.lengths[:, 1]))
        for chosen in _chunks(order, self.lengths, tokens):
            yield chosen, self.batch(chosen)

    @property
    def digest(self) -> str:
        """A name of the texts and their tokens."""
        return hashlib.sha256(b"".join(row.tobytes() for row in self.ids)).hexdigest()

    def partners(self) -> NDArray[np.int64]:
        """(n,) for each row the number of one with the other label that shares a text; -1 where there is none.

        One with the same query goes first; rows that may be exchanged share texts on whichever side.
        """
        true = (self.labels == 1).any(1).tolist()
        asked: list[dict[int, int]] = [{}, {}]
        said: list[dict[int, int]] = [{}, {}]
        for number, (query, document) in enumerate(self.sides.tolist()):
            asked[true[number]][query] = number
            if self.exchangeable[number]:
                said[true[number]] |= {query: number, document: number}
        found = np.full(len(self.sides), -1, np.int64)
        for number, (query, document) in enumerate(self.sides.tolist()):
            other = not true[number]
            found[number] = asked[other].get(query, -1)
            if found[number] < 0 and self.exchangeable[number]:
                found[number] = said[other].get(query, said[other].get(document, -1))
        return found

    def drawn(
        self, mixture: dict[str, float], tokens: int, seed: int, partners: bool = False, exchange: bool = True
    ) -> Iterator[Batch]:
        """Batches without end: sources by their share, rows at random within one, in random order.

        Args:
            partners: to each row one of its `partners` comes along, if there is one.
            exchange: rows of a source that holds paraphrases are exchanged half of the time, if both profiles agree on
                their label or that of ``passages`` is not known, so that neither side's style tells the label. Sources
                of premises and hypotheses keep their direction. Rows of one query are exchanged together.

        Raises:
            BadConfig: no source of the mixture has a row.
        """
        groups = [(np.flatnonzero(self.sources == name), share) for name, share in sorted(mixture.items())]
        groups = [(rows, share) for rows, share in groups if len(rows) and share]
        if not groups:
            raise BadConfig(f"mixture: none of its sources has a row: {', '.join(mixture) or 'it names none'}")
        shares = np.array([share for _, share in groups])
        others = self.partners() if partners else None
        for pool in range(10**9):
            random = np.random.default_rng([seed, pool])
            counts = random.multinomial(POOL, shares / shares.sum())
            drawn = np.concatenate(
                [random.choice(rows, count) for (rows, _), count in zip(groups, counts, strict=True)]
            )
            sizes = self.lengths[drawn].max(1)
            if others is not None:  # a partner has its row's key, so that the two stay together
                found = others[drawn] >= 0
                sizes[found] = np.maximum(sizes[found], self.lengths[others[drawn[found]]].max(1))
            keys = sizes + random.uniform(0, 4, POOL)
            if others is not None:
                drawn, keys = np.append(drawn, others[drawn[found]]), np.append(keys, keys[found])
            chunks = list(_chunks(drawn[np.argsort(keys, kind="stable")], self.lengths, tokens))
            for number in random.permutation(len(chunks)):
                chosen = chunks[number]
                coins = dict(zip(self.sides[chosen, 0].tolist(), random.random(len(chosen)).tolist(), strict=True))
                swap = np.array([coins[side] < 0.5 for side in self.sides[chosen, 0].tolist()])
                yield self.batch(chosen, self.exchangeable[chosen] & swap if exchange else None)


def _chunks(order: NDArray[np.int64], lengths: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.int64]]:
    """Runs of ``order`` whose padded size, both sides together, stays within ``tokens``."""
    start, widest = 0, np.zeros(2, dtype=np.int64)
    for end, row in enumerate(order):
        grown = np.maximum(widest, lengths[row])
        if end > start and grown.sum() * (end - start + 1) > tokens:
            yield order[start:end]
            start, grown = end, lengths[row]
        widest = grown
    if start < len(order):
        yield order[start:]


def padded(rows: Sequence[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
    """Ids (b, t) padded with 0 and the mask (b, t) of 0 and 1."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    lengths = np.array([len(row) for row in rows])
    mask = (np.arange(width)[None, :] < lengths[:, None]).astype(np.int64)
    return torch.from_numpy(ids), torch.from_numpy(mask)
