"""`python -m specs.tools.draw [--check] [FOLDER]` writes the pages of `diagrams/`, or says where a folder differs from what runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from specs.tools.pages import COMMAND, drift, write


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 0 where all is well, 1 where pages differ."""
    parser = ArgumentParser(
        prog=COMMAND,
        description="Draw the lifecycles, the examples and the floors of statecore, from its source.",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("diagrams"), help="where the pages are (default: diagrams)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page differs from what runs")
    given = parser.parse_args(arguments)
    if not given.check:
        write(given.folder)
    wrong = drift(given.folder)
    for line in wrong:
        sys.stderr.write(f"{given.folder / line}\n")
    if wrong:
        sys.stderr.write(f"Run `{COMMAND} {given.folder}` and look at what changed.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
