"""Names handed on: `from statecore.db.in_memory import InMemoryDb`."""

from statecore.stores.memory import InMemoryDb

__all__ = ["InMemoryDb"]
