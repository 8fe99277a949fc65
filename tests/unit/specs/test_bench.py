"""`python -m tests.bench` works: it prints a table for every part, and keeps the same figures as JSON. What they say is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import PARTS
from tests.bench.measure import Row
from tests.bench.others import PEERS
from tests.bench.table import table

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the command prints and keeps at its smallest sizes."""
    kept = tmp_path_factory.mktemp("bench") / "figures.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(kept)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout, json.loads(kept.read_text(encoding="utf-8"))


def test_every_part_has_its_figures(told):
    """Each part has rows, each row a figure in a unit, and a target says whether it is met."""
    _, found = told
    assert list(found["figures"]) == list(PARTS)
    for rows in found["figures"].values():
        assert rows
        for row in rows:
            assert row["unit"]
            assert {"cpu", "count"} & row.keys()
            assert ("met" in row) == ("target" in row)


def test_every_row_is_printed(told):
    """The table tells each row of the JSON, under the versions that it is of."""
    printed, found = told
    assert printed.startswith(f"statecore {found['machine']['statecore']} · python {found['machine']['python']}")
    names = [row["name"] for rows in found["figures"].values() for row in rows]
    assert [name for name in names if f"| {name} " not in printed] == []


def test_fsyncs_are_counted(told):
    """A step of a full store is one fsync, one of a normal store none: however they were counted."""
    _, found = told
    counted = {row["name"]: row["count"] for row in found["figures"]["counts"]}
    assert counted["fsyncs a step, full"] == 1
    assert counted["fsyncs a step, normal"] == 0
    assert counted["fsyncs a review, full"] == 5


def test_a_target_that_is_missed_is_said():
    """A reader of the table sees what is met, what is not, and how many times its limit a figure is."""
    rows = [
        Row("fast", "us", cpu=2.0, limit="loop", limit_cpu=0.5, target="<= 3 us", met=True),
        Row("slow", "us", cpu=12345.6, target="<= 3 us", met=False, more={"of": 1.5}),
    ]
    lines = [[cell.strip() for cell in line.split("|")] for line in table(rows).splitlines()]
    assert lines[2][1:-1] == ["fast", "us", "2", "", "", "loop", "0.5", "", "4.00", "<= 3 us", "met", ""]
    assert lines[3][1:-1] == ["slow", "us", "12,346", "", "", "", "", "", "", "<= 3 us", "NOT MET", "of 1.5"]


def test_every_peer_has_its_script():
    """Each peer that is named has a script of its own, and each script a peer; statecore is measured by the same clock."""
    scripts = {path.stem.removeprefix("with_") for path in (ROOT / "tests/bench/peers").glob("with_*.py")}
    assert scripts == {*PEERS, "statecore"}
