"""`SqliteDb`: runs in one file of a local disk, for any number of threads and processes of one machine.

Theory of operation. `opening` looks at a file before it is used, makes and migrates it; its numbered scripts lie beside it. `channel` is one
thread's connection, with one transaction at a time and every error by its name. `store` is the store: the shared SQL on a channel, and commits
of several threads that share one wait for the disk. `health` says what ails a file, `backup` copies one while it is used.
"""
