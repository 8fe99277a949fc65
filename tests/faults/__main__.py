"""`python -m tests.faults`: the campaigns, as large as asked for; a table on the screen, in JSON and Markdown in an untracked folder."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, strftime

from tests.faults.campaigns import CAMPAIGNS
from tests.faults.report import Order
from tests.faults.summary import markdown, versions


def main() -> int:
    """Run the campaigns that were asked for; 1 where one found a violation."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    asked.add_argument("--only", default=",".join(CAMPAIGNS), help="e.g. T1,T4")
    asked.add_argument("--full", action="store_true", help="the sizes that a release is tested with")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--budget", type=float, default=600.0, help="seconds for each campaign")
    asked.add_argument("--out", type=Path, default=Path(".campaigns"))
    given = asked.parse_args()
    told = {"date": strftime("%Y-%m-%d"), "seed": given.seed, "full": given.full, "versions": versions(), "campaigns": {}}
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / f"{strftime('%Y%m%d-%H%M%S')}-{given.seed}.json"
    print(f"seed {given.seed}, {told['versions']}")  # noqa: T201  # a command speaks
    broken = False
    wanted = set(given.only.split(","))
    for name in (each for each in CAMPAIGNS if wanted & {each, each.split("-")[0]}):
        with TemporaryDirectory() as folder:
            begun = monotonic()
            tally = CAMPAIGNS[name].run(Order(Path(folder), "full" if given.full else "usual", given.seed, given.budget))
        told["campaigns"][name] = {**tally.plain(), "seconds": round(monotonic() - begun, 1)}
        file.write_text(json.dumps(told, indent=1), encoding="utf-8")
        file.with_suffix(".md").write_text(markdown([told]), encoding="utf-8")
        counts = ", ".join(f"{what} {count}" for what, count in sorted(tally.counts.items()))
        cut = " (budget spent)" if tally.cut_short else ""
        print(f"{name:4} {len(tally.violations):5} violations in {counts}; {monotonic() - begun:.0f} s{cut}")  # noqa: T201
        if tally.missing:
            print(f"       not done: {tally.missing}")  # noqa: T201
        for each in tally.violations[:10]:
            print(f"       {each}")  # noqa: T201
        broken = broken or bool(tally.violations)
    print(file, file.with_suffix(".md"))  # noqa: T201
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
