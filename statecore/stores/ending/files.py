"""A new file that nobody sees before it is whole: written under another name, on the disk, then linked to its own. Nothing is overwritten."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from statecore.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


BEGINNING = b'{"statecore":"archive",'
"""The first bytes of an archive."""


@contextmanager
def new_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to be written, which gets its name when the block ends well. Raises `StoreUnavailable` where there is one of that name."""
    target = Path(path).expanduser().absolute()
    if os.path.lexists(target):
        raise StoreUnavailable(str(target), "it exists, and an archive overwrites nothing")
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(made, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
            yield file
        settled(made, target)
    except OSError as error:
        raise StoreUnavailable(str(target), str(error)) from error
    finally:
        made.unlink(missing_ok=True)


def settled(made: Path, target: Path) -> None:
    """Give a file its name, once it is on the disk, and the name, too; a file that got the name meanwhile keeps it. Raises `StoreUnavailable`."""
    try:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        os.link(made, target)
        folder = os.open(target.parent, os.O_RDONLY)
        with suppress(OSError):  # not every system can
            os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise StoreUnavailable(str(target), str(error)) from error


def is_archive(path: str | Path) -> bool:
    """Whether a file begins as an archive does."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(BEGINNING)) == BEGINNING
    except OSError:
        return False
