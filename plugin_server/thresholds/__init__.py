"""From labelled pairs of a team's own: thresholds with a bound on false accepts, and how separable a collection is."""
