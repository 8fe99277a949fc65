"""A step that fails asks a person: run it again, or go on without it.

Run it, with the answer given beforehand; without one, and with nobody to ask, the run stays paused:

    $ statecore run statecore.examples.error_pause --input 20 --answers retry
    $ statecore run statecore.examples.error_pause --input 20 --answers skip
    $ statecore run statecore.examples.error_pause --input 20 < /dev/null    # exits 4
"""

from __future__ import annotations

from statecore import OnError, Step, StepInput, Workflow


class ExchangeClosed(ConnectionError):
    """The exchange gives no rate now."""


def rate(step_input: StepInput) -> float:
    """Today's rate of exchange; the exchange is closed to the first attempt."""
    if step_input.attempt == 0:
        message = "the exchange opens in a minute"
        raise ExchangeClosed(message)
    return 1.25


def invoice(step_input: StepInput) -> str:
    """The amount, converted where there is a rate."""
    amount, found = float(step_input.input), step_input.previous_step_content
    return f"{amount * found:.2f} dollars" if found is not None else f"{amount:.2f} euros, not converted"


workflow: Workflow = Workflow("invoice", [Step("rate", rate, on_error=OnError.pause), invoice])
