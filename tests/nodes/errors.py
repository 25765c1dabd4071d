"""What can go wrong with a node, a sentence each."""


class NodeError(Exception):
    """A node could not be built, or did not answer."""


class MissingTool(NodeError):
    """A program that nodes need is not installed; the message says how to install it."""
