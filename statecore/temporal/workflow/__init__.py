"""Inside of a Temporal workflow: `run` performs the effects of the core on a `ledger`; all of it is replayed, so nothing here is random."""
