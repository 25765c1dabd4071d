"""A bundle that is loaded: its graphs, its calibrations, and the bundle before it whose blobs are read too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Self, TypeAlias

from plugin_server.bundle import CARD, Bundle, Manifest
from plugin_server.calibrations import Calibrations, read_calibrations, sorted_out
from plugin_server.encoder import Encoder
from plugin_server.errors import InvalidField
from plugin_server.gather import Gathered
from plugin_server.settings import Settings
from plugin_server.verdict import Verdict
from plugin_server.verifier import Verifier

#: Called with documents of a request, the verdict on each and the policy (empty for none), from the computing thread.
Observer: TypeAlias = Callable[[Sequence[Gathered], Sequence[Verdict], str], None]


class Loaded:
    """A bundle with what runs it; `plugin_server.reranker.Reranker` is one that answers requests.

    Args:
        bundle: whose files are checked.
        settings: limits and threads.
        previous: reads the blobs that its bundle made, while an index moves to this one.
        calibrations: made with this bundle.

    Raises:
        InvalidField: the previous bundle has another base model, whose vectors compare with none of this one's.

    Attributes:
        observe: is told of every verdict; None for nobody.
    """

    def __init__(
        self,
        bundle: Bundle,
        settings: Settings | None = None,
        previous: Self | None = None,
        calibrations: Calibrations | None = None,
    ) -> None:
        self.bundle = bundle
        self.calibrations = calibrations or Calibrations()
        self.settings = settings or Settings()
        self.encoder = Encoder(bundle, self.settings)
        self.verifier = Verifier(bundle, self.settings.threads, self.settings.provider)
        self.observe: Observer | None = None
        if previous and previous.manifest.base.get("name") != self.manifest.base.get("name"):
            raise InvalidField(
                f"previous_bundle: its base model is {previous.manifest.base.get('name')}, this bundle's is "
                f"{self.manifest.base.get('name')}: index the documents into a new index, and move an alias"
            )
        self.previous = previous

    @classmethod
    def load(cls, settings: Settings | None = None) -> Self:
        """Over the bundle that the settings name, or the one in the package.

        Raises:
            BundleError: it cannot be loaded.
            CalibrationError: nor can a calibration; or it is of another bundle.
        """
        chosen = settings or Settings()
        bundle = Bundle.at(chosen.bundle).check(CARD)  # all other files are checked as they are loaded
        older = Bundle.at(chosen.previous_bundle).check(CARD) if chosen.previous_bundle else None
        found = read_calibrations(chosen.calibrations)
        own, others = sorted_out(found, bundle.manifest, older.manifest if older else None)
        previous = cls(older, chosen, calibrations=others) if older else None
        return cls(bundle, chosen, previous, own)

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    def observed(self, observe: Observer) -> Self:
        """This one, its sessions shared, that tells one more observer of every verdict it gives."""
        twin, earlier = copy(self), self.observe

        def both(documents: Sequence[Gathered], verdicts: Sequence[Verdict], policy: str) -> None:
            if earlier:
                earlier(documents, verdicts, policy)
            observe(documents, verdicts, policy)

        twin.observe = both
        twin.previous = self.previous and self.previous.observed(observe)
        return twin
