"""Outside of a Temporal server: the store that is read and decided on, and what starts runs. `db` is where to begin."""
