"""What importing costs: fresh interpreters, each beside one that imports nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Row, Scale, at_most

ROOT = Path(__file__).parents[2]
REPORT = """
import json, sys, time
cpu = time.process_time()
try:
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print(json.dumps([cpu * 1000, peak / 1024, sorted(sys.modules)]))
"""
IMPORTS = {
    "nothing": "",
    "statecore": "import statecore",
    "Step, Workflow": "from statecore import Step, Workflow",
    "Step, Workflow, SqliteDb": "from statecore import Step, Workflow, SqliteDb",
}
HEAVY = ("asyncio", "sqlite3", "http", "socketserver", "transitions", "attr", "cattrs", "click")


def imports(scale: Scale, folder: Path) -> list[Row]:
    """CPU milliseconds and peak megabytes of an interpreter that imports, beside a bare one; and what heavy modules it has loaded.

    Byte code is compiled before anything is counted, as an installer does it.
    """
    compiled = os.environ | {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    for code in IMPORTS.values():
        fresh(code, compiled)
    took: dict[str, list[list[Any]]] = {name: [] for name in IMPORTS}
    for _ in range(max(2, scale.rounds * 2)):
        for name, code in IMPORTS.items():
            took[name].append(fresh(code, compiled))
    bare, rows = took["nothing"], []
    bare_cpu, bare_mb = (median([each[n] for each in bare]) for n in (0, 1))
    for name, seen in took.items():
        cpu, mb = (round(median([each[n] for each in seen]), 1) for n in (0, 1))
        loaded = [module for module in HEAVY if module in seen[0][2]]
        limit = {"limit": "bare Python", "limit_cpu": round(bare_cpu, 1)}
        more = {"MB": mb, "modules": len(seen[0][2]), "of these": " ".join(loaded)}
        above = round(cpu - bare_cpu, 1)
        target = at_most(above, 60, "ms above bare") if name != "nothing" else {}
        rows.append(Row(f"import {name}", "ms CPU", cpu=cpu, more=more, **limit, **target))
        rows.append(memory_row(name, mb, bare_mb))
    return rows


def memory_row(name: str, mb: float, bare: float) -> Row:
    """The peak memory of an import; its target is for the bare `import statecore`."""
    target = at_most(mb, 24, "MB") if name == "statecore" else {}
    return Row(f"peak memory, import {name}", "MB", count=mb, limit="bare Python", limit_count=round(bare, 1), **target)


def fresh(code: str, environment: dict[str, str]) -> list[Any]:
    """CPU milliseconds, peak megabytes and modules of a fresh interpreter after some code."""
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    found: list[Any] = json.loads(done.stdout)
    return found
