"""The calibrations of one bundle, by name and profile, and which of them a request is held against."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plugin_server.bundle import Manifest
from plugin_server.calibration import OWN, SUFFIX, Calibration
from plugin_server.errors import CalibrationMalformed, CalibrationMissing, CalibrationOfOtherBundle, UnknownCalibration

#: The name of the calibration that counts where a request names none, nor its index has one.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What can be asked for; made by `of`."""

    by_name: Mapping[tuple[str, str], Calibration] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[tuple[Path, Calibration]]) -> Calibrations:
        """The set of those that were read.

        Raises:
            CalibrationMalformed: two files are for one name and profile.
        """
        places: dict[tuple[str, str], tuple[Path, Calibration]] = {}
        for path, item in found:
            key = item.name, item.profile
            if key in places:
                raise CalibrationMalformed(
                    str(path), f"{places[key][0]} is for name {item.name!r} and profile {item.profile} too"
                )
            places[key] = path, item
        return cls({key: item for key, (_, item) in places.items()})

    def chosen(self, name: str, profile: str) -> Calibration | None:
        """The calibration of that name; without a name the one named `DEFAULT`, if there is one.

        Args:
            name: `OWN` for none at all.

        Raises:
            UnknownCalibration: there is none of that name for the profile.
        """
        found = self.find(name, profile)
        if found is None and name not in ("", OWN):
            raise UnknownCalibration(name, profile)
        return found

    def find(self, name: str, profile: str) -> Calibration | None:
        """As `chosen`, but None for a name that there is none of."""
        return self.by_name.get((name or DEFAULT, profile))

    def name_for(self, name: str, profile: str, index: str) -> str:
        """The name given; without one the index's, if there is a calibration of that name for the profile."""
        return name or (index if (index, profile) in self.by_name else "")

    def __len__(self) -> int:
        return len(self.by_name)


def read_calibrations(places: str) -> list[tuple[Path, Calibration]]:
    """Every calibration in the files and folders, whichever bundle it is for.

    Args:
        places: parted by ``:`` (on Windows ``;``); of a folder the files ending in `SUFFIX` count. Empty for none.

    Raises:
        CalibrationError: a place is missing, or a file in it cannot be used; the message names it.
    """
    files: list[Path] = []
    for place in filter(None, places.split(os.pathsep)):
        path = Path(place)
        if not _is_there(path):
            raise CalibrationMissing(f"{place!r:.200}: is not there: SIMGATE_CALIBRATIONS names folders or files")
        files += sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    return [(path, Calibration.read(path)) for path in {os.path.realpath(path): path for path in files}.values()]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a byte 0
        return False


def sorted_out(
    found: Iterable[tuple[Path, Calibration]], manifest: Manifest, previous: Manifest | None
) -> tuple[Calibrations, Calibrations]:
    """Those of the bundle, and those of the previous one.

    Raises:
        CalibrationOfOtherBundle: one is of neither.
        CalibrationMalformed: as `Calibrations.of`.
    """
    parts: tuple[list[tuple[Path, Calibration]], list[tuple[Path, Calibration]]] = ([], [])
    for path, item in found:
        if item.fits(manifest):
            parts[0].append((path, item))
        elif previous and item.fits(previous):
            parts[1].append((path, item))
        else:
            raise CalibrationOfOtherBundle(str(path), item.fingerprint, manifest.fingerprint)
    return Calibrations.of(parts[0]), Calibrations.of(parts[1])
