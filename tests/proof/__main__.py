"""The campaign: the core against the extracted model at full size, and every mutant of the core in front of it.

`python -m tests.proof [--parts A:B] [--walks W] [--steps S] [--random G] [--mutants] [--seed N] [--jobs J] [--out FILE]` has twenty parts. Each
walks through fifty random workflows and draws the whole graphs of its share of the models, and of G random workflows. With `--mutants` it judges the
mutants, too. It prints what it counts, as JSON, and adds it to what FILE has. `specs/proof/campaign.json` has the last campaign.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from specs.model.programs import ending, pausing, random_programs
from specs.proof import coq
from specs.proof.model import Model
from tests.model.models import models
from tests.proof.comparing import Comparison, compared
from tests.proof.mutants import MUTANTS, judged
from tests.proof.workflows import larger

PARTS, EACH = 20, 50
"""Parts of the campaign, each a task of its own, and the random workflows of a part."""
LIMIT = 20_000
"""States of a graph, at most; one that has more is counted as cut short."""


def part(driver: Path, wanted: argparse.Namespace, number: int) -> Counter[str]:
    """What one part counts: its share of the walks, and of the models."""
    graphs = [*models().values(), *pausing(), *ending(), *random_programs(wanted.random, wanted.seed)]
    size = (wanted.walks, wanted.steps, LIMIT)
    with Model(driver) as model:
        found = Comparison(model)
        compared(model, larger(EACH, wanted.seed + number), graphs[number::PARTS], wanted.seed + number, size, found)
    for difference in found.differences:
        sys.stderr.write(f"{difference}\n")
    return found.counts


def noticed(driver: Path, name: str) -> int:
    """How many answers a mutant makes differ: in the sample, or else in the full comparison."""
    return judged(driver, name)["differences"] or judged(driver, name, "full")["differences"]


def added(before: dict[str, Any], counts: Counter[str], mutants: dict[str, int], run: str) -> dict[str, Any]:
    """The figures of a campaign with those of one more run."""
    every = Counter(before.get("counts", {}))
    every.update(counts)
    figures = {"runs": [*before.get("runs", []), run], "counts": dict(sorted(every.items()))}
    return figures | {"mutants": {**before.get("mutants", {}), **mutants}}


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; 1 where an answer differs or a mutant is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    for name, default in (("walks", 2), ("steps", 30), ("random", 160), ("seed", 1), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--parts", default=f"0:{PARTS}")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    wanted = parser.parse_args(arguments)
    first, last = map(int, wanted.parts.split(":"))
    counts: Counter[str] = Counter(differences=0)
    with TemporaryDirectory() as folder, ProcessPoolExecutor(wanted.jobs) as pool:
        driver = coq.executable(Path(folder))
        for found in pool.map(partial(part, driver, wanted), range(first, last)):
            counts.update(found)
        names = list(MUTANTS) if wanted.mutants else []
        mutants = dict(zip(names, pool.map(partial(noticed, driver), names), strict=True))
    before = json.loads(wanted.out.read_text("utf-8")) if wanted.out is not None and wanted.out.is_file() else {}
    run = f"--parts {wanted.parts} --walks {wanted.walks} --steps {wanted.steps} --random {wanted.random}"
    text = json.dumps(added(before, counts, mutants, f"{run} --mutants" if wanted.mutants else run), indent=2) + "\n"
    sys.stdout.write(text)
    if wanted.out is not None:
        wanted.out.write_text(text, encoding="utf-8")
    return int(bool(counts["differences"]) or not all(mutants.values()))


if __name__ == "__main__":
    sys.exit(main())
