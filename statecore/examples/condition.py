"""A person chooses the branch: "yes" runs the steps, "no" runs the else steps, and never both.

Run it, with the answers given beforehand:

    $ statecore run statecore.examples.condition --input "broken lamp" --answers confirm
    $ statecore run statecore.examples.condition --input "broken lamp" --answers reject
"""

from __future__ import annotations

from statecore import Condition, Step, StepInput, Workflow


def refund(step_input: StepInput) -> str:
    """The refund."""
    return f"refunded: {step_input.input}"


def apologise(step_input: StepInput) -> str:
    """The apology."""
    return f"sorry about the {step_input.input}"


def offer_repair(step_input: StepInput) -> str:
    """The offer that follows an apology."""
    return f"{step_input.previous_step_content}; we offer to repair it"


def close_case(step_input: StepInput) -> str:
    """The record on file."""
    return f"closed ({step_input.previous_step_content})"


workflow: Workflow = Workflow(
    "complaint",
    [
        Condition(
            "refund?",
            [Step("refund", refund)],
            [Step("apologise", apologise), Step("offer repair", offer_repair)],
            requires_confirmation=True,
            confirmation_message="Refund the customer?",
        ),
        Step("close case", close_case),
    ],
)
