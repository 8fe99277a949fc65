"""The SQL that every store in tables shares: one set of statements, in SQLite's dialect, whichever database executes them.

Theory of operation. `link` is the connection that a statement is given. `queries` holds what several rooms ask, `rows` turns rows into records
and back, `reading` and `writing` are functions of a connection inside one transaction, and `relational` is the protocol of a store over them:
a database's store gives `_read` and `_write`, and inherits the rest. Nothing here opens a connection.
"""
