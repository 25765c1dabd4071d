"""Train, convert and evaluate model bundles; needs the extra ``export``."""
