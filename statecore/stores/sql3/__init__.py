"""The SQL of format 3 that every store in tables shares.

Owns: the statements on the tables of format 3, the rows and what they mean. `events` cuts a boundary into events and puts rows together again
(pure); `shapes` interns lists of moves; `sessions` has the session state by key; `questions` pauses and decisions, `acts` votes on them,
`rows` runs and events, each
as rows and back; `queries` the statements.
`ciphers` has the keys of a store and opens bodies with them, `covering` lays bodies into rows.
Functions of a connection inside one transaction: `reading`, and `listing`, the pages of listings,
`counting`, their counts; `steps`, one event, and the plain step, with `plans` of those that come again; `writing`, any boundary; `beginning`, a
new run; `answering`, what a boundary or a person does to questions; `claiming`, whose a run is, `aside`, runs that are set aside, `tallies`, what
waits. `older` reads a run of format 2 from tables that were renamed, and `migrating` stores it again. `relational` is the base class of a store
over them. May enter: records and rules, `frames`, `replay`, and the connection of `sql`; no database driver.

Theory of operation. A step is one row of `event`, stored by one statement whose SELECT is the fence (`steps.plain`). Where a run stands is kept
in `hot` when it is claimed, parks, ends, asks or is released, and at each 256th boundary; in between it follows from the events
(`reading.caught_up`). Salts are drawn when a boundary is made (`events.Salted`), so that a repeated attempt has the same hashes.

Start with `relational`, then follow `commit` into `writing`.
"""
