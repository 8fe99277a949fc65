"""The evidence in one line: `python -m specs.tools.evidence`. Nothing in it is typed in by hand.

Claims and rows are counted when it is printed. What takes long is counted by the test that produces it and held against
`evidence.json` beside this module: where a figure changes, that test fails and says what to write there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from specs.proof import coq
from statecore.lifecycles import TABLES

HERE = Path(__file__).parent
FIGURES = HERE / "evidence.json"
CAMPAIGN = HERE.parent / "proof" / "campaign.json"
CLAIM = re.compile(r"^- \*\*[A-Z]+-\d+[a-z]?\*\* (?!\(planned\))", re.MULTILINE)


def figures() -> dict[str, int]:
    """What tests have counted, by name."""
    found: dict[str, int] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def campaign() -> dict[str, int]:
    """What the last campaign counted (`python -m tests.proof`), by name."""
    found: dict[str, int] = json.loads(CAMPAIGN.read_text(encoding="utf-8"))["counts"]
    return found


def differing(**counted: int) -> dict[str, int]:
    """Those of some counts that are not as they are written down; what a test asserts to be nothing."""
    known = figures()
    return {name: count for name, count in counted.items() if known.get(name) != count}


def line() -> str:
    """The evidence."""
    known, compared = figures(), campaign()
    claims = len(CLAIM.findall((HERE.parent / "semantics.md").read_text(encoding="utf-8")))
    rows = sum(len(table.rows) for table in TABLES.values())
    return (
        f"{claims} claims, {rows} rows; {known['mutants']:,} of {known['mutants']:,} non-equivalent mutants of the tables killed; "
        f"{known['tlc_states']:,} states and {known['tlc_edges']:,} edges of {known['tlc_workflows']} workflows equal to TLC's; "
        f"{known['conditions']:,} verification conditions proved, of {known['inductive']} inductive invariants and {known['constructed']} that hold by "
        f"construction; {known['refined_ways']:,} runs of {known['refined_workflows']} workflows "
        f"refine the oracle on {known['refined_edges']:,} of {known['oracle_edges']:,} edges; {known['journals']:,} journals replayed; "
        f"{len(coq.theorems())} theorems about a model of the core proved, and the model compared with the core on "
        f"{compared['answers']:,} answers and {compared['refusals']:,} refusals"
    )


def main() -> int:
    """Print it."""
    sys.stdout.write(f"{line()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
