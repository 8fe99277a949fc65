"""The files that a parent process had open when it forked: no store of the child opens them (RUN-18).

SQLite keeps one book of locks a file and process, and a fork copies the book but not the locks: a connection that a child opens believes that
it holds what its parent holds. The last connection of another process then takes the write-ahead log away under it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from statecore.errors import StoreForked

if TYPE_CHECKING:
    from .channel import Channel, Inode

OPEN: WeakSet[Channel] = WeakSet()
"""The channels of this process."""
OF_PARENT: set[Inode | None] = set()
"""The files that a parent of this process had open."""


def inherit() -> None:
    """Note, in a forked child, which files its parent had open; those of the parent's own parents stay noted."""
    OF_PARENT.update(channel.files[0] for channel in OPEN if not channel.closed)
    OPEN.clear()


with suppress(AttributeError):  # there is no fork everywhere
    os.register_at_fork(after_in_child=inherit)


def check_inherited(path: Path) -> None:
    """Raise `StoreForked` for a file that a parent of this process had open, by whatever store."""
    if OF_PARENT:
        with suppress(FileNotFoundError):
            found = path.stat()
            if (found.st_dev, found.st_ino) in OF_PARENT:
                raise StoreForked(str(path))
