"""Stores under the names users know: `InMemoryDb`, `SqliteDb`, `PostgresDb`, and their `Async` twins; each in its own module, loaded when asked for."""
