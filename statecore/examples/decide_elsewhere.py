"""One process pauses and ends, another decides, a third goes on: all they share is a file.

The one that decides needs no code of the workflow. A no cancels the run: nothing is ordered.

    $ statecore run statecore.examples.decide_elsewhere --input 1200 --db orders.sqlite < /dev/null    # exits 4
    $ statecore pending --db orders.sqlite
    $ statecore resume statecore.examples.decide_elsewhere --db orders.sqlite < /dev/null    # exits 4
    $ statecore confirm RUN order --by ada --comment "within budget" --db orders.sqlite
    $ statecore resume statecore.examples.decide_elsewhere --db orders.sqlite
    $ statecore show RUN --db orders.sqlite
    $ statecore reject RUN order --by bob --db orders.sqlite    # exits 1
    $ statecore resume statecore.examples.decide_elsewhere RUN --db orders.sqlite    # exits 1

`RUN` is a run's id, or its beginning; `statecore runs` lists them. The last two are refused: a pause is decided once, and a run that has
ended does not go on.
"""

from __future__ import annotations

from statecore import Step, StepInput, Workflow


def quote(step_input: StepInput) -> dict[str, float]:
    """The price with tax."""
    net = float(step_input.input)
    return {"net": net, "gross": round(net * 1.2, 2)}


def order(step_input: StepInput) -> str:
    """The order. The key is the same on every attempt, so a shop that knows it takes the order once."""
    return f"ordered for {step_input.previous_step_content['gross']} with key {step_input.idempotency_key}"


workflow: Workflow = Workflow(
    "purchase",
    [quote, Step("order", order, requires_confirmation=True, confirmation_message="Order this?", on_reject="cancel")],
)
