"""Inside of a Temporal workflow: the effects of the core, performed on a store in memory; all of it is replayed, so nothing is random.

Owns: `run`, the workflow of every run; `ledger`, its store; `opening`, both made from what the workflow was started with, and
decisions judged on copies. May enter: the runtime's pure parts and the messages. No clock, no thread, no IO, no client.

Start with `run.Run`.
"""
