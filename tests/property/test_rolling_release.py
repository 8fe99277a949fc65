"""Two processes with different definitions take turns on the runs of one store: a gated step is never called without a yes of its own (GATE-8).

The judge is the list of calls that user code writes, beside the decisions that the store has. `STATECORE_EXAMPLES=10` makes it a campaign.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import partial
from random import Random, SystemRandom
from typing import Any

import pytest
from attrs import define, field

from statecore import InMemoryDb, RunStatus, SqliteDb, Workflow
from statecore.core import stored_program
from statecore.errors import DefinitionChanged, NotPaused, Undecided
from statecore.lifecycles import words as w
from statecore.runtime import judge
from statecore.stores import RunFilter
from tests.property.pairs import Drawn, Tree, changed
from tests.sizes import examples

HISTORIES, TURNS = 60, 14
BROKEN = "the line is busy"


@define
class History:
    """Two versions of a random workflow on one store, and what user code did."""

    random: Random
    db: Any
    called: list[str] = field(factory=list)
    wrong: list[str] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)

    def does(self, tree: Tree) -> Any:
        """User code that writes down its call; now and then a step fails."""

        def execute(_given: Any) -> Any:
            if tree.kind == "condition":
                return self.random.random() < 0.5
            if tree.kind == "router":
                return [tree.inside[0].name]
            self.called.append(tree.name)
            if self.random.random() < 0.1:
                raise OSError(BROKEN)
            return tree.name

        return execute

    def play(self) -> None:
        """Begin a run under one version, then decide and continue it under one or the other, until it is over."""
        drawn = Drawn(self.random)
        tree = drawn.tree()
        trees = [tree, changed(drawn, tree)]
        flows = [Workflow("flow", [each.made(self.does) for each in one.inside], self.db) for one in trees]
        begun = self.random.choice(flows)
        self.moved(begun, lambda: begun.run("x", run_id="r"))
        for _ in range(TURNS):
            status = begun.get_run_output("r").status
            if status not in (RunStatus.paused, RunStatus.error):
                break
            self.decide(begun)
            flow = self.random.choice(flows)
            self.moved(flow, partial(flow.continue_run, run_id="r", retry_failed=status is RunStatus.error))
        self.counts[begun.get_run_output("r").status.value] += 1

    def decide(self, flow: Workflow) -> None:
        """A person answers one open question, mostly with a yes."""
        waiting = [each for each in flow.list_pauses(run_id="r") if not each.is_resolved]
        if waiting:
            asked = self.random.choice(waiting)
            words = {"route": ["select"], "error": ["retry", "skip"], "interrupted": ["retry", "skip"]}
            word = self.random.choice(words.get(asked.kind, ["confirm", "confirm", "confirm", "reject"]))
            value = asked.available_choices[:1] if word == "select" else None  # type: ignore[union-attr]
            flow.decide("r", asked.pause_id, word, value=value)

    def moved(self, flow: Workflow, go: Any) -> None:
        """Let a process move the run; each step that is called behind a gate of its own has a yes in the store, under both definitions."""
        before = len(self.called)
        followed = stored_program(self.db.load("r").identity.canonical) if self.db.runs(RunFilter()) else flow.compiled.program
        try:
            go()
        except DefinitionChanged:
            self.counts["refused"] += 1
            self.wrong += ["it was refused, and ran"] if len(self.called) > before else []
            return
        except (NotPaused, Undecided, OSError):
            pass
        said = {row.pause_id.partition(":")[0] for row in self.db.decisions("r") if row.word == "confirm"}
        for name in self.called[before:]:
            for program in (followed, flow.compiled.program):
                gates = [at for at in program.named.get(name, ()) if w.needs_confirmation in program[at].facts]
                if gates and not said & set(gates):
                    self.wrong.append(f"{name} was called without a yes")


def played(seed: int, db: Any) -> History:
    """The history of a seed."""
    history = History(Random(seed), db)  # noqa: S311  # to be repeatable
    history.play()
    return history


@pytest.mark.spec("GATE-8")
def test_versions_that_take_turns_call_no_gated_step_unasked(tmp_path):
    """In random histories of two versions on one store nothing is called without its yes, and a refusal calls nothing."""
    first = SystemRandom().randrange(1 << 40)
    print(f"seeds from {first}")  # noqa: T201  # shown where the test fails
    counts: Counter[str] = Counter()
    number = examples(HISTORIES)
    for seed in range(first, first + number):
        db: Any = SqliteDb(tmp_path / f"{seed}.db", durability="normal") if seed % 4 == 0 else InMemoryDb()
        history = played(seed, db)
        assert history.wrong == [], seed
        counts += history.counts
        if seed % 4 == 0:
            db.close()
    assert counts["refused"] > number / 10
    assert counts["COMPLETED"] + counts["CANCELLED"] > number / 4


def test_a_process_that_asks_nobody_is_found(monkeypatch):
    """Where the judge of definitions is taken away, some history of a fixed sample calls a gated step without its yes."""
    monkeypatch.setattr(judge.Case, "differences", lambda _: [])
    unasked: list[str] = []
    for seed in range(400):
        with suppress(KeyError, ValueError, IndexError):  # a place was gone
            unasked += [each for each in played(seed, InMemoryDb()).wrong if each.endswith("without a yes")]
        if unasked:
            break
    assert unasked
