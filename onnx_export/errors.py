"""What can go wrong between a folder of data and a finished bundle, a sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


class ExportError(Exception):
    """The root of every error this package raises on purpose."""


class DataMissing(ExportError):
    """A file of the data folder is not where its loader looks for it.

    Example:
        >>> print(DataMissing(Path("data"), "snli/s1.dev"))
        data/snli/s1.dev is missing: data must hold one folder a data set and in it snli/s1.dev
    """

    def __init__(self, folder: Path, name: str) -> None:
        """An error that names the file and how the folder must look."""
        super().__init__(f"{folder / name} is missing: {folder} must hold one folder a data set and in it {name}")


class DataMalformed(ExportError):
    """A file of the data folder is there but does not hold what its loader expects.

    Example:
        >>> print(DataMalformed("snli/s1.dev", "3 lines, but 4 labels"))
        snli/s1.dev: 3 lines, but 4 labels
    """

    def __init__(self, name: str, fault: str) -> None:
        """An error that names the file and the fault."""
        super().__init__(f"{name}: {fault}")


class BaseModelMissing(ExportError):
    """The base model's folder or package is not there, or it could not be fetched."""


class BaseModelUnsupported(ExportError):
    """The base model is there, but is none that can be split into shared layers and two branches."""


class BadConfig(ExportError):
    """A training configuration cannot be read or names something unknown."""


class BadCheckpoint(ExportError):
    """A checkpoint is missing, or was written by a run with another configuration."""


class ResultsMissing(ExportError):
    """A report is asked for before anything has been measured."""


class BadResults(ExportError):
    """A file that should hold a comparison's figures does not."""


class ExportFailed(ExportError):
    """A bundle cannot be written in the form asked for."""


class TooFar(ExportError):
    """A bundle's graphs are too far from the model in torch.

    Attributes:
        figures: how far.
    """

    def __init__(self, faults: Iterable[str], figures: Mapping[str, float]) -> None:
        """An error that names each figure beyond its limit."""
        super().__init__(f"too far from torch: {'; '.join(faults)}")
        self.figures = dict(figures)


class OutputTaken(ExportError):
    """The folder that bundles are to be written into cannot be used."""
