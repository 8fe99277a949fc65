"""Inside of a Temporal workflow."""
