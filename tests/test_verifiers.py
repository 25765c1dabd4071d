"""The verifiers in torch: padding does not count, order does, and the order-blind scores by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from onnx_export.verifiers import KINDS, Monotone
from onnx_export.verifiers.attention import Attention, Block, through
from onnx_export.verifiers.maps import MASKED, late_scores, positions

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]

#: Shapes of the kinds that have one.
SHAPES = {
    "alignment": {"width": 32, "layers": 2, "narrow": 16, "place": 8},
    "convolution": {"width": 16},
    "patches": {"width": 32, "layers": 2},
    "unordered": {"width": 32, "layers": 2},
}
#: Kinds that cannot tell one order of the words from another.
BLIND = ("maxsim", "mean", "unordered")


@pytest.fixture(params=sorted(KINDS))
def verifier(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    made = KINDS[request.param](16, **SHAPES.get(request.param, {})).eval()
    # a fresh head weighs all but nothing: larger weights, larger differences
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3) if parameter.ndim > 1 else None
    return made


def rows(*shape: int, seed: int) -> Tensor:
    """Random unit rows."""
    made = torch.randn(*shape, 16, generator=torch.Generator().manual_seed(seed))
    return nn.functional.normalize(made, dim=-1)


def pair(queries: int, documents: int, seed: int = 0) -> Inputs:
    """A pair of random matrices without padding."""
    query, document = rows(1, queries, seed=seed), rows(1, documents, seed=seed + 1000)
    return query, torch.ones(1, queries), document, torch.ones(1, documents)


def padded(inputs: Inputs, query_more: int, document_more: int) -> Inputs:
    """The pair with rows of padding that hold junk, larger than any unit row."""
    query, query_mask, document, document_mask = inputs
    return (
        torch.cat([query, 9 * rows(1, query_more, seed=5)], 1),
        nn.functional.pad(query_mask, (0, query_more)),
        torch.cat([document, 9 * rows(1, document_more, seed=6)], 1),
        nn.functional.pad(document_mask, (0, document_more)),
    )


@pytest.mark.parametrize(("query_more", "document_more"), [(1, 0), (0, 1), (3, 2), (4, 4), (30, 50)])
@pytest.mark.parametrize("lengths", [(1, 1), (4, 8), (7, 5), (16, 33)])
def test_junk_in_padding_changes_nothing(
    verifier: nn.Module, lengths: tuple[int, int], query_more: int, document_more: int
) -> None:
    inputs = pair(*lengths)
    with torch.no_grad():
        bare, filled = verifier(*inputs), verifier(*padded(inputs, query_more, document_more))
    assert bare.shape == (1, 2)
    assert float((bare - filled).abs().max()) < 1e-5


def test_a_batch_is_its_pairs(verifier: nn.Module) -> None:
    pairs = [pair(queries, documents, seed) for seed, (queries, documents) in enumerate([(1, 9), (5, 5), (9, 2)])]
    together = [
        torch.cat(side) for side in zip(*(padded(p, 9 - p[0].shape[1], 9 - p[2].shape[1]) for p in pairs), strict=True)
    ]
    with torch.no_grad():
        found = verifier(*together)
        alone = torch.cat([verifier(*inputs) for inputs in pairs])
    assert float((found - alone).abs().max()) < 1e-5


@pytest.mark.parametrize("side", ["query", "document"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_order_counts_but_not_for_what_is_blind(kind: str, side: str) -> None:
    torch.manual_seed(0)
    verifier = KINDS[kind](16, **SHAPES.get(kind, {})).eval()
    for parameter in verifier.parameters():
        nn.init.normal_(parameter, std=0.3) if parameter.ndim > 1 else None
    query, query_mask, document, document_mask = pair(8, 12)
    order = torch.tensor(
        [0, *(1 + torch.randperm(7 if side == "query" else 11, generator=torch.Generator().manual_seed(1)))]
    )
    shuffled = (query[:, order], document) if side == "query" else (query, document[:, order])
    with torch.no_grad():
        logits = verifier(query, query_mask, document, document_mask)
        moved = verifier(shuffled[0], query_mask, shuffled[1], document_mask)
    if kind in BLIND:
        assert torch.allclose(logits, moved, atol=1e-5), "statistics of a shuffled map say the same of every order"
    else:
        assert float((logits - moved).abs().max()) > 1e-3
    scores = late_scores(query @ document.transpose(1, 2), query_mask, document_mask)
    blind = late_scores(shuffled[0] @ shuffled[1].transpose(1, 2), query_mask, document_mask)
    assert torch.allclose(scores, blind, atol=1e-6)


@pytest.mark.parametrize(
    ("similarity", "rows_used", "columns_used", "scores", "remark"),
    [
        ([[1.0]], 1, 1, [1, 1, 1, 1], "one word, the same"),
        ([[0.9, 0.1], [0.3, 0.5]], 2, 2, [0.9, 0.7, 0.7, 0.5], "row maxima 0.9, 0.5; column maxima 0.9, 0.5"),
        ([[0.9, 0.1], [0.8, 0.5]], 2, 2, [0.9, 0.85, 0.7, 0.8], "row maxima 0.9, 0.8; column maxima 0.9, 0.5"),
        ([[-0.5, 9.0], [9.0, 9.0]], 1, 1, [-0.5, -0.5, -0.5, -0.5], "below 0: neither padding nor its 0 beats it"),
        ([[0.2, 0.4], [9.0, 9.0]], 1, 2, [0.2, 0.4, 0.3, 0.4], "a row of padding"),
        ([[0.2, 9.0], [-0.4, 9.0]], 2, 1, [0.2, -0.1, 0.2, -0.4], "a column of padding"),
    ],
)
def test_late_scores_by_hand(
    similarity: list[list[float]], rows_used: int, columns_used: int, scores: list[float], remark: str
) -> None:
    size = len(similarity)
    query_mask, document_mask = ((torch.arange(size) < used).float()[None] for used in (rows_used, columns_used))
    found = late_scores(torch.tensor([similarity]), query_mask, document_mask)
    assert found[0].tolist() == pytest.approx(scores, abs=1e-6), remark


def test_hint_is_a_line_through_the_late_scores() -> None:
    torch.manual_seed(0)
    verifier, inputs = KINDS["alignment"](16, width=32, narrow=16, layers=1, place=8), pair(3, 4)
    scores = late_scores(inputs[0] @ inputs[2].transpose(1, 2), inputs[1], inputs[3])
    line = verifier.get_submodule("linear")
    assert torch.allclose(verifier.hint(*inputs), line(scores))
    assert not hasattr(KINDS["patches"](16), "hint")


def test_positions() -> None:
    found = positions(300, 8, torch.device("cpu"))
    assert found.shape == (300, 8)
    assert found[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1], "sines and cosines of 0"
    assert float(found[1, 0]) == pytest.approx(1, abs=1e-6), "the shortest period is 4: a quarter after 1 token"
    assert float(found[64, 3]) == pytest.approx(1, abs=1e-4), "the longest is 256: a quarter after 64"
    assert torch.allclose(found[256, [0, 3, 4, 7]], found[0, [0, 3, 4, 7]], atol=1e-3)
    assert float(found[2, 0]) == pytest.approx(math.sin(math.pi), abs=1e-6)
    distances = torch.cdist(found[:256], found[:256]) + 10 * torch.eye(256)
    assert float(distances.min()) > 0.02, "no two of 256 places look alike"


def test_attention_is_multi_head_attention() -> None:
    # four heads of 8 channels, their projections multiplied into the two matrices that are kept
    torch.manual_seed(3)
    attention = Attention(width=32, source=16, heads=4)
    tokens, source = torch.randn(2, 5, 32), torch.randn(2, 9, 16)
    mask = torch.zeros(2, 1, 9)
    mask[1, :, 6:] = MASKED
    query, key, value = torch.randn(4, 32, 8), torch.randn(4, 16, 8), torch.randn(4, 16, 8)
    out = torch.randn(4, 8, 32)
    with torch.no_grad():
        attention.look.weight.copy_((query @ key.transpose(1, 2)).permute(0, 2, 1).flatten(0, 1))
        attention.look.bias.zero_()
        attention.out.weight.copy_((value @ out).flatten(0, 1).t())
        attention.out.bias.zero_()
        found = attention(tokens, source, mask)
    heads = nn.functional.scaled_dot_product_attention(
        tokens[:, None] @ query, source[:, None] @ key, source[:, None] @ value, mask[:, None], scale=attention.scale
    )
    torch.testing.assert_close(found, (heads @ out).sum(1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("source", [0, 16])
def test_last_block_skips_what_nobody_reads(source: int) -> None:
    torch.manual_seed(4)
    blocks = nn.ModuleList(Block(32, source, heads=2, hidden=48) for _ in range(3)).eval()
    tokens, mask = torch.randn(2, 7, 32), torch.zeros(2, 1, 7)
    mask[0, :, 5:] = MASKED
    there, there_mask = (torch.randn(2, 9, 16), torch.zeros(2, 1, 9)) if source else (None, None)
    with torch.no_grad():
        found, every = through(blocks, tokens, mask, there, there_mask), tokens
        for block in blocks:
            every = block(every, mask, there, there_mask)
    torch.testing.assert_close(found, every[:, 0])


def test_monotone_alignment_by_hand() -> None:
    # two query words over two document words: the ways are (0, 0), (0, 1) and (1, 1), but not (1, 0)
    verifier, ones = Monotone(16).requires_grad_(False), torch.ones(1, 2)
    cells = torch.tensor([[[0.9, 0.2], [0.1, 0.8]]])
    ways = torch.tensor([0.9 + 0.1, 0.9 + 0.8, 0.2 + 0.8])
    expected = ((10 * ways).logsumexp(0) - math.log(3)) / 10 / 2
    assert float(verifier.alignment(cells, ones, ones)[0]) == pytest.approx(float(expected), abs=1e-5)
    crossed = cells.flip(1)  # both words are there, in the other order
    assert float(verifier.alignment(crossed, ones, ones)[0]) < float(expected) - 0.2


def test_monotone_alignment_learns_through_long_documents() -> None:
    verifier = Monotone(16)
    query, document = rows(2, 5, seed=1).requires_grad_(), rows(2, 200, seed=2)
    verifier(query, torch.ones(2, 5), document, torch.ones(2, 200)).sum().backward()
    assert query.grad is not None
    assert torch.isfinite(query.grad).all()
    assert float(query.grad.abs().sum()) > 0
