"""A person sees an output before anything goes on: keeps it, rewrites it, or sends it back (a no) with what is to be better.

Run it, with the answers given beforehand:

    $ statecore run statecore.examples.output_review --input "the lamp" --answers confirm
    $ statecore run statecore.examples.output_review --input "the lamp" --answers "reject:shorter" --answers confirm
    $ statecore run statecore.examples.output_review --input "the lamp" --answers "edit:It ships today."
    $ statecore run statecore.examples.output_review --input "the lamp" --answers "reply=reject:longer"    # exits 1

The last one is rejected twice more than it may be, so the run is cancelled. From another process:

    $ statecore run statecore.examples.output_review --input "the lamp" < /dev/null    # exits 4
    $ statecore reject RUN --feedback shorter
    $ statecore resume statecore.examples.output_review < /dev/null    # exits 4
    $ statecore edit RUN reply --text "Tomorrow."
    $ statecore resume statecore.examples.output_review
"""

from __future__ import annotations

from statecore import OnReject, Step, StepInput, Workflow


def reply(step_input: StepInput) -> str:
    """A reply; with feedback, another version of the one that was rejected."""
    feedback = step_input.additional_data.get("rejection_feedback")
    if feedback == "shorter":
        return f"{step_input.additional_data['previous_output'].rpartition(',')[0]}."
    return f"Dear customer, {step_input.input} is on its way, and we apologise for the delay."


def send(step_input: StepInput) -> str:
    """The text that was sent."""
    return f"sent: {step_input.previous_step_content}"


workflow: Workflow = Workflow(
    "support",
    [
        Step(
            "reply",
            reply,
            requires_output_review=True,
            output_review_message="Send this reply?",
            on_reject=OnReject.retry,
            hitl_max_retries=2,
        ),
        send,
    ],
)
