"""A step asks before it runs; a no skips it, and the next step sees no previous content.

Run it, with the answers given beforehand:

    $ statecore run statecore.examples.confirmation --input "Dear all" --answers confirm
    $ statecore run statecore.examples.confirmation --input "Dear all" --answers reject
"""

from __future__ import annotations

from statecore import Step, StepInput, Workflow


def draft(step_input: StepInput) -> str:
    """The letter."""
    return f"{step_input.input}, the office is closed on Friday."


def send(step_input: StepInput) -> str:
    """The mail that was sent."""
    return f"sent: {step_input.previous_step_content}"


def log(step_input: StepInput) -> str:
    """A line for the log."""
    return step_input.previous_step_content or "not sent"


workflow: Workflow = Workflow(
    "newsletter",
    [
        Step("draft", draft),
        Step("send", send, requires_confirmation=True, confirmation_message="Send this letter to everybody?"),
        log,
    ],
)
