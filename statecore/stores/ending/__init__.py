"""The end of data in the tables of format 3: runs are purged, values erased, runs archived, chains anchored (P21, P27, P28, P30).

Owns: what may go, in which order, and what stays of it. `sealed` hashes tombstones and orders; `purging` removes ended runs whole, in bounded
transactions; `erasing` says which bodies an erasure takes and what a row keeps (pure), `emptying` does so row by row. `anchoring` appends
leaves and makes roots; `rotating` leads to the newest keys;
 `archiving` has runs as lines, written into a new file of `files`. `store` gives a store over
the tables the methods that users call. May enter: the shared SQL of format 3 and what that stands on; no database driver. A store says what only
its database knows: how traces leave its files.

Theory of operation. Only a run that has ended, and that no process executes, is touched; the tables refuse all else by triggers. A purge puts a
tombstone first and takes `hot` away with it, so that from then on no reader finds the run; the rows follow, at most `purging.ROWS` in a
transaction. Where rows are left, an order in force (a row of `erasure` that is not done) says so, and the next purge goes on with it.

Start with `store`, then follow `purge` into `purging`.
"""
