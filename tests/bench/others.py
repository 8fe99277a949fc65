"""Peers on the same work: each library in a virtual environment of its own, made on first use under `.bench/` of the checkout.

A peer's script in `tests/bench/peers` runs in the peer's interpreter and prints JSON; statecore runs a script of the same form. Telemetry is
off. One after another they run while nothing else is measured, statecore first and last, so that a change of the machine's load shows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Row, Scale, at_most

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".bench" / "peers"
SILENT = {
    "AGNO_TELEMETRY": "false",
    "BURR_TELEMETRY_ENABLED": "false",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
}
PEERS = {
    "agno": ("agno==3.1.10", "sqlalchemy[asyncio]", "aiosqlite"),
    "langgraph": ("langgraph", "langgraph-checkpoint-sqlite"),
    "burr": ("apache-burr==0.43.0", "attrs>=23.3", "transitions>=0.9.3", "click>=8.1.7"),  # the last three for `beside_burr`
    "dbos": ("dbos",),
    "pydantic_graph": ("pydantic-graph",),
}
IMPORTS = {
    "agno": "from agno.workflow import Workflow, Step",
    "langgraph": "from langgraph.graph import StateGraph",
    "burr": "from burr.core import ApplicationBuilder",
    "dbos": "from dbos import DBOS",
    "pydantic_graph": "from pydantic_graph import GraphBuilder",
    "statecore": "from statecore import Workflow, Step",
}
WORDS = {
    "memory": "in memory",
    "durable": "durable, waits for the disk",
    "durable_normal": "durable normal",
    "reviews": "pause + decide + resume",
    "reviews_normal": "pause + decide + resume, normal",
    "reviews_one_session": "pause + decide + resume, one session",
}


def interpreter(name: str) -> Path:
    """The interpreter of a peer's environment, which is made where there is none; this one for statecore."""
    if name == "statecore":
        return Path(sys.executable)
    home = HOME / name
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = home / "ready"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS[name]]
        subprocess.run(install, check=True)
        ready.write_text("\n".join(PEERS[name]) + "\n", encoding="utf-8")
    return python


def told(name: str, script: str, scale: Scale, place: Path) -> dict[str, Any]:
    """What a script says that runs in a peer's environment."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        work = [json.dumps(list(scale.peer_lengths)), str(scale.peer_reviews), folder]
        command = [str(interpreter(name)), "-m", f"tests.bench.peers.{script}", *work]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | SILENT, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measured(name: str, scale: Scale, place: Path) -> dict[str, Any]:
    """What a peer's script says of itself."""
    python, found = interpreter(name), told(name, f"with_{name}", scale, place)
    return found | {"import": imported(name, python, 5 if scale.rounds > 1 else 1)}


def imported(name: str, python: Path, rounds: int) -> float:
    """The CPU milliseconds of an interpreter that imports a peer, above one that imports nothing."""
    report = "import time; print(time.process_time() * 1000)"
    with tempfile.TemporaryDirectory() as compiled:
        environment = os.environ | SILENT | {"PYTHONPYCACHEPREFIX": compiled, "PYTHONDONTWRITEBYTECODE": ""}

        def fresh(code: str) -> float:
            command = [str(python), "-c", f"{code}\n{report}"]
            done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            return float(done.stdout.strip().splitlines()[-1])

        fresh(IMPORTS[name])
        bare = median([fresh("pass") for _ in range(rounds)])
        return round(median([fresh(IMPORTS[name]) for _ in range(rounds)]) - bare, 1)


def peers(scale: Scale, folder: Path) -> list[Row]:
    """Every peer's figures beside statecore's of the same run."""
    found = {name: measured(name, scale, folder) for name in ("statecore", *PEERS)}
    again = measured("statecore", scale, folder)
    rows = [row for part in WORDS for row in rows_of(part, found, again)]
    ours = found["statecore"]["import"]
    for name, each in found.items():
        versions = " ".join(f"{package} {number}" for package, number in each["versions"].items())
        more = {"versions": versions, "settings": each.get("setting", "")}
        rows.append(Row(f"import, {name}", "ms CPU above bare", cpu=each["import"], limit="statecore", limit_cpu=ours, more=more))
    return [*rows, *paired(scale, folder)]


PAIRED = {"review": 1.3, "step, 10 a run": 0.95, "step, 100 a run": 0.8}
"""What statecore is to take of Burr's CPU at most, by turns in one process."""


def paired(scale: Scale, folder: Path) -> list[Row]:
    """Both libraries in one process, which is the fairest comparison: the same moment, the same interpreter."""
    rows = []
    for durability, figures in told("burr", "beside_burr", scale, folder).items():
        for name, each in figures.items() if durability != "versions" else ():
            ratio, ours, theirs = each
            target = at_most(ratio, PAIRED[name], "of Burr") if name in PAIRED else {}
            more = {"median of ratios": ratio}
            rows.append(
                Row(
                    f"by turns with Burr, {durability}, {name}", "us CPU", ours, limit="Burr", limit_cpu=theirs, more=more, **target
                )
            )
    return rows


def rows_of(part: str, found: dict[str, Any], again: dict[str, Any]) -> list[Row]:
    """The rows of one figure, peer by peer; statecore's second time shows how steady the machine was."""
    ours = found["statecore"].get(part) or found["statecore"].get(part.removesuffix("_one_session"))
    rows = []
    for name, each in [*found.items(), ("statecore again", again)]:
        if part not in each:
            continue
        for key, (cpu, wall) in lines_of(each[part]):
            limit = dict(lines_of(ours))[key]
            unit = "us/step" if key.isdigit() else "us/run"
            size = f"{int(key):,} a run" if key.isdigit() else key
            rows.append(Row(f"{WORDS[part]}, {size}: {name}", unit, cpu, wall, None, "statecore", limit[0], limit[1]))
    sizes = list(dict.fromkeys(row.name.split(":")[0] for row in rows))
    return sorted(rows, key=lambda row: sizes.index(row.name.split(":")[0]))


def lines_of(figures: dict[str, Any]) -> list[tuple[str, list[float]]]:
    """The figures of one part, by length or by which of the runs."""
    return [(key, pair) for key, pair in figures.items() if isinstance(pair, list)]
