"""Workers as processes of their own, by the command that a user types; and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

STEPS = Path(__file__).parent / "steps.py"
ROOT = Path(__file__).parents[2]
T = TypeVar("T")


@contextmanager
def process(target: str, workflow: str, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A worker of a workflow of `steps.py`, once it says that it is ready; killed at the end, where it still lives."""
    command = [sys.executable, "-m", "statecore", "worker", f"{STEPS}:{workflow}", "--temporal", target, *more]
    env = {**os.environ, "STEPS_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            line = started.stdout.readline()
            assert line.startswith("Worker "), line
            yield started
        finally:
            started.kill()


def until(holds: Callable[[], T], seconds: float = 60) -> T:
    """What something says as soon as it says more than nothing; it is looked at again and again, and given up at last."""
    limit = monotonic() + seconds
    while not (found := holds()):
        assert monotonic() < limit, f"nothing after {seconds} s"
        sleep(0.02)
    return found
