"""Measurements, some of which need a search engine; ``make bench`` runs them. Both sides take turns in the same run."""
