"""A step asks for typed values: what does not fit the form is refused at once, and nothing is stored.

A no cancels the run: nothing is booked. Run it, with the values given beforehand, or pause and let somebody else give them:

    $ statecore run statecore.examples.user_input --input "train to Ghent" --answers 'book=input:{"amount": 42.5, "account": "travel"}'
    $ statecore run statecore.examples.user_input --input lunch < /dev/null    # exits 4
    $ statecore input RUN amount=12 account=cinema    # exits 2
    $ statecore input RUN book amount=12 account=food note="with the auditors"
    $ statecore resume statecore.examples.user_input
"""

from __future__ import annotations

from statecore import Step, StepInput, UserInputField, Workflow


def receipt(step_input: StepInput) -> str:
    """The subject of the receipt."""
    return f"receipt for {step_input.input}"


def book(step_input: StepInput) -> str:
    """The booking, with the values that a person gave."""
    values = step_input.additional_data["user_input"]
    note = f" ({values['note']})" if values["note"] else ""
    return f"{step_input.previous_step_content}: {values['amount']:.2f} on {values['account']}{note}"


workflow: Workflow = Workflow(
    "expenses",
    [
        receipt,
        Step(
            "book",
            book,
            requires_user_input=True,
            on_reject="cancel",
            user_input_message="How much, and on which account?",
            user_input_schema=[
                UserInputField("amount", "float", description="in euros"),
                UserInputField("account", allowed_values=["travel", "food", "office"]),
                UserInputField("note", required=False),
            ],
        ),
    ],
)
