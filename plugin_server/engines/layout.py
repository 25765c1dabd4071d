"""What simgate's fields in an index are called, and what an index's mapping says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin_server.errors import LayoutError

#: The fields of ``index_templates``. Windows are nested documents, a vector each, so that a hit is a document however
#: long it is; the engine finds it by its best window.
WINDOWS, VECTOR, BLOB, BUNDLE, DIGEST = (
    "simgate_windows", "vector", "simgate_blob", "simgate_bundle", "simgate_digest",
)  # fmt: skip
OWN = (WINDOWS, BLOB, BUNDLE, DIGEST)
#: Patterns for a search's ``_source``. Without the star OpenSearch 3 puts every vector together before it leaves it
#: out, which takes twice as long as all the rest of a search for 100 hits.
WINDOWS_PATTERN, OWN_PATTERN = f"{WINDOWS}*", "simgate_*"
#: The key of an index's ``_meta`` that is simgate's.
META = "simgate"


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of the fields: of the text, and of simgate's own, which are fixed."""

    text: str = "text"
    title: str = "title"

    @property
    def vector(self) -> str:
        """The vector's full name."""
        return f"{WINDOWS}.{VECTOR}"

    def text_of(self, source: Mapping[str, Any]) -> str:
        """The text in a document's source, empty if there is none; several values are joined by line ends.

        Example:
            >>> Layout("body.en").text_of({"body": {"en": "a red car"}}), Layout().text_of({"title": "Cars"})
            ('a red car', '')
        """
        value: Any = source.get(self.text)
        if value is None:
            value = source
            for part in self.text.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, list):
            value = "\n".join(item for item in value if isinstance(item, str))
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What an index's mapping says.

    Attributes:
        blob: whether it has a field for blobs.
        dimension: of its vectors; 0 for an index without.
        byte: whether its vectors are whole numbers of a byte.
        space: ``cosine`` or ``innerproduct``: what a score of theirs is.
        meta: ``_meta.simgate``, empty without.
    """

    blob: bool
    dimension: int
    byte: bool
    space: str
    meta: dict[str, Any]

    @classmethod
    def of(cls, mappings: Mapping[str, Any]) -> Mapped:
        """What a mapping of either engine says.

        Example:
            >>> vector = {"type": "knn_vector", "dimension": 384, "data_type": "byte"}
            >>> Mapped.of({"properties": {"simgate_windows": {"properties": {"vector": vector}}}})
            Mapped(blob=False, dimension=384, byte=True, space='cosine', meta={})
        """
        fields = mappings.get("properties", {})
        vector = fields.get(WINDOWS, {}).get("properties", {}).get(VECTOR, {})
        dimension = vector.get("dimension") or vector.get("dims") or 0
        byte = str(vector.get("data_type") or vector.get("element_type")).lower() == "byte"  # OpenSearch says BYTE
        named = vector.get("method", {}).get("space_type") or vector.get("space_type") or vector.get("similarity") or ""
        space = "innerproduct" if named in ("innerproduct", "dot_product", "max_inner_product") else "cosine"
        return cls(BLOB in fields, int(dimension), byte, space, mappings.get("_meta", {}).get(META, {}))

    def cosine(self, score: float) -> float:
        """The cosine that a score of the vectors stands for.

        Example:
            >>> Mapped(True, 384, False, "cosine", {}).cosine(0.75)
            0.5
            >>> round(Mapped(True, 384, True, "innerproduct", {}).cosine(1 + 0.5 * 127**2), 3)
            0.5
        """
        if self.space == "cosine":
            return cosine_of(score)
        product = product_of(score) if score > 0 else -1.0
        return product / 127**2 if self.byte else product

    def expect(self, index: str, dimension: int, vectors: bool = True) -> Mapped:
        """This mapping, if documents of a bundle with that dimension can be stored in it.

        Args:
            vectors: whether they bring vectors.

        Raises:
            LayoutError: a field is missing, or has another dimension.
        """
        fix = "run `simgate templates apply`, then index into a new index that matches its pattern"
        if not self.blob:
            raise LayoutError(f"{index}: has no field {BLOB}: {fix}, or add it with --update-existing")
        if vectors and not self.dimension:
            raise LayoutError(
                f"{index}: has no field {WINDOWS}.{VECTOR}: {fix}, or store blobs alone with --no-vectors"
            )
        if vectors and self.dimension != dimension:
            raise LayoutError(
                f"{index}: has vectors of {self.dimension} numbers, the bundle gives {dimension}: {fix}, "
                "with the same --bundle"
            )
        return self


def cosine_of(score: float) -> float:
    """The cosine behind a score of the space ``cosinesimil``, which is (1 + cosine) / 2.

    Example:
        >>> cosine_of(0.75)
        0.5
    """
    return 2 * score - 1


def product_of(score: float) -> float:
    """The product behind a score of the space ``innerproduct``: 1 + product, or 1 / (1 - product) if it is below 0.

    Args:
        score: above 0.

    Example:
        >>> product_of(1.25), product_of(0.5)
        (0.25, -1.0)
    """
    return score - 1 if score >= 1 else 1 - 1 / score
