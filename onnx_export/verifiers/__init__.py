"""The verifiers in torch: two token matrices in, one accept logit per profile out.

Every kind builds the similarity map itself and has the same signature, so that a bundle can carry any of them.
``mean``, ``maxsim``, ``monotone``, ``convolution`` and ``patches`` are F0 to F4 of arXiv:2604.16351, ``alignment`` is
ours; ``unordered`` is ``patches`` over a map without order, which shows what order is worth.
"""

from collections.abc import Callable

from torch import nn

from onnx_export.verifiers.alignment import Alignment
from onnx_export.verifiers.convolution import Convolution
from onnx_export.verifiers.patches import Patches
from onnx_export.verifiers.scores import MaxSim, Mean, Monotone, Unordered


def unordered(dimension: int, **shape: int) -> Unordered:
    """`Patches` over the map without its order."""
    return Unordered(Patches(dimension, **shape))


KINDS: dict[str, Callable[..., nn.Module]] = {
    "alignment": Alignment,
    "convolution": Convolution,
    "maxsim": MaxSim,
    "mean": Mean,
    "monotone": Monotone,
    "patches": Patches,
    "unordered": unordered,
}
#: Kinds that a bundle may carry: graphs of theirs take texts of any length, and a pair's logits are the pair's own.
SERVED = ("alignment", "patches")

__all__ = ["KINDS", "SERVED", "Alignment", "Convolution", "MaxSim", "Mean", "Monotone", "Patches", "Unordered"]
