"""In what form a bundle is written: precision, target, opset, bits of a token row; and which go together."""

from __future__ import annotations

from dataclasses import dataclass

PRECISIONS = ("shipped", "fp32", "fp16", "int8")
TARGETS = ("cpu", "cuda", "tensorrt")
BITS = (4, 8)
#: The exporter's own, if nothing else is asked for; from the one that its attention needs to the last that it writes.
OPSET, OPSETS = 17, (14, 20)
#: What makes no sense together, and the fix.
REFUSED = {
    ("fp16", "cpu"): (
        "the CPU has no float16 arithmetic in onnxruntime and would cast around every operator: give precision shipped "
        "(weights stored as float16, computed in float32) or fp32"
    ),
    ("int8", "cuda"): (
        "its whole-number products with uint8 scales have no CUDA kernels in onnxruntime: give precision fp16, shipped "
        "or fp32"
    ),
    ("int8", "tensorrt"): (
        "its products have uint8 zero points, where TensorRT takes int8 with none: give precision fp16 or fp32"
    ),
    ("shipped", "tensorrt"): (
        "its verifier's products have uint8 zero points, where TensorRT takes int8 with none: give precision fp16 or "
        "fp32"
    ),
}


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a bundle.

    Attributes:
        precision: ``shipped``, float16 weights for recall, int8 ones for embedding tables and token branch, computed in
            float32, and the verifier's widest products in whole numbers with fixed scales: what `simgate convert`
            writes; ``fp32``, weights and arithmetic in float32; ``fp16``, both in float16, but for what needs a wider
            range (`onnx_export.exports.lowering`); ``int8``, as shipped, and the token branch's products in whole
            numbers with fixed scales too.
        target: what it is to run on, a value of ``SIMGATE_PROVIDER``.
        opset: version of ONNX's operators.
        bits: of a number of a token row; 0 for the source's own.
    """

    precision: str = "shipped"
    target: str = "cpu"
    opset: int = OPSET
    bits: int = 0

    def fault(self) -> str:
        """Why precision and target make no sense together, and the fix; empty if they do.

        Example:
            >>> Form("fp32", "cuda").fault(), Form("fp16", "cpu").fault()[:40]
            ('', 'the CPU has no float16 arithmetic in onn')
        """
        return REFUSED.get((self.precision, self.target), "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a bundle may be from torch in float32 and be written nevertheless; each is a largest value.

    Attributes:
        recall: how far the recall vector's cosine may fall below 1.
        length: how far its length may be from 1.
        rows: what a number of a token row may differ by.
        logits: what a logit may differ by, token rows rounded on both sides.
        flips: share of the verdicts that may change sides, over both profiles.
        batch: what a pair's probability may change by with its batch, order and padding.
    """

    recall: float
    length: float
    rows: float
    logits: float
    flips: float
    batch: float = 1e-5


#: By precision. No recall vector may be further than 1e-4 from the base model's, whatever the precision, as adopting
#: simgate must not change recall, and none longer than float32 rounds it, as an engine may compare inner products.
#: Rows: float32 adds up in another order than torch; float16 has 11 bits, of which layers cost a few; int8 weights
#: stay near half a step of a 4-bit row, whose largest number stands for 7 steps; int8 products within two steps.
#: Logits and flips follow from rows: one rounding that turns moves a logit by hundredths, many by more; a verdict flips
#: where the probability is that near to the threshold. all-MiniLM-L6-v2 is below two thirds of each limit, and
#: far below those of fp32 and fp16: limits catch what has gone wrong, what a form costs is for its figures to say.
LIMITS = {
    "fp32": Limits(recall=1e-6, length=1e-5, rows=1e-4, logits=0.2, flips=0.005),
    "fp16": Limits(recall=1e-4, length=1e-5, rows=0.01, logits=0.5, flips=0.01),
    "shipped": Limits(recall=1e-4, length=1e-5, rows=0.05, logits=1.0, flips=0.02),
    "int8": Limits(recall=1e-4, length=1e-5, rows=0.2, logits=4.0, flips=0.05),
}
