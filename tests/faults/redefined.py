"""T7: the definition changes between the pause and the decision: inserted, removed, renamed, swapped, of another kind or policy.

What runs afterwards is what was decided about; or the question is put again, or `DefinitionChanged` names the difference, and nothing ran.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from statecore import Condition, Step, Steps, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import DefinitionChanged
from tests.faults.report import Order, Tally

Gate = Callable[..., Step]
Stays = bool | str
"""Whether a run goes on, whatever was decided; or the words that lapse, so that its question is put again."""


def changes(step: Callable[..., Step]) -> dict[str, tuple[list[Any], Stays]]:
    """The new definitions by name, and whether a run that is parked at the gate of `pay` goes on under each."""
    a, pay, z = step("a"), step("pay", requires_confirmation=True), step("z", requires_confirmation=True)
    return {
        "the same": ([a, pay, z], True),
        "inserted before": ([step("new"), a, pay, z], True),
        "inserted between": ([a, step("new"), pay, z], True),
        "inserted after": ([a, pay, step("new"), z], "confirm reject"),
        "inserted behind the next gate": ([a, pay, z, step("new")], True),
        "another removed": ([pay, z], True),
        "swapped": ([z, pay, a], False),
        "policy weaker": ([a, step("pay", requires_confirmation=True, on_error="skip"), z], False),
        "a no cancels": ([a, step("pay", requires_confirmation=True, on_reject="cancel"), z], "confirm reject"),
        "gate removed": ([a, step("pay"), z], False),
        "more retries": ([a, step("pay", requires_confirmation=True, max_retries=2), z], True),
        "removed": ([a, z], False),
        "renamed": ([a, step("refund", requires_confirmation=True), z], False),
        "moved inside": ([a, Steps("group", [pay]), z], False),
        "another kind": ([a, Condition("pay", [step("x")], requires_confirmation=True), z], False),
        "another group": ([a, Steps("pay", [step("x")]), z], False),
    }


def run(order: Order) -> Tally:  # noqa: C901  # one change after the other
    """Every change, with a yes and with a no, decided before or after it."""
    tally = Tally()
    called: list[str] = []

    def step(name: str, **settings: Any) -> Step:
        def execute(step_input: Any) -> str:
            called.append(name)
            return name

        return Step(name, execute, **settings)

    db = SqliteDb(order.folder / "runs.db", durability="normal")
    old, _ = changes(step)["the same"]
    for name, (steps, stays) in changes(step).items():
        for word in ("confirm", "reject"):
            run_id = f"{name}-{word}"
            before = Workflow("flow", old, db)
            paused = before.run(run_id=run_id)
            wrong: list[str] = []
            called.clear()
            after = Workflow("flow", steps, db)
            before.decide(run_id, paused.requirements[0].pause_id, word)
            seq = db.load(run_id).seq
            try:
                went = after.continue_run(run_id=run_id)
                again = isinstance(stays, str) and word in stays
                if not stays:
                    wrong.append(f"it went on, and called {called}")
                if again != [each.pause_id.endswith("@2") for each in went.requirements].count(True):
                    wrong.append(f"it was asked again, or not: {went.requirements}")
                if ("pay" in called) != (word == "confirm" and not again):
                    wrong.append(f"decided {word}, called {called}")
                if called and called[0] not in ("pay", *[each.name for each in steps]):
                    wrong.append(f"called {called}")
            except DefinitionChanged:
                if stays:
                    wrong.append("it was refused")
                if called or db.load(run_id).seq != seq:
                    wrong.append(f"it was refused, and something changed: {called}")
            tally.add(name, wrong, f"T7 {name}, {word}")
    db.close()
    return tally
