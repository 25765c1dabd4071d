"""How large a system for a collection has to be: measured constants, the model derived from them, and its plans."""

from plugin_server.sizing.constants import Constants
from plugin_server.sizing.model import Plan, plan
from plugin_server.sizing.need import Need, Nodes, Prices

__all__ = ["Constants", "Need", "Nodes", "Plan", "Prices", "plan"]
