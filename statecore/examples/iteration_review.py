"""A loop that a person ends: after each iteration the result is shown, and a no says what the next one is to change.

Run it, with the answers given beforehand; `--answers` may be given several times, and each answers one review:

    $ statecore run statecore.examples.iteration_review --answers confirm
    $ statecore run statecore.examples.iteration_review --answers reject:lunch --answers reject:weather --answers confirm
    $ statecore run statecore.examples.iteration_review < /dev/null    # exits 4
    $ statecore reject RUN shorten --feedback weather
    $ statecore resume statecore.examples.iteration_review --answers confirm
"""

from __future__ import annotations

from statecore import Loop, OnReject, Step, StepInput, Workflow

MINUTES = "The budget was agreed. The weather was discussed. The lunch was praised. Ada takes over in May."


def minutes(step_input: StepInput) -> str:
    """The minutes of a meeting."""
    return step_input.input or MINUTES


def cut(step_input: StepInput) -> str:
    """The text without the sentences that mention what the reviewer wants gone."""
    text: str = step_input.previous_step_content
    unwanted = step_input.additional_data.get("rejection_feedback")
    if not unwanted:
        return text
    return " ".join(f"{sentence}." for sentence in text.rstrip(".").split(". ") if unwanted not in sentence)


def publish(step_input: StepInput) -> str:
    """The text that was published."""
    return f"published: {step_input.previous_step_content}"


workflow: Workflow = Workflow(
    "minutes",
    [
        minutes,
        Loop(
            "shorten",
            [Step("cut", cut)],
            max_iterations=5,
            forward_iteration_output=True,
            requires_iteration_review=True,
            iteration_review_message="Short enough? If not: which word is to go?",
            on_reject=OnReject.retry,
        ),
        publish,
    ],
)
