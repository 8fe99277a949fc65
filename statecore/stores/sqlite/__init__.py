"""`SqliteDb`: runs in one file of a local disk, for any number of threads and processes of one machine.

Owns: the file and its connections. `opening` looks at a file before it is used, makes and migrates it, or opens it for reading only; its numbered
scripts lie beside it. `channel` is one thread's connection, with one transaction at a time and every error by its name. `store` is the store: the
shared SQL on a channel; `sharing` lets commits of several threads share one wait for the disk. `store3` is the same on the tables of format 3,
which is no default; `migrating` leads a file of format 2 to it. `damage` looks again at what seems to be damage, and names its place. `health` says
what ails a file and what in it cannot be true, and copies one while it is used. May enter: the shared SQL, `audit`, and `sqlite3`, which no other
room imports.

Start with `store`: `commit` goes from there to `channel.write` and `sql.writing.commit`.
"""
