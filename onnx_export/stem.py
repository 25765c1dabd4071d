"""What an encoder does before its layers, for any of transformers': embeddings, masks, positions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

#: What a layer is called with behind the hidden states: positional and named arguments.
Call = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a layer gives its hidden states: bare where ``length`` is 0, else in a tuple of that length at ``place``."""

    length: int = 0
    place: int = 0

    def hidden(self, output: Any) -> Tensor:
        """The hidden states in a layer's output; what is a tensor already stays."""
        found: Tensor = output if isinstance(output, Tensor) else output[self.place]
        return found

    def output(self, hidden: Tensor) -> Any:
        """The hidden states as a layer would give them."""
        return tuple(hidden if place == self.place else None for place in range(self.length)) or hidden


class Recorder(nn.Module):
    """Stands in a layer's place: notes what it is called with, and passes the hidden states on."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.seen: list[tuple[Tensor, Call]] = []

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The hidden states, in the form of a layer's output."""
        hidden, call = parted(args, kwargs)
        self.seen.append((hidden, call))
        return self.form.output(hidden)


class Stem(nn.Module):
    """An encoder whose layers are recorders.

    Args:
        model: changed: its layers are replaced.
        layers: of the model.
        norms: how many steps come behind them, called with the hidden states alone.
        form: of the layers.
    """

    def __init__(self, model: Any, layers: list[nn.Module], norms: int, form: Form) -> None:
        super().__init__()
        self.norms = norms
        self.recorders = nn.ModuleList(Recorder(form) for _ in layers)
        for part in [*model.modules()]:
            for name, child in part.named_children():
                if isinstance(child, nn.ModuleList) and [*child] == layers:
                    setattr(part, name, self.recorders)
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, list[Call]]:
        """Hidden states (b, t, h) before the first layer, and what each step is called with, from the lowest up."""
        recorders: list[Any] = [*self.recorders]
        self.model(input_ids=ids, attention_mask=mask)
        seen = [recorder.seen.pop() for recorder in recorders]
        return seen[0][0], [*(call for _, call in seen), *[((), {})] * self.norms]


def begin(embeddings: nn.Module, ids: Tensor, mask: Tensor, steps: int) -> tuple[Tensor, list[Call]]:
    """Hidden states (b, t, h) before the first layer, and the calls of so many steps, from ids and mask (b, t)."""
    if isinstance(embeddings, Stem):
        hidden, calls = embeddings(ids, mask)
        return hidden, calls
    hidden = embeddings(input_ids=ids)
    return hidden, calls_of(embeddings, hidden, mask, steps)


def calls_of(embeddings: nn.Module, hidden: Tensor, mask: Tensor, steps: int) -> list[Call]:
    """The calls of so many steps over hidden states (b, t, h) that were computed before, from the mask (b, t)."""
    if isinstance(embeddings, Stem):
        calls: list[Call] = embeddings(torch.zeros_like(mask), mask)[1]  # which depend on no id
        return calls
    keep = mask[:, None, None, :].to(hidden.dtype)
    additive = (1.0 - keep) * -1e9
    return [((additive,), {})] * steps


def through(
    steps: Iterable[nn.Module], hidden: Tensor, calls: Sequence[Call], form: Form, cast: bool = False
) -> Tensor:
    """The hidden states (b, t, h) after these layers and norms.

    Args:
        cast: whether masks are first given the hidden states' type, which is another one if the calls come from layers
            of another precision.
    """
    for step, call in zip(steps, calls, strict=True):
        args, kwargs = _typed(call, hidden.dtype) if cast else call
        hidden = form.hidden(step(hidden, *args, **kwargs))
    return hidden


def parted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Call]:
    """The hidden states among a layer's arguments, which are the first of them, and the others."""
    if args:
        return args[0], (args[1:], kwargs)
    name = next(iter(kwargs))
    return kwargs[name], ((), {key: value for key, value in kwargs.items() if key != name})


def _typed(call: Call, kind: torch.dtype) -> Call:
    """The call with its floating-point tensors of that type."""

    def typed(part: Any) -> Any:
        return part.to(kind) if isinstance(part, Tensor) and part.is_floating_point() else part

    return tuple(map(typed, call[0])), {name: typed(part) for name, part in call[1].items()}
