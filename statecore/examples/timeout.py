"""A question with a deadline: who is silent for a day has declined, and the room is free for others.

A no does the same at once: it skips the step.

Answered in time, and not answered at all; `tick` applies the deadlines that are over, and is what cron would call:

    $ statecore run statecore.examples.timeout --input "room 12" --answers confirm
    $ statecore run statecore.examples.timeout --input "room 14" < /dev/null    # exits 4
    $ statecore pending
    $ statecore tick statecore.examples.timeout
    $ statecore tick statecore.examples.timeout    # a day later
    $ statecore confirm RUN keep    # exits 1

The last one comes too late.
"""

from __future__ import annotations

from statecore import OnTimeout, Step, StepInput, Workflow

A_DAY = 24 * 60 * 60


def reserve(step_input: StepInput) -> str:
    """The reservation."""
    return f"{step_input.input} reserved"


def keep(step_input: StepInput) -> str:
    """The booking."""
    return f"{step_input.input} booked"


def tell(step_input: StepInput) -> str:
    """The message to the front desk."""
    return step_input.previous_step_content or f"{step_input.input} is free again"


workflow: Workflow = Workflow(
    "reservation",
    [
        reserve,
        Step(
            "keep",
            keep,
            requires_confirmation=True,
            confirmation_message="Keep the room?",
            timeout=A_DAY,
            on_timeout=OnTimeout.skip,
        ),
        tell,
    ],
)
