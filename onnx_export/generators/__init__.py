"""Generators of training pairs: grammars, edits of given sentences, claims and topics with passages, and more."""
