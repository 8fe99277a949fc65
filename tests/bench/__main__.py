"""`python -m tests.bench` measures everything and prints a table; `--json FILE` keeps the figures.

`--folder DIR` says on which disk stores lie. `--only NAME` (more than once, if wanted) measures a part; `--quick` takes sizes at which figures
mean nothing, to see that it works; `--peers` measures other libraries on the same work, each in a virtual environment of its own that this
command makes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statecore import __version__
from tests.bench.checks import checks
from tests.bench.counts import counts
from tests.bench.crowd import crowds
from tests.bench.growth import full, memory, normal, shape, stores
from tests.bench.measure import FULL, QUICK, Row, Scale
from tests.bench.others import peers
from tests.bench.people import memory_of_runs, resumes, reviews
from tests.bench.start import imports
from tests.bench.table import table

PARTS: dict[str, Callable[[Scale, Path], list[Row]]] = {
    "memory": memory,
    "normal": normal,
    "full": full,
    "counts": counts,
    "reviews": reviews,
    "resumes": resumes,
    "shape": shape,
    "crowds": crowds,
    "imports": imports,
    "paused": memory_of_runs,
    "checks": checks,
    "stores": stores,
}


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "statecore": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="What statecore costs, beside its limits and its peers.")
    parser.add_argument("--json", metavar="FILE", type=Path, help="keep the figures here")
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=list(PARTS), help=f"one of {', '.join(PARTS)}; may be repeated"
    )
    parser.add_argument("--folder", type=Path, help="where stores lie: another disk, or a file system in memory")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: to see that it works")
    parser.add_argument(
        "--peers", action="store_true", help="measure other libraries too; installs them in environments of their own"
    )
    return parser.parse_args()


def main() -> None:
    """Measure what was asked for, and print it part by part."""
    asked = arguments()
    scale = QUICK if asked.quick else FULL
    found: dict[str, Any] = {"machine": machine(), "figures": {}}
    say(" · ".join(f"{key} {value}" for key, value in found["machine"].items()))
    wanted = asked.only or ([] if asked.peers else list(PARTS))
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        parts = {part: PARTS[part] for part in wanted} | ({"peers": peers} if asked.peers else {})
        for part, work in parts.items():
            rows = work(scale, Path(name))
            found["figures"][part] = [row.plain() for row in rows]
            say(f"\n## {part}\n\n{table(rows)}")
            if asked.json:
                asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Print at once: a whole run takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
