"""Whether a store is what it must be: `verify` reads all of it, `run` one run's rows, `replay` plays a journal through the core again.

Nothing here writes. A finding names the run, the row and the reason.
"""
