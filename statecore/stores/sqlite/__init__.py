"""`SqliteDb`: runs in one file of a local disk, for any number of threads and processes of one machine.

Owns: the file and its connections. `opening` looks at a file before it is used, makes and migrates it, or opens it for reading only; its
numbered scripts lie beside it. `formats` knows the format of a file, and `migrating` leads a file of format 2 to format 3. `channel` is one
thread's connection, with one transaction at a time and every error by its name; `forks`
keeps a child from its parent's files. `store3` is the store: the shared SQL of format 3 on a channel;
`store` has all that it shares with the store of format 2, which is there, too. `sharing` lets commits of several threads share one wait for the
disk. `damage` looks again at what seems to be damage, and names its place; `reader` reads a file that cannot be written. `health` says what ails
a file and what in it cannot be true, and copies one while it is used; `compacting` writes it anew without its
free pages, `archived` reads a file of archived runs. May enter: the shared SQL, `audit`, `ending`, and `sqlite3`, which no other room imports.

Start with `store3`: `commit` goes from there to `sql3.relational`, and to `channel.step` or `channel.write`.
"""
