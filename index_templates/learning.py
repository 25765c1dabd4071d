"""Where OpenSearch keeps what its ML Commons plugin works with: found by name, written, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from index_templates.store import Installed, Request, TemplateError, bare, installed

#: What a look finds.
Seen = TypeVar("Seen")
ML = "/_plugins/_ml"
#: Seconds between two looks at a task of ML Commons, and how many looks.
POLL, POLLS = 0.05, 600
#: What ML Commons says while it is still busy with a model: to be asked again.
PASSING = ("still using", "version_conflict_engine_exception", "in deploying or deployed state")
#: Looks until what has not come about is asked for again.
AGAIN = 20
#: States of a model that a connector cannot change under.
IN_USE = ("DEPLOYING", "DEPLOYED", "PARTIALLY_DEPLOYED")
#: Resources of ML Commons that are looked at, in one answer.
MANY = 1000


class Learning:
    """What ML Commons keeps in indices of its own, with ids of its own: connectors, model groups, models."""

    def __init__(self, request: Request, kind: str) -> None:
        self.request, self.kind = request, kind
        self.path = f"{ML}/{kind}s"

    async def find(self, name: str) -> Installed | None:
        """What is there under the name; of several simgate's own, else the first."""
        query = {"query": {"term": {"name.keyword": name}}, "size": MANY}
        found = await self.request("POST", f"{self.path}/_search", query)
        read = [await self._read(str(hit["_id"])) for hit in found["hits"]["hits"]] if found else []
        there = [item for item in read if item]
        return next((item for item in there if item.version), there[0] if there else None)

    async def write(self, name: str, body: dict[str, Any], old: Installed | None) -> str:
        """The id, the old one's where it can be kept; a model is deployed when this returns."""
        make = {"connector": self._connector, "model_group": self._group, "model": self._model}[self.kind]
        return await make(bare(body), old)

    async def delete(self, name: str, old: Installed) -> None:
        """Nothing; it is gone."""
        stop = partial(self._undeploy, old.id) if self.kind == "model" else None
        if stop:
            await stop()
        await self._settled("DELETE", f"{self.path}/{old.id}", None, stop)

    async def holding(self, identity: str, gone: Collection[str]) -> str:
        """A model that does not let a connector go, empty for none; also one that only seems to be the connector's.

        Args:
            gone: ids of models that are deleted before.
        """
        for model in await self._taken_for(identity) if self.kind == "connector" else ():
            # a search tells of those just deleted, too
            if model not in gone and await self.request("GET", f"{ML}/models/{model}", None):
                return model
        return ""

    async def _read(self, identity: str) -> Installed | None:
        """What is there now: a search would tell of what was there a second ago."""
        found = await self.request("GET", f"{self.path}/{identity}", None)
        return None if found is None else installed(identity, str(found.get("description", "")))

    async def _connector(self, body: dict[str, Any], old: Installed | None) -> str:
        if old is None:
            made = await self.request("POST", f"{self.path}/_create", {"version": "1"} | body)
            return str(made["connector_id"])
        identity, stopped = old.id, dict[str, None]()

        async def stop() -> None:
            """Nothing; no model is deployed that it cannot change under. A search learns late of one just deployed."""
            for model in await self._models_of(identity):
                stopped[model] = None
                await self._undeploy(model)

        try:
            await stop()
            await self._settled("PUT", f"{self.path}/{old.id}", body, stop)
        finally:  # with the connector as it was, if it was refused
            for model in stopped:
                await self._deployed(await self._settled("POST", f"{ML}/models/{model}/_deploy", {}))
        return old.id

    async def _group(self, body: dict[str, Any], old: Installed | None) -> str:
        if old is None:
            return str((await self.request("POST", f"{self.path}/_register", body))["model_group_id"])
        await self.request("PUT", f"{self.path}/{old.id}", body)
        return old.id

    async def _model(self, body: dict[str, Any], old: Installed | None) -> str:
        if old is not None:
            await self.delete(body["name"], old)
        task = await self.request("POST", f"{self.path}/_register?deploy=true", body)
        return str((await self._deployed(task)).get("model_id") or task["model_id"])

    async def _taken_for(self, connector: str) -> dict[str, dict[str, Any]]:
        """The models by their ids that ML Commons takes for the connector's, somebody else's among them.

        ML Commons compares ids as texts, whose words end at hyphens: a model of ``1-2f`` is said to use ``3-2f``, too.
        """
        query = {"query": {"match": {"connector_id": connector}}, "size": MANY}
        found = await self.request("POST", f"{ML}/models/_search", query)
        return {str(hit["_id"]): hit["_source"] for hit in found["hits"]["hits"]} if found else {}

    async def _models_of(self, connector: str) -> list[str]:
        """Its models, and those of simgate in use that ML Commons takes for its models.

        Raises:
            TemplateError: ML Commons takes somebody else's model in use for one: it is not simgate's to stop.
        """
        models = []
        for name, model in (await self._taken_for(connector)).items():
            own = model["connector_id"] == connector
            if not own and model["model_state"] not in IN_USE:
                continue
            if not own and not _simgates(name, model):
                raise TemplateError(
                    f"connector: {connector} cannot be changed while the model {model['name']} ({name}) is deployed: "
                    "OpenSearch takes it for one of its own, as ids are alike: undeploy it, apply again, deploy it"
                )
            models.append(name)
        return models

    async def _settled(
        self, method: str, path: str, body: Any, again: Callable[[], Awaitable[None]] | None = None
    ) -> Any:
        """The answer, once every node knows that no model in use needs it any more, and nobody else is writing it.

        Args:
            again: undeploys once more, now and then: a model that was still being deployed is deployed after all.
        """
        left = POLLS
        while True:
            left -= 1
            try:
                return await self.request(method, path, body)
            except Exception as error:
                if not left or not any(words in str(error) for words in PASSING):
                    raise
            await asyncio.sleep(POLL)
            if again and left % AGAIN == 0:
                await again()

    async def _undeploy(self, model: str) -> None:
        """Nothing; the model is undeployed, which its connector learns only a moment after the answer."""
        await self._settled("POST", f"{ML}/models/{model}/_undeploy", {})

        async def undeployed() -> bool:
            state = await self.request("GET", f"{ML}/models/{model}", None)
            return state is None or state.get("model_state") != "DEPLOYED"

        await _until(undeployed, f"model: not undeployed within {{seconds}} s: see the model {model}")

    async def _deployed(self, task: dict[str, Any]) -> dict[str, Any]:
        """The task's end, once the model says so itself, which it does a moment later."""

        async def deployed() -> dict[str, Any] | None:
            state: dict[str, Any] = await self.request("GET", f"{ML}/tasks/{task['task_id']}", None)
            if "FAILED" in state["state"] or state["state"] == "COMPLETED_WITH_ERROR":
                raise TemplateError(f"model: cannot be deployed: {state.get('error', state['state'])}")
            if state["state"] != "COMPLETED":
                return None
            path = f"{ML}/models/{state.get('model_id') or task['model_id']}"
            model = await self.request("GET", path, None)
            return state if model and model.get("model_state") == "DEPLOYED" else None

        return await _until(deployed, f"model: not deployed within {{seconds}} s: see the task {task['task_id']}")


def _simgates(identity: str, model: Mapping[str, Any]) -> bool:
    return bool(installed(identity, str(model.get("description", ""))).version)


async def _until(look: Callable[[], Awaitable[Seen | None]], late: str) -> Seen:
    """What a look finds, as soon as it finds something.

    Raises:
        TemplateError: nothing was found for too long; ``{seconds}`` in its text says how long.
    """
    for _ in range(POLLS):
        if found := await look():
            return found
        await asyncio.sleep(POLL)
    raise TemplateError(late.format(seconds=f"{POLL * POLLS:g}"))


async def callers(request: Request, sidecar: str) -> list[str]:
    """The names of the connectors that call a sidecar, whoever made them."""
    query = {"query": {"match_all": {}}, "size": MANY, "_source": ["name", "actions"]}
    found = await request("POST", f"{ML}/connectors/_search", query)
    connectors = [hit["_source"] for hit in found["hits"]["hits"]] if found else []
    return [
        connector["name"]
        for connector in connectors
        if any(action["url"].startswith(f"{sidecar}/") for action in connector.get("actions", []))
    ]
