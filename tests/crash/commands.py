"""Real processes for tests of the command line: run one, start one that will be killed, or put one on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from queue import Queue
from threading import Thread
from types import SimpleNamespace

from statecore.cli import main

ROOT = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds after which a process counts as hung; no test waits that long when all is well."""
AGAIN = 5
"""After how many seconds without a word a person presses a key again."""


def environment(**more):
    """What every command of these tests runs in."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("STATECORE_DB", "NO_COLOR", "STATECORE_COMPANION_URL")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", **more}


def arguments(words):
    """The command line of `statecore`."""
    return [sys.executable, "-m", "statecore", *map(str, words)]


def statecore(*words, cwd, **more):
    """Run a command without a terminal, to its end."""
    return subprocess.run(
        arguments(words),
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def here(*words, cwd):
    """Run a command to its end in this process, which takes a tenth of the time: for what a process of its own adds nothing to.

    To a process that executes, or was killed, this one is another one as well. What the command imports from there is forgotten.
    """
    out, err, path = StringIO(), StringIO(), list(sys.path)
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        code = main([*map(str, words)])
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(cwd)):
            del sys.modules[name]
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def start(*words, cwd, stderr=subprocess.STDOUT, **more):
    """Start a command without a terminal; the caller ends it."""
    return subprocess.Popen(
        arguments(words),
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        preexec_fn=obey_interrupts,  # noqa: PLW1509  # this process starts no thread that forks
    )


def obey_interrupts():
    """Ctrl-C works in the child, even if these tests run in a shell's background, where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def obey_terminal():
    """The terminal on standard input rules the child."""
    obey_interrupts()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def kill(process):
    """End a process as a power cut would, and wait until it is gone."""
    process.kill()
    process.wait(PATIENCE)
    if process.stdout is not None:
        process.stdout.close()


class Gate:
    """A named pipe: a process that opens it to read stands still there, and the test knows that it does."""

    def __init__(self, path):
        self.path = Path(path)
        os.mkfifo(self.path)

    def reached(self):
        """Wait until somebody opens the pipe to read, and leave it open; returns the end that lets the reader go on when closed."""
        opened: Queue[int] = Queue()
        Thread(target=lambda: opened.put(os.open(self.path, os.O_WRONLY)), daemon=True).start()
        return opened.get(timeout=PATIENCE)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *words, cwd, **more):
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            arguments(words),
            cwd=cwd,
            env=environment(**more),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=obey_terminal,  # noqa: PLW1509  # this process starts no thread that forks
        )
        os.close(theirs)
        self.said = ""

    def __enter__(self):
        """The terminal, switched on."""
        return self

    def __exit__(self, *_):
        """Switched off, whatever still runs on it."""
        kill(self.process)
        os.close(self.ours)

    def read(self):
        """What has been printed since; "" at the end. Fails where nothing comes."""
        ready, _, _ = select.select([self.ours], [], [], PATIENCE)
        assert ready, f"nothing more came after: {self.said}"
        try:
            return os.read(self.ours, 65536).decode(errors="replace")
        except OSError:  # Linux says so when the other end is closed
            return ""

    def until(self, text):
        """Read until `text` was printed; what was printed up to there, since the last time."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            more = self.read()
            assert more, f"{text!r} never came: {self.said}"
            assert time.monotonic() < deadline, f"{text!r} never came: {self.said}"
            self.said += more
        before, _, self.said = self.said.partition(text)
        return before + text

    def type(self, text):
        """Press keys."""
        os.write(self.ours, text.encode())

    def interrupt(self):
        """Press Ctrl-C, and again where nothing but its echo comes: Python hears one only later that comes just before it begins to read."""
        while True:
            self.type("\x03")
            while select.select([self.ours], [], [], AGAIN)[0]:
                more = self.read()
                self.said += more
                if not more or self.said.replace("^C", "").strip():
                    return

    def end(self):
        """Read to the end: what was printed, and the exit code."""
        while more := self.read():
            self.said += more
        return self.said, self.process.wait(PATIENCE)
