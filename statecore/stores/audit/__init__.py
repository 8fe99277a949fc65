"""Whether the tables of a store are what they must be, whichever database they are in.

Owns: `verify` looks at all tables and says what cannot be true, `run` checks one run's rows; `tables3` and
`run3` do so with the tables of format 3, `ended3` with the rest of purged runs, `erased3` with erased
slots.
Nothing here writes, and nothing here opens a database: `sqlite.health` and `postgres.health` do, and pass a connection. A finding names the run,
the row and the reason. May enter: the core, records, rules and the shared SQL; no database driver.

Start with `verify.contents`.
"""
