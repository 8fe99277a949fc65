"""Outside of a Temporal server."""
