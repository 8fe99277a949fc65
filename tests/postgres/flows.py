"""Workflows for workers in other processes. User code tells what it does in a file, one write a line: whatever the engine says, that happened."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from select import select
from subprocess import PIPE, Popen
from threading import Event
from time import monotonic, sleep
from typing import Any

from statecore import HumanReview, Step, Workflow

ROOT = Path(__file__).parents[2]
LOG = "STATECORE_TEST_LOG"


TOLD_TO_STOP = Event()
"""Set when the worker of this process has heard that it is to stop, where `stopping.py` is what it executes."""


def told(step_input: Any) -> Any:
    """A step that tells when it begins and when it ends; between them it waits for what the run's input says.

    That is until somebody writes to a pipe, until this process's worker has heard that it is to stop, or for some seconds.
    """
    note("begin", step_input)
    run_input = step_input.input or {}
    if run_input.get("pipe") and step_input.step_name == "middle":
        Path(run_input["pipe"]).read_bytes()
    if run_input.get("until told to stop") and step_input.step_name == "middle":
        TOLD_TO_STOP.wait()
    if run_input.get("seconds"):
        select([], [], [], run_input["seconds"])
    note("end", step_input)
    return step_input.step_name


def note(what: str, step_input: Any) -> None:
    """Append a line to the log."""
    log = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(log, f"{what} {step_input.idempotency_key} {os.getpid()}\n".encode())
    finally:
        os.close(log)


plain = Workflow("plain", steps=[Step(name, told) for name in ("first", "middle", "last")])
gated = Workflow("gated", steps=[Step("first", told), Step("middle", told, requires_confirmation=True), Step("last", told)])
late = Workflow(
    "late", steps=[Step("asks", told, human_review=HumanReview(requires_confirmation=True, timeout=60, on_timeout="skip"))]
)


def until(true: Any, seconds: float = 60.0) -> Any:
    """Wait until a condition holds; what it said. Fails after a while."""
    end = monotonic() + seconds
    while not (said := true()):
        assert monotonic() < end, "it never happened"
        sleep(0.01)
    return said


def worker(flow: str, db: str, log: Path, *more: str, file: str = __file__) -> Popen[bytes]:
    """A worker's process."""
    command = [sys.executable, "-m", "statecore", "worker", f"{file}:{flow}", "--db", db, "--json", *more]
    return Popen(command, cwd=ROOT, env={**os.environ, LOG: str(log), "PYTHONPATH": str(ROOT)}, stdout=PIPE, stderr=PIPE)


def lines(log: Path) -> list[list[str]]:
    """What user code has told: what, whose step, which process."""
    return [line.split() for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
