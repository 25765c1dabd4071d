"""The laboratory: a grid of systems trained and measured with the same commands, and the page that compares them."""
