"""Bad input in bulk: each module makes it for one target, and ``python -m fuzz.run`` runs them all."""
