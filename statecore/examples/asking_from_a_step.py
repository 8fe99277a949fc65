"""The code of a step asks a person: how much to refund, and, where it is a lot, whether that is meant.

The quote is made once: it is in the notes, and the call that asked is over. Run it, with the answers given beforehand, or pause and let
somebody else give them:

    $ statecore run statecore.examples.asking_from_a_step --input lamp --answers refund=answer:20
    $ statecore run statecore.examples.asking_from_a_step --input piano < /dev/null    # exits 4
    $ statecore answer RUN 25    # exits 2
    $ statecore answer RUN refund 30
    $ statecore resume statecore.examples.asking_from_a_step < /dev/null    # exits 4
    $ statecore answer RUN refund yes --by bob
    $ statecore resume statecore.examples.asking_from_a_step
"""

from __future__ import annotations

from statecore import Ask, Step, StepInput, Workflow

LARGE = 20


def quote(item: str) -> int:
    """The price of an item: a call that is dear, and is made once."""
    return 7 * len(item)


def refund(step_input: StepInput) -> Ask | str:
    """Ask what is not known yet, else refund."""
    answers = step_input.answers
    if not answers:
        price = quote(step_input.input)
        message = f"How much of {price} is refunded for the {step_input.input}?"
        return Ask(message, choices=[10, 20, 30], key="amount", notes={"price": price})
    amount = answers["amount"].value
    if amount > LARGE and answers.get("sure") is None:
        return Ask(f"{amount} is a lot. Sure?", kind="confirmation", key="sure")
    if amount > LARGE and not answers["sure"].value:
        return "nothing is refunded"
    return f"{amount} of {step_input.notes['price']} is refunded"


workflow: Workflow = Workflow("refunds", [Step("refund", refund, may_ask=2, on_reject="cancel")])
