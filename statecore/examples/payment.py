"""A payment that two of finance and one of legal confirm, and not the person who asked for it; after a day the CFO is one of the two.

Each vote says what is still needed; a no of any of them cancels the run. The requester is refused, and the attempt is kept:

    $ statecore run statecore.examples.payment --input "1200 to ACME" --requester ada < /dev/null    # exits 4
    $ statecore confirm RUN pay --by ada --as-role finance    # exits 1
    $ statecore confirm RUN pay --by ann --as-role finance
    $ statecore confirm RUN pay --by cyd --as-role legal
    $ statecore show RUN
    $ statecore confirm RUN pay --by bob --as-role finance --comment "as ordered"
    $ statecore resume statecore.examples.payment RUN
    $ statecore audit RUN --csv
    $ statecore run statecore.examples.payment --input "90 to ACME" --requester ada < /dev/null    # exits 4
    $ statecore confirm RUN pay --by ann --as-role finance
    $ statecore confirm RUN pay --by cyd --as-role legal
    $ statecore confirm RUN pay --by dan --as-role cfo    # exits 1
    $ statecore confirm RUN pay --by dan --as-role cfo    # a day later
    $ statecore resume statecore.examples.payment RUN

`check` proves that the requester never confirms, and refutes that two of finance always do, by the run in which the CFO votes:

    $ statecore check statecore.examples.payment --property "never ran(pay) unless confirmed(pay) not by requester"
    $ statecore check statecore.examples.payment --property "never ran(pay) unless confirmed(pay) by 2 of finance"    # exits 1
"""

from __future__ import annotations

from datetime import timedelta

from statecore import Approval, Escalate, Step, StepInput, Workflow, requester

STAFF = {"ada": {"finance"}, "ann": {"finance"}, "bob": {"finance"}, "cyd": {"legal"}, "dan": {"cfo"}}
"""The roles of people: in your program, a question to the directory."""


def people(name: str) -> set[str]:
    """The roles of a person at this moment."""
    return STAFF.get(name, set())


def pay(step_input: StepInput) -> str:
    """The payment."""
    return f"paid {step_input.input}"


workflow: Workflow = Workflow(
    "payment",
    [
        Step(
            "pay",
            pay,
            requires_confirmation=True,
            on_reject="cancel",
            approval=Approval(
                2,
                of="role:finance",
                also=["role:legal"],
                exclude=requester,
                comment="on_reject",
                escalate=[Escalate(timedelta(hours=24), "role:cfo")],
            ),
        )
    ],
    people=people,
)
