"""A store's file seen past the store: read raw, changed behind its triggers, or used by a fresh interpreter."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from statecore.errors import StatecoreError

ROOT = Path(__file__).parents[3]


def raw(file):
    """A connection past the store."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = 1")
    connection.execute("PRAGMA recursive_triggers = 1")
    return connection


def tamper(file, *statements):
    """Change a file behind its triggers, and put them back as they were."""
    connection = raw(file)
    connection.execute("PRAGMA foreign_keys = 0")
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def folder_of(file):
    """Every file beside a file, with its bytes."""
    return {path.name: path.read_bytes() for path in file.parent.iterdir() if path.is_file()}


def run_script(script, *args):
    """What a fresh interpreter prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def outcome(act, *args):
    """The class of a named refusal, None where there is none."""
    try:
        act(*args)
    except StatecoreError as error:
        return type(error)
    return None
