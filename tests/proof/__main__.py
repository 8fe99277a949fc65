"""The campaign: the core against the extracted model at full size, and every mutant of the core in front of it.

`python -m tests.proof [--workflows N] [--seed S] [--jobs J] [--out FILE]` walks through N random workflows, draws the whole graph of every model
and judges the mutants; it prints what it counts, as JSON. The figures of the last campaign are in `specs/proof/campaign.json`. Without a
bound it takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from specs.model.programs import ending, pausing, random_programs
from specs.proof import coq
from specs.proof.model import Model
from tests.model.models import models
from tests.proof.comparing import Comparison, compared
from tests.proof.mutants import MUTANTS, judged
from tests.proof.workflows import larger

FIGURES = coq.HERE / "campaign.json"
WORKFLOWS = 1_000
PARTS = 20
"""Pieces of the campaign, each a task of its own."""
GRAPHS = 160
"""Random workflows whose whole graph is drawn, besides those of all models."""
SIZE = (4, 30, 20_000)
"""Walks a workflow, steps a walk, states a graph."""


def piece(driver: Path, workflows: int, seed: int, number: int) -> Counter[str]:
    """What one piece counts: its share of the walks, and of the models."""
    graphs = [*models().values(), *pausing(), *ending(), *random_programs(GRAPHS, seed)]
    with Model(driver) as model:
        found = Comparison(model)
        compared(model, larger(workflows // PARTS, seed + number), graphs[number::PARTS], seed + number, SIZE, found)
    for difference in found.differences:
        sys.stderr.write(f"{difference}\n")
    return found.counts


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; 1 where an answer differs or a mutant is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--workflows", type=int, default=WORKFLOWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--mutants", type=int, default=len(MUTANTS))
    parser.add_argument("--out", type=Path, default=None)
    wanted = parser.parse_args(arguments)
    counts: Counter[str] = Counter()
    with TemporaryDirectory() as folder, ProcessPoolExecutor(wanted.jobs) as pool:
        driver = coq.executable(Path(folder))
        for found in pool.map(partial(piece, driver, wanted.workflows, wanted.seed), range(PARTS)):
            counts.update(found)
            sys.stderr.write(f"{dict(counts)}\n")
        names = list(islice(MUTANTS, wanted.mutants))
        seen = dict(zip(names, pool.map(partial(judged, driver, size="full"), names), strict=True))
    mutants = {name: found["differences"] for name, found in seen.items()}
    figures = {**dict(sorted(counts.items())), "mutants": mutants}
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    if wanted.out is not None:
        wanted.out.write_text(text, encoding="utf-8")
    return int(bool(counts["differences"]) or not all(mutants.values()))


if __name__ == "__main__":
    sys.exit(main())
