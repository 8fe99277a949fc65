"""Where user code runs on Temporal."""
