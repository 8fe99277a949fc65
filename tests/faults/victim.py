"""A real process that campaigns strike: it forks a child for each scenario, so that one start under strace serves all of them.

strace counts the calls of each child anew. A child says what it was told in a file, in one write for each answer; what became of it is
printed: its scenario, its process id, and the signal that killed it, or 0.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from tests.faults.scenarios import SCENARIOS, flow, to_the_end

ESCAPED = "escaped"


def teller(path: Path) -> Callable[..., None]:
    """What appends an answer to a file, in one write."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def tell(*words: Any) -> None:
        os.write(file, f"{json.dumps(words)}\n".encode())

    return tell


def heard(path: Path) -> list[tuple[Any, ...]]:
    """The answers that a process had before it was gone."""
    return [tuple(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def work_on(folder: Path, name: str) -> None:
    """One scenario to its end, or to the first named error; then the store is closed."""
    tell = teller(folder / f"{name}.told")
    try:
        db = SqliteDb(folder / f"{name}.db")
        try:
            to_the_end(flow(SCENARIOS[name], db, folder / f"{name}.log"), SCENARIOS[name], tell)
        finally:
            db.close()
    except StatecoreError:
        pass
    except Exception as error:  # noqa: BLE001  # I11 is about these
        tell(ESCAPED, type(error).__name__, str(error))


def main() -> None:
    """One child after the other."""
    folder, *names = sys.argv[1:]
    for name in names:
        child = os.fork()
        if child == 0:
            work_on(Path(folder), name)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(name, child, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)  # noqa: T201  # it is read


if __name__ == "__main__":
    main()
