"""Every knob of a training run, read from one TOML file into frozen value objects."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from onnx_export.errors import BadConfig
from plugin_server.bundle import PROFILES

Section = TypeVar("Section")

#: What labels of a team's own pairs may be of.
OWN_PROFILES = (*PROFILES, "both")
#: Tokens of a window and of the overlap of two; 256 is where all-MiniLM-L6-v2 itself cuts.
WINDOW, OVERLAP = 256, 32


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Shape of the token encoder.

    Attributes:
        base: the base model: a folder, its name on the Hugging Face hub or one of `onnx_export.base.ALIASES`; empty for
            the packaged all-MiniLM-L6-v2.
        shared_layers: lower layers that recall and token branch share, frozen.
        dimension: width of a token row: its numbers in a blob.
        frozen: leave the whole encoder as it is: token rows are the base model's own, in its own width.
        window: tokens of a window; 0 for `WINDOW`, or fewer where the base model cuts texts shorter.
        overlap: tokens that a long text's window shares with the one before.
    """

    base: str = ""
    shared_layers: int = 3
    dimension: int = 64
    frozen: bool = False
    window: int = 0
    overlap: int = OVERLAP


@dataclass(frozen=True, slots=True)
class VerifierConfig:
    """Kind of the verifier (`onnx_export.verifiers.KINDS`) and the keyword arguments of its class."""

    kind: str = "alignment"
    shape: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Length and speed of training.

    Attributes:
        seed: of the weights, the generators and the order of the rows.
        steps: optimiser steps; the learning rates rise over ``warmup`` steps and then fall linearly to 0.
        batch_tokens: padded tokens of both sides in a batch, at most.
        encoder_rate, verifier_rate: highest learning rate of the token branch, and of projection and verifier.
        hint: weight of the loss of the order-blind scores beside the verifier's.
        ranking: weight of the loss of true pairs ranked below near-misses of the same query or document.
        dropout: in the token branch's layers.
        weight_decay: of matrices.
        token_bits: of a number of a token row, rounded in training as a blob rounds it.
        checkpoint_every: steps between checkpoints.
        threads: of torch.
    """

    seed: int = 7
    steps: int = 6000
    warmup: int = 200
    batch_tokens: int = 6000
    encoder_rate: float = 1e-4
    verifier_rate: float = 1e-3
    weight_decay: float = 0.01
    hint: float = 0.0
    ranking: float = 0.0
    dropout: float = 0.1
    token_bits: int = 8
    checkpoint_every: int = 500
    threads: int = 2


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """Labelled pairs of a team's own, as one more source.

    Attributes:
        file: JSON Lines with ``query``, ``document``, ``label`` and perhaps ``category``, as `simgate calibrate` reads
            them; a relative path starts from where the command runs.
        profile: what the labels are of: ``pairs``, ``passages`` or ``both``.
    """

    file: str = ""
    profile: str = "pairs"


@dataclass(frozen=True, slots=True)
class Config:
    """One training run.

    Attributes:
        mixture: share of each source in the training rows, by source name; sources not named are left out.
        generated: how many pairs the generators write, by generator (``grammar``, ``edits``, ``claims``, ``topics``,
            ``unrelated``, ``renamed``, ``blocks``, ``implied``).
        own: sources of a team's own, by name; the mixture gives them their share.
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    verifier: VerifierConfig = field(default_factory=VerifierConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    mixture: dict[str, float] = field(default_factory=dict)
    generated: dict[str, int] = field(default_factory=dict)
    own: dict[str, OwnConfig] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Config:
        """The run that a TOML file describes.

        Raises:
            BadConfig: the file is missing, is not TOML, names a section or field that does not exist, or gives a value
                of another type.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadConfig(f"{path}: {error}") from error
        return cls.parse(table, path)

    def plain(self) -> dict[str, Any]:
        """Everything as plain values, as checkpoints and manifests hold it; no ``own`` where there is none."""
        values = asdict(self)
        return values if self.own else {name: value for name, value in values.items() if name != "own"}

    @classmethod
    def parse(cls, table: dict[str, Any], path: Path) -> Config:
        """The run that a table of sections describes; `path` is named in errors.

        Raises:
            BadConfig: a section or field does not exist, or a value is of another type.
        """
        unknown = set(table) - {item.name for item in fields(cls)}
        if unknown:
            raise BadConfig(
                f"{path}: unknown section {sorted(unknown)[0]!r}; known: {[item.name for item in fields(cls)]}"
            )
        return cls(
            encoder=section_of(EncoderConfig, path, "encoder", table),
            verifier=section_of(VerifierConfig, path, "verifier", table),
            training=section_of(TrainingConfig, path, "training", table),
            mixture=numbers_of(float, path, "mixture", table),
            generated=numbers_of(int, path, "generated", table),
            own=_own(path, table),
        )


def section_of(kind: type[Section], path: Path, name: str, table: dict[str, Any]) -> Section:
    """The section ``name`` of the table as its value object."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    given, default = _table(path, name, table), kind()
    for key, value in given.items():
        if key not in known:
            raise BadConfig(f"{path}: unknown field {key!r} in [{name}]; known: {sorted(known)}")
        wanted = type(getattr(default, key))
        if type(value) is not wanted and (type(value), wanted) != (int, float):
            raise BadConfig(f"{path}: {key} in [{name}]: {value!r} is no {wanted.__name__}")
    return kind(**given)


def _own(path: Path, table: dict[str, Any]) -> dict[str, OwnConfig]:
    """The sections ``[own.NAME]``."""
    given = _table(path, "own", table)
    found = {name: section_of(OwnConfig, path, name, given) for name in given}
    for name, item in found.items():
        if not item.file:
            raise BadConfig(f"{path}: [own.{name}]: file is missing: name one of JSON Lines with labelled pairs")
        if item.profile not in OWN_PROFILES:
            raise BadConfig(f"{path}: profile in [own.{name}]: {item.profile!r}: choose {', '.join(OWN_PROFILES)}")
        if name not in table.get("mixture", {}):
            raise BadConfig(f"{path}: [own.{name}] has no share: give {name} one in [mixture]")
    return found


def _table(path: Path, name: str, table: dict[str, Any]) -> dict[str, Any]:
    """The section ``name`` as it stands in the file, empty if it does not."""
    given = table.get(name, {})
    if not isinstance(given, dict):
        raise BadConfig(f"{path}: {name} is a {type(given).__name__}: write it as a section [{name}]")
    return given


def numbers_of(kind: type[int] | type[float], path: Path, name: str, table: dict[str, Any]) -> dict[str, Any]:
    """The section ``name``, each of its values a number of that kind and not below 0."""
    given = _table(path, name, table)
    for key, value in given.items():
        if type(value) not in (int, kind) or value < 0:
            raise BadConfig(f"{path}: {key} in [{name}]: {value!r} is no {kind.__name__} of at least 0")
    return given
