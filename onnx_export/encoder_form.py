"""What optimum is told of an encoder: the base model's own export, with our inputs and outputs."""

from __future__ import annotations

from functools import partial
from typing import Any

from optimum.exporters.onnx.config import TextEncoderOnnxConfig
from optimum.exporters.tasks import TasksManager
from optimum.utils import NormalizedTextConfig

#: Names of the axes that a graph's user chooses.
WIDE = {0: "batch", 1: "tokens"}
TASK = "feature-extraction"


class PlainForm(TextEncoderOnnxConfig):  # type: ignore[misc]  # optimum carries no types
    """For kinds that optimum does not know: exported as they are."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig


def encoder_form(config: Any) -> Any:
    """The export of a `TokenEncoder` on a base model of that configuration.

    It is optimum's own for the base model's kind, so that what it changes in such models while they are traced is
    changed here too, with ``input_ids`` and ``attention_mask`` in and ``recall`` and ``tokens`` out.
    """
    try:
        known = TasksManager.get_exporter_config_constructor(
            exporter="onnx", model_type=config.model_type, task=TASK, library_name="transformers"
        )
    except (KeyError, ValueError):
        known = PlainForm
    kind: Any = known.func if isinstance(known, partial) else known

    class Form(kind):  # type: ignore[misc]
        """The base model's form with two outputs."""

        @property
        def inputs(self) -> dict[str, dict[int, str]]:
            """The axes of each input; no token types: they are all 0."""
            return {"input_ids": WIDE, "attention_mask": WIDE}

        @property
        def outputs(self) -> dict[str, dict[int, str]]:
            """The axes of each output."""
            return {"recall": {0: "batch"}, "tokens": WIDE}

    return Form(config, task=TASK)
