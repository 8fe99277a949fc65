"""Where user code runs on Temporal: `performing` makes one call, `worker` serves a task queue."""
