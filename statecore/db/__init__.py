"""Stores under the names users know: `InMemoryDb`, `SqliteDb`, `AsyncSqliteDb`; each in its own module, loaded when asked for."""
