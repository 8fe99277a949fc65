"""strace, as campaigns use it: faults in the system calls of a real process, and a record of what it wrote and when it waited for the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 120
MISSING = "strace is not here, or may not trace: install the Debian package strace (apt-get install strace), and allow ptrace in containers"


@cache
def usable() -> bool:
    """Whether strace is installed and may trace."""
    program = shutil.which("strace")
    if program is None:
        return False
    return (
        subprocess.run([program, "-qq", "-f", "-o", os.devnull, "true"], check=False, capture_output=True).returncode == 0
    )  # of every system


def traced(folder: Path, options: list[str], module: str, *args: str) -> tuple[list[str], list[str]]:
    """Run a module of the tests under strace: the lines that it printed, and those of the trace. Raises where it fails or hangs.

    `--seccomp-bpf` among the options makes it fast; signals that are injected get lost then.
    """
    trace = folder / "trace"
    done = subprocess.run(
        ["strace", "-qq", "-f", "-o", trace, *options, sys.executable, "-m", module, *args],  # noqa: S607  # looked for in `usable`
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_START": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        message = f"{module} under strace ended with {done.returncode}: {done.stderr[-2000:]}"
        raise RuntimeError(message)
    return done.stdout.splitlines(), trace.read_text(encoding="ascii", errors="replace").splitlines()
