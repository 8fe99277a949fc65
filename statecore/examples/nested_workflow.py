"""One flow inside another: it is written once, used twice, and its gates ask wherever it stands.

A no to any of them cancels the run. A step inside is named by its address where its name alone would mean several:

    $ statecore run statecore.examples.nested_workflow --input "We move." --answers confirm,confirm
    $ statecore run statecore.examples.nested_workflow --input "We move." --answers legal/approve=confirm,press/approve=reject    # exits 1
    $ statecore run statecore.examples.nested_workflow --input "We move." < /dev/null    # exits 4
    $ statecore confirm RUN legal/approve --by ada
    $ statecore resume statecore.examples.nested_workflow --answers confirm
"""

from __future__ import annotations

from statecore import OnReject, Step, StepInput, Workflow


def draft(step_input: StepInput) -> str:
    """The announcement."""
    return str(step_input.input)


def prepare(step_input: StepInput) -> str:
    """The text as a department gets it."""
    text: str = step_input.previous_step_content
    return text.strip()


def approve(step_input: StepInput) -> str:
    """The text with one more approval."""
    return f"{step_input.previous_step_content} [ok]"


def approval(department: str) -> Workflow:
    """The flow that every department uses, under its own name."""
    asks = Step(
        "approve",
        approve,
        requires_confirmation=True,
        confirmation_message=f"Does {department} approve?",
        on_reject=OnReject.cancel,
    )
    return Workflow(department, [prepare, asks])


def announce(step_input: StepInput) -> str:
    """The announcement."""
    return f"announced: {step_input.previous_step_content}"


workflow: Workflow = Workflow("announcement", [draft, Step(workflow=approval("legal")), Step(workflow=approval("press")), announce])
