"""An agent whose tool waits for a person: it wants to pay, a person approves the call, changes its amount, or says why not.

The agent stands for one of a framework, so that nothing is needed to run it; in its place stands your own, as
`Step("support", agent=openai_agents(agent))`. Run it, with the answer given beforehand, or pause and let somebody else answer:

    $ statecore run statecore.examples.tool_calls --input "order 7" --answers support=answer:yes
    $ statecore run statecore.examples.tool_calls --input "order 8" < /dev/null    # exits 4
    $ statecore answer RUN "no: it was sent back already" --by ada
    $ statecore resume statecore.examples.tool_calls
"""

from __future__ import annotations

from collections.abc import Sequence

from statecore import Step, Workflow
from statecore.agents import Asks, Done, Ruling, Task, ToolCall


class Support:
    """An agent that refunds 30 for what it is asked, and hears what became of its call."""

    name: str = "support"
    framework: str = "scripted"
    version: str = "1"

    def start(self, task: Task) -> Asks:
        """Want to call the tool; the saved state is all that the next process needs."""
        call = ToolCall("refund", {"for": task.text, "amount": 30}, id="call_1", words="The customer is right.", editable=True)
        return Asks([call], state={"for": task.text})

    def resume(self, state: dict[str, str], verdicts: Sequence[Ruling], task: Task) -> Done:  # noqa: ARG002  # the prompt is in the state
        """Call the tool as it was approved, or hear why not."""
        [verdict] = verdicts
        if not verdict.approved:
            return Done(f"nothing is refunded for {state['for']}: {verdict.words}")
        arguments = verdict.arguments or {"for": state["for"], "amount": 30}
        return Done(f"{arguments['amount']} is refunded for {arguments['for']}")


workflow: Workflow = Workflow("support", [Step("support", agent=Support())])
