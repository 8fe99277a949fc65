"""Two people are asked at the same time: neither waits for the other, and what one allowed goes on at once.

A no leaves out its own branch, and the other one goes on. Run it, with the answers given beforehand; or let each decide by a command of their own:

    $ statecore run statecore.examples.parallel_pauses --input "a new lathe" --answers confirm,confirm
    $ statecore run statecore.examples.parallel_pauses --input "a new lathe" --answers order=confirm,notice=reject
    $ statecore run statecore.examples.parallel_pauses --input "a new lathe" < /dev/null    # exits 4
    $ statecore confirm RUN    # exits 2
    $ statecore confirm RUN order --by finance
    $ statecore resume statecore.examples.parallel_pauses < /dev/null    # exits 4
    $ statecore reject RUN --by legal
    $ statecore resume statecore.examples.parallel_pauses
"""

from __future__ import annotations

from typing import Any

from statecore import Parallel, Step, StepInput, Workflow


def stock(step_input: StepInput) -> str:
    """The records at hand; they need no decision."""
    return f"nothing like {step_input.input} in stock"


def order(step_input: StepInput) -> str:
    """The order."""
    return f"{step_input.input} ordered"


def notice(step_input: StepInput) -> str:
    """The notice to the works council."""
    return f"notice of {step_input.input} sent"


def summary(step_input: StepInput) -> str:
    """The report; a rejected branch handed on nothing."""
    branches: dict[str, Any] = step_input.previous_step_content
    return "; ".join(f"{name}: {content or 'not done'}" for name, content in branches.items())


workflow: Workflow = Workflow(
    "purchase in parallel",
    [
        Parallel(
            Step("stock", stock),
            Step("order", order, requires_confirmation=True, confirmation_message="Finance: order it?"),
            Step("notice", notice, requires_confirmation=True, confirmation_message="Legal: send the notice?"),
            name="prepare",
        ),
        summary,
    ],
)
