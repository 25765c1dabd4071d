"""Measuring a bundle: pairs, retrieval, parity, batch invariance, speed; the report, and its way into the bundle."""

#: What can be measured, in the order of a report.
PARTS = ("pairs", "retrieval", "parity", "invariance", "speed")
