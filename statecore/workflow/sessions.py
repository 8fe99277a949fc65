"""The sessions that one workflow object has run, so that a session need not be named where it is clear which one is meant (SESSION-1)."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING

from statecore.errors import AmbiguousSession

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 64
"""How many workflow objects a context remembers the last session of."""
_LAST: ContextVar[Mapping[int, str]] = ContextVar("statecore-last-session")


class Sessions:
    """The session that was run last in each context, and whether this process has run others, too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._only: str | None = None
        self._several = False

    def ran(self, session_id: str) -> None:
        """A run of this session was begun, or went on."""
        before = {key: kept for key, kept in _LAST.get({}).items() if key != id(self)}
        while len(before) >= MANY:
            before.pop(next(iter(before)))
        _LAST.set({**before, id(self): session_id})
        with self._lock:
            self._several = self._several or self._only not in (None, session_id)
            self._only = session_id

    def meant(self, call: str) -> str | None:
        """The session of a call that names none; None where none was run. Raises `AmbiguousSession`: a session of another is never taken."""
        found = _LAST.get({}).get(id(self))
        if found is not None:
            return found
        with self._lock:
            if self._several:
                raise AmbiguousSession(call)
            return self._only
