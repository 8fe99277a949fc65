"""`PostgresDb`: runs in a schema of a Postgres database, for any number of machines.

Theory of operation. The SQL is that of every store in tables (`reading`, `writing`): `dialect` spells it for Postgres. The tables, with what they
refuse, are made by numbered scripts beside this module. A transaction that writes locks its run's row first, so runs do not wait for one
another; work is handed out with SKIP LOCKED, so workers do not either. `channel` has the connections: each transaction knows its own number,
so that one whose COMMIT got no answer is looked up, and neither repeated nor reported as failed when it was stored.
"""
