"""simgate over HTTP: the doors that existing rerank clients know."""
