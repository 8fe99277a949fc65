"""Workers as processes of their own, by the command that a user types; and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

STEPS = Path(__file__).parent / "steps.py"
ROOT = Path(__file__).parents[2]
T = TypeVar("T")


@contextmanager
def processes(target: str, workflow: str, folder: Path, *more: str, many: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers of a workflow of `steps.py`, once each says that it is ready; killed at the end, where they still live."""
    command = [sys.executable, "-m", "statecore", "worker", f"{STEPS}:{workflow}", "--temporal", target, *more]
    env = {**os.environ, "STEPS_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        started = []
        for _ in range(many):
            started.append(stack.enter_context(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)))
            stack.callback(started[-1].kill)
        for each in started:
            assert each.stdout is not None
            line = each.stdout.readline()
            assert line.startswith("Worker "), line
        yield started


@contextmanager
def process(target: str, workflow: str, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """One such worker."""
    with processes(target, workflow, folder, *more, many=1) as [started]:
        yield started


def until(holds: Callable[[], T], seconds: float = 60) -> T:
    """What something says as soon as it says more than nothing; it is looked at again and again, and given up at last."""
    limit = monotonic() + seconds
    while not (found := holds()):
        assert monotonic() < limit, f"nothing after {seconds} s"
        sleep(0.02)
    return found
