"""Where user code runs on Temporal.

Owns: `performing`, the two activities: any call of user code, and a piece of a run's past put into the values store; `worker`, a
process that serves the task queue of a workflow. May enter: the runtime, which calls user code, the messages, and the client's store.

Start with `performing`.
"""
