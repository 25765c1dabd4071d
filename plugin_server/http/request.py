"""What the requests of all doors have in common: the query, and what simgate is to do with it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from plugin_server.bundle import PROFILES
from plugin_server.choices import Policy, Verification
from plugin_server.errors import UnknownChoice

DEFAULT_PROFILE = "passages"
#: The profile that each model name stands for.
MODELS = {"simgate": DEFAULT_PROFILE} | {f"simgate-{profile}": profile for profile in PROFILES}

QUERY, TEXTS = "turn left at the church", ["at the church, turn left", "turn right at the church", ""]


class Question(BaseModel):
    """A query, the model and the profile; other keys are ignored."""

    query: str = Field(description="The query; it is never split or cut.", examples=[QUERY])
    model: str | None = Field(
        None,
        description="`simgate`, or `simgate-passages` or `simgate-pairs` to choose the profile where `profile` cannot "
        "be sent.",
        json_schema_extra={"enum": [*MODELS, None]},
        examples=["simgate"],
    )
    profile: str | None = Field(
        None,
        description="`passages`: a document answers or supports the query (the default). `pairs`: both say the same.",
        json_schema_extra={"enum": [*PROFILES, None]},
        examples=["pairs"],
    )

    calibration: str | None = Field(
        None,
        description="Name of a calibration that the server has loaded, whose threshold counts in place of the "
        "bundle's; `bundle` for the bundle's own. Without it the one named like the index counts, or the one named "
        "`default`.",
    )

    verification: str | None = Field(
        None,
        description="How many documents are verified. `full`: every one. `cascade`: in the order of recall until "
        "`top_n` (10 if it is not given) are accepted. `light`: none, MaxSim alone makes the order. Documents that are "
        "not verified are `unverified`, with the reason. Without it the server's own default counts.",
        json_schema_extra={"enum": [*(item.value for item in Verification), None]},
    )

    def chosen_profile(self) -> str:
        """The name of the profile: the one given, else the model's; `Reranker.rerank` checks it.

        Raises:
            UnknownChoice: there is no model of that name.

        Example:
            >>> Question(query="a", model="simgate-pairs").chosen_profile(), Question(query="a").chosen_profile()
            ('pairs', 'passages')
        """
        model = self.model or "simgate"
        if model not in MODELS:
            raise UnknownChoice("model", model, [*MODELS])
        return self.profile or MODELS[model]


class RerankRequest(Question):
    """A question, and what happens to rejected documents."""

    policy: str = Field(
        Policy.DEMOTE.value,
        description="What happens to a rejected document. `demote`: its score is below 0.5, those of all others are "
        "not. `filter`: it is left out. `annotate`: only its verdict tells.",
        json_schema_extra={"enum": [policy.value for policy in Policy]},
    )
    top_n: int | None = Field(None, ge=1, description="Results at most; all of them if it is not given.")
