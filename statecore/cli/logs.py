"""The log on the terminal: `--log-level` and `--log-json` write the records of the logger `statecore` to the error output, each as one line.

A program that embeds the package configures logging by itself; only these options do it here.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from statecore.asking.text import clean

FIELDS = ("run_id", "workflow", "address", "attempt", "pause_id")
"""The fields of a record about a run (OBS-1)."""
HANDLER = "statecore-cli"


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields that a record has and that say something."""
    return {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}


def instant_of(record: logging.LogRecord) -> str:
    """The time of a record, by the clock on the wall, in UTC."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class Lines(logging.Formatter):
    """A record as a line for people: time, level, message; a traceback follows in lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = clean(record.getMessage(), 2_000)
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{instant_of(record)} {record.levelname:<7} {said}{trace}"


class Objects(logging.Formatter):
    """A record as a line of JSON: time, level, logger, message, the fields, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = {
            "time": instant_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = {"exception": self.formatException(record.exc_info)} if record.exc_info else {}
        return json.dumps({**said, **fields_of(record), **trace})


def configure(level: str | None, *, as_json: bool) -> None:
    """Write the records of the package from this level on, INFO without one, to the error output."""
    log = logging.getLogger("statecore")
    for old in [each for each in log.handlers if each.get_name() == HANDLER]:
        log.removeHandler(old)
    handler = logging.StreamHandler()
    handler.set_name(HANDLER)
    handler.setFormatter(Objects() if as_json else Lines())
    log.addHandler(handler)
    log.setLevel((level or "info").upper())
    log.propagate = False
