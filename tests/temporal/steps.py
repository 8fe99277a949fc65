"""A workflow for workers that are killed: what its steps do is seen in a folder, and the first call of a slow one never ends."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from time import sleep
from uuid import uuid4

from statecore import Step, StepInput, Workflow

FOLDER = Path(os.environ.get("STEPS_FOLDER", "."))


def mark(step_input: StepInput, name: str) -> int:
    """Note a call in the folder: by which process; how many there were before."""
    run = str(step_input.input)
    before = len(list(FOLDER.glob(f"{run}.{name}.*")))
    draft = FOLDER / f".{uuid4().hex}"
    draft.write_text(str(os.getpid()), encoding="ascii")
    draft.replace(FOLDER / f"{run}.{name}.{before}")
    return before


def slow(step_input: StepInput) -> str:
    """The first call of a run whose input begins with `stuck` never ends."""
    if mark(step_input, "slow") == 0 and str(step_input.input).startswith("stuck"):
        Event().wait()
    return f"{step_input.input} done"


def pay(step_input: StepInput) -> str:
    """What is behind the gate."""
    mark(step_input, "pay")
    return f"paid {step_input.previous_step_content}"


workflow = Workflow(
    "killed",
    [
        Step("slow", slow),
        Step("approve", lambda s: s.previous_step_content, requires_confirmation=True, confirmation_message="Pay it?"),
        Step("pay", pay),
    ],
)


def who(step_input: StepInput) -> list[int]:
    """Which processes have executed the steps of a run, in order."""
    sleep(0.01)  # a step that takes no time at all says nothing about sharing
    return [*(step_input.previous_step_content or []), os.getpid()]


split = Workflow("split", [Step("one", who), Step("two", who), Step("three", who)])
asking = Workflow("asking", [Step("slow", slow, on_interrupt="pause"), Step("pay", pay)])
"""The same, where a person says what becomes of an interrupted step."""
