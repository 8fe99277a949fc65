"""Workflows that are read, run and tested: one for each kind of pause, and `analysis`, the pipeline of `statecore demo`.

Each module has a `workflow`, and its docstring shows the commands that run it; a test runs them as they stand.
"""
