"""A "no" that ends everything: rejecting the step cancels the whole run, and nothing after it happens.

Run it, with the answers given beforehand:

    $ statecore run statecore.examples.cancellation --input staging --answers confirm
    $ statecore run statecore.examples.cancellation --input production --answers reject    # exits 1
"""

from __future__ import annotations

from statecore import OnReject, Step, StepInput, Workflow


def build(step_input: StepInput) -> str:
    """The name of what was built."""
    return f"release-1.4 for {step_input.input}"


def deploy(step_input: StepInput) -> str:
    """The deployed version."""
    return f"deployed {step_input.previous_step_content}"


def announce(step_input: StepInput) -> str:
    """The announcement."""
    return f"announced: {step_input.previous_step_content}"


workflow: Workflow = Workflow(
    "deployment",
    [
        build,
        Step(
            "deploy",
            deploy,
            requires_confirmation=True,
            confirmation_message="Deploy now?",
            on_reject=OnReject.cancel,
        ),
        announce,
    ],
)
