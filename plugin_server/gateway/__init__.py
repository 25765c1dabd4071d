"""The engine's own search request and response, verified on the way back."""
