"""A person chooses what runs, and in which order; a list among the choices is one choice.

A no skips the Router: nothing of it runs. Run it, with the choice made beforehand, or pause and let somebody else choose:

    $ statecore run statecore.examples.route_selection --input outage --answers "inform=select:website,email"
    $ statecore run statecore.examples.route_selection --input outage --answers reject
    $ statecore run statecore.examples.route_selection --input outage < /dev/null    # exits 4
    $ statecore select RUN fax    # exits 2
    $ statecore select RUN inform email telephone
    $ statecore resume statecore.examples.route_selection
"""

from __future__ import annotations

from statecore import Router, Step, StepInput, Steps, Workflow


def told(channel: str, step_input: StepInput) -> str:
    """The people whom the news has reached so far."""
    before = step_input.previous_step_content
    return f"{before}, {channel}" if before else channel


def email(step_input: StepInput) -> str:
    """Everybody with an address."""
    return told("email", step_input)


def website(step_input: StepInput) -> str:
    """Everybody who looks."""
    return told("website", step_input)


def find_numbers(step_input: StepInput) -> str:
    """The customers with a contract that says so."""
    return told("3 numbers", step_input)


def call(step_input: StepInput) -> str:
    """A call to each."""
    return told("calls", step_input)


def log(step_input: StepInput) -> str:
    """The record on file."""
    return f"{step_input.input}: {step_input.previous_step_content or 'nobody was informed'}"


workflow: Workflow = Workflow(
    "incident",
    [
        Router(
            "inform",
            [Step("email", email), Step("website", website), Steps("telephone", [find_numbers, call])],
            requires_user_input=True,
            allow_multiple_selections=True,
            user_input_message="How shall the customers hear of it?",
        ),
        log,
    ],
)
