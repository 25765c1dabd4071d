"""The resources of an engine put in place, or taken away; what is as it should be is left alone."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from index_templates.cluster import Abilities, Trust
from index_templates.learning import Learning, callers
from index_templates.resource import Resource, digest, names
from index_templates.store import (
    Endpoint,
    Installed,
    Pipeline,
    Request,
    Store,
    Template,
    TemplateError,
    marked,
)

#: The form of the vectors when not told otherwise.
VECTORS = {"opensearch": "lucene-float", "elasticsearch": "float"}
PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SIDECAR = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
#: Kinds in the order of applying: each may name one before it.
ORDER = (
    "component_template", "index_template", "model_group", "connector", "model", "search_pipeline", "inference",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What fills the placeholders.

    Attributes:
        engine: ``opensearch`` or ``elasticsearch``.
        dimension: numbers of a recall vector.
        fingerprint, bundle: of the bundle, for the mapping's ``_meta``.
        prefix: names begin with it.
        pattern: of the indices that get the mapping; ``prefix-*`` when empty.
        vectors: one of `vectors_of`; the engine's default when empty.
        text_field: that holds a document's text.
        sidecar: ``http://host:port`` of simgate as the engine reaches it; empty leaves out what calls it.
        api_key: that the engine shows to the sidecar.
        profile: that the pipelines verify under.

    Raises:
        TemplateError: a value cannot be used; the message names it.
    """

    engine: str
    dimension: int
    fingerprint: str
    bundle: str
    prefix: str = "simgate"
    pattern: str = ""
    vectors: str = ""
    text_field: str = "text"
    sidecar: str = ""
    api_key: str = ""
    profile: str = "passages"

    def __post_init__(self) -> None:
        if not PREFIX.fullmatch(self.prefix):
            raise TemplateError(f"prefix: {self.prefix!r}: give small letters, digits, dots, - and _, at most 64")
        if self.vectors and self.vectors not in vectors_of(self.engine):
            known = ", ".join(vectors_of(self.engine))
            raise TemplateError(f"vectors: {self.vectors!r} is not known for {self.engine}: choose one of {known}")
        if self.sidecar and not SIDECAR.fullmatch(self.sidecar):
            raise TemplateError(f"sidecar: {self.sidecar!r} is no address: give http://host:port")

    @property
    def values(self) -> dict[str, Any]:
        """The placeholders' values, as far as they are known before anything is applied."""
        return {
            "prefix": self.prefix,
            "pattern": self.pattern or f"{self.prefix}-*",
            "dimension": self.dimension,
            "fingerprint": self.fingerprint,
            "bundle": self.bundle,
            "vectors": self.vectors or VECTORS[self.engine],
            "text_field": self.text_field,
            "sidecar": self.sidecar.rstrip("/"),
            "trusted": f"^{re.escape(self.sidecar.rstrip('/'))}/.*$",
            "api_key": self.api_key or "none",
            "profile": self.profile,
            "model": f"simgate-{self.profile}",
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a resource, or would: created, updated, unchanged, removed, skipped or kept, and why."""

    kind: str
    name: str
    action: str
    detail: str = ""


@dataclass(slots=True)
class _Run:
    """One pass over the resources.

    Attributes:
        ids: of what is there, by the resource's name.
        lacking: ids and names of what is not simgate's or was left out, and what it is; nothing is built upon it.
    """

    request: Request
    options: Options
    dry: bool
    abilities: Abilities
    ids: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)

    def stores(self) -> dict[str, Store]:
        stores: dict[str, Store] = {
            "component_template": Template(self.request, "component_template"),
            "index_template": Template(self.request, "index_template"),
            "search_pipeline": Pipeline(self.request),
            "inference": Endpoint(self.request),
        }
        return stores | {kind: Learning(self.request, kind) for kind in ("model_group", "connector", "model")}

    def values(self, subject: str) -> dict[str, Any]:
        """The options' values and the ids of what was applied before."""
        kinds = {f"{name}_model_id": f"{name}@model" for name in ("rerank", "verify", "search")}
        kinds |= {"connector_id": f"{subject}@connector", "model_group_id": "simgate@model_group"}
        ids = {placeholder: self.ids.get(name, name) for placeholder, name in kinds.items()}
        return self.options.values | ids | {"description": ""}

    def needs(self, body: dict[str, Any]) -> str:
        """What is lacking of that which a body names; empty for nothing."""
        text = json.dumps(body)
        return next((told for name, told in self.lacking.items() if json.dumps(name) in text), "")


def vectors_of(engine: str) -> list[str]:
    """The forms of vectors that an engine has a mapping for.

    Example:
        >>> vectors_of("elasticsearch")
        ['byte', 'float']
    """
    kinds = [name.partition("@")[0] for name in names(engine) if name.startswith("vectors-")]
    return [kind.removeprefix("vectors-") for kind in kinds]


async def apply(request: Request, options: Options, dry: bool = False) -> AsyncIterator[Change]:
    """What became of each resource, as it happens; applied again, nothing changes.

    Args:
        dry: only tell what would become of them.

    Raises:
        TemplateError: a resource could not be put in place; those before it are.
    """
    run = _Run(request, options, dry, await Abilities.ask(request, options.engine))
    if options.sidecar and run.abilities.machine_learning:
        yield Change("cluster_setting", "ml_commons", await _trust(run).give(dry))
    for name in _ordered(options):
        resource = Resource.load(options.engine, name)
        missing = run.abilities.missing(resource.body, resource.kind, bool(options.sidecar))
        if missing:
            yield Change(resource.kind, _name(resource, options), "skipped", missing)
        else:
            yield await _put(run, resource)


async def remove(request: Request, options: Options, dry: bool = False) -> AsyncIterator[Change]:
    """What became of each resource, in the opposite order; what was made by somebody else stays.

    Indices and their documents stay, too.

    Raises:
        TemplateError: a resource could not be taken away.
    """
    run = _Run(request, options, dry, await Abilities.ask(request, options.engine))
    stores = run.stores()
    gone: dict[str, str] = {}
    for name in reversed(_ordered(options)):
        resource = Resource.load(options.engine, name)
        if run.abilities.missing(resource.body, resource.kind, True):
            continue
        named, store = _name(resource, options), stores[resource.kind]
        if isinstance(store, Endpoint):
            store.expect(named, resource.version, "", resource.render(run.values(resource.subject)))
        old = await store.find(named)
        if old is None:
            continue
        if not old.version:
            yield Change(resource.kind, named, "kept", "was not made by simgate")
            continue
        model = await store.holding(old.id, gone) if isinstance(store, Learning) else ""
        if model:
            yield Change(resource.kind, named, "kept", f"OpenSearch says that the model {model} uses it")
            continue
        if not dry:
            await store.delete(named, old)
        gone[old.id] = named
        yield Change(resource.kind, named, "removed", f"v{old.version}")
    if run.abilities.machine_learning and options.sidecar:
        others = [name for name in await callers(request, options.values["sidecar"]) if name not in gone.values()]
        if others:
            yield Change("cluster_setting", "ml_commons", "kept", f"the connector {others[0]} calls the sidecar, too")
        else:
            yield Change("cluster_setting", "ml_commons", await _trust(run).take(dry))


async def _put(run: _Run, resource: Resource) -> Change:
    """What became of one resource."""
    name, store = _name(resource, run.options), run.stores()[resource.kind]
    own = f"{resource.subject}@{resource.kind}"
    body = resource.render(run.values(resource.subject))
    needed = run.needs(body)
    if needed:
        run.lacking[own] = needed
        return Change(resource.kind, name, "skipped", f"needs the {needed}, which was not made by simgate")
    sign = digest(body)
    told = marked(resource.description, resource.version, sign)
    if "description" in body:
        body["description"] = told
    body["_meta"] = body["_meta"] | {"description": told}
    if isinstance(store, Endpoint):
        store.expect(name, resource.version, sign, body)
    old = await store.find(name)
    if old is not None:
        run.ids[own] = old.id
        if not old.version:
            run.lacking[old.id] = f"{resource.kind} {name}"
        refused = _refusal(old, resource, sign)
        if refused:
            return Change(resource.kind, name, *refused)
    if not run.dry:
        run.ids[own] = await store.write(name, body, old)
    if old is None:
        return Change(resource.kind, name, "created", f"v{resource.version}")
    return Change(resource.kind, name, "updated", f"v{old.version} to v{resource.version}")


def _refusal(old: Installed, resource: Resource, sign: str) -> tuple[str, str] | None:
    """Why what is there stays, if it does."""
    if old.digest == sign and old.version == resource.version:
        return "unchanged", f"v{old.version}"
    if old.version > resource.version:
        return "kept", f"v{old.version} is newer than this simgate's v{resource.version}"
    if not old.version:
        return "kept", "was not made by simgate: delete it, or choose another prefix"
    return None


def _trust(run: _Run) -> Trust:
    """The settings of the cluster that connectors need."""
    body = Resource.load(run.options.engine, "cluster@settings").render(run.values(""))
    return Trust(run.request, body["persistent"])


def _ordered(options: Options) -> list[str]:
    """The names of the resources to apply, in their order; of the vectors only the chosen form."""
    chosen = f"vectors-{options.values['vectors']}@"
    wanted = [
        name
        for name in names(options.engine)
        if name.partition("@")[2] in ORDER and (not name.startswith("vectors-") or name.startswith(chosen))
    ]
    return sorted(wanted, key=lambda name: ORDER.index(name.partition("@")[2]))


def _name(resource: Resource, options: Options) -> str:
    """What the resource is called in the engine."""
    if resource.kind == "model_group":
        return options.prefix
    return f"{options.prefix}-{'vectors' if resource.subject.startswith('vectors-') else resource.subject}"
