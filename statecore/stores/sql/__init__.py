"""The SQL that every store in tables shares: one set of statements, in SQLite's dialect, whichever database executes them.

Owns: the statements, the rows and what they mean. `link` is the connection that a statement is given, `rows` turns rows into
records and back, `reading`, `writing` and `claiming` are the statements as functions of a connection inside one transaction, and
`relational` is the base class of a store over them: its author gives `_read`, `_write`, opening and closing. May enter: records and rules; no
database driver.

Start with `relational`, then follow `commit` into `writing`. The guide page "Writing a store" has a store in under forty lines.
"""
