"""simgate's serving side: rerank, verify and encode with a model bundle, without torch."""

from plugin_server.bundle import Bundle, Manifest
from plugin_server.candidate import Candidate
from plugin_server.choices import Policy
from plugin_server.encoder import Encoded
from plugin_server.errors import SimgateError
from plugin_server.ranking import Hit, Ranking
from plugin_server.reranker import Reranker
from plugin_server.settings import Settings
from plugin_server.verdict import Outcome, Verdict

__all__ = [
    "Bundle",
    "Candidate",
    "Encoded",
    "Hit",
    "Manifest",
    "Outcome",
    "Policy",
    "Ranking",
    "Reranker",
    "Settings",
    "SimgateError",
    "Verdict",
]
