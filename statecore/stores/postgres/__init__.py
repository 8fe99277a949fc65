"""`PostgresDb`: runs in a schema of a Postgres database, for any number of machines.

Owns: the schema and its connections; its files bear the names of those of `sqlite`. `opening` spells the shared SQL for Postgres, looks at a
schema, makes and migrates it by the numbered scripts beside it. `channel` has the connections: each transaction knows its own number, so that
one whose COMMIT got no answer is looked up, and neither repeated nor reported as failed when it was stored. `patience` ends its waiting, and
refuses a pooler that mixes sessions. `health` says what ails a database and what in it cannot be true. `store3` is the store on the tables of
format 3, which `formats` makes; the scripts (`...-3.sql`) begin with what cannot be shared with SQLite and why. `deciding` has decisions,
and `voting` votes, stored by a function, for a login that may write no table. `scrubbing` has old versions of rows
removed. `migrating` leads a schema of an older format to it, and `store` keeps runs in one. A
transaction that writes locks its run's row first, so runs do not wait for one another; work is handed out with SKIP LOCKED, so workers do not
either. May enter: the shared SQL, `audit`, and `psycopg`, which no other room imports.

Start with `store3`, then `channel.write`.
"""
