"""Outside of a Temporal server: the store that is read and decided on, and what starts runs.

Owns: `db`, the runs of a server as a `RunReader`; `reading`, the questions and messages to a server; `listing`, many runs of which
one keeps no other from being listed; `starting`, a run's workflow
begun or begun again; `workflows`, `TemporalWorkflows`, which starts runs and waits for them; `connection`, one event loop for
threads. May enter: the messages and `workflow.opening`, because a client foresees a run's first memo. No activity.

Start with `db.TemporalDb`.
"""
