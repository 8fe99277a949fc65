"""Whether a store is what it must be."""
