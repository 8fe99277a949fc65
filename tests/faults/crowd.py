"""Real processes for campaigns: forked by a server that has loaded what they need, each at the other end of a pipe."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

WORLD = get_context("forkserver")
WORLD.set_forkserver_preload(["tests.faults.scenarios", "tests.faults.planted"])
PATIENCE = 120


class Worker:
    """A process that runs `act(pipe, *args)`."""

    def __init__(self, act: Callable[..., None], *args: Any) -> None:
        self.pipe, theirs = WORLD.Pipe()
        self.process = WORLD.Process(target=act, args=(theirs, *args), daemon=True)
        self.process.start()
        theirs.close()

    def hear(self) -> Any:
        """What it says next. Fails where it hangs."""
        if not self.pipe.poll(PATIENCE):
            message = f"process {self.process.pid} said nothing for {PATIENCE} s"
            raise TimeoutError(message)
        return self.pipe.recv()

    def heard(self) -> list[Any]:
        """All that it had said when it was gone."""
        said = []
        try:
            while self.pipe.poll(0):
                said.append(self.pipe.recv())
        except (EOFError, OSError):
            pass
        return said

    def kill(self) -> None:
        """End it as kill -9 does, and wait until it is gone."""
        self.process.kill()
        self.process.join()

    def close(self) -> None:
        """Tell it to end, and wait until it has. Fails where it does not: it would keep this process from ending, too."""
        self.pipe.close()
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            message = f"process {self.process.pid} did not end in {PATIENCE} s"
            raise TimeoutError(message)


Pipe = Connection
