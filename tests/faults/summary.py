"""The one table of a run of the campaigns. `python -m tests.faults.summary FILE...` makes one of several reports, where a run was made in parts."""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import statecore

Report = dict[str, Any]


def versions() -> dict[str, str]:
    """What a run rests on."""
    return {
        "statecore": statecore.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
    }


def markdown(reports: Iterable[Report]) -> str:
    """The table: what was done, what was found, how long it took."""
    lines, rests = (
        ["| campaign | points | violations | of which, and what was counted | seconds |", "|---|---|---|---|---|"],
        list[str](),
    )
    for report in reports:
        about = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
        rests.append(f"{report.get('date', '')}, seed {report['seed']}, {'full' if report['full'] else 'usual'} size: {about}")
        for name, found in report["campaigns"].items():
            counts = dict(found["counts"])
            points = counts.pop("points", 0)
            said = [f"{what} {count:,}" for what, count in sorted(counts.items())] + [found["missing"]] * bool(found.get("missing"))
            spent = " (budget spent)" if found["cut_short"] else ""
            lines.append(
                f"| {name} | {points:,}{spent} | {len(found['violations'])} | {'; '.join(said)} | {found['seconds']:.0f} |"
            )
    return "\n".join([*dict.fromkeys(rests), "", *lines, ""])


if __name__ == "__main__":
    print(markdown(json.loads(Path(each).read_text(encoding="utf-8")) for each in sys.argv[1:]))  # noqa: T201  # a command speaks
