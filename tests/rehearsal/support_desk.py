"""A support desk, as users of the reference framework write one: media, custom events, streamed agents, and people at three places."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from statecore.db.in_memory import InMemoryDb
from statecore.run import RunContext
from statecore.run.workflow import CustomEvent
from statecore.workflow import HumanReview, OnError, OnReject, Router, Step, StepInput, StepOutput, Workflow
from statecore.workflow.types import UserInputField


@dataclass
class CustomerFound(CustomEvent):
    """A custom event of a step."""

    customer: str = ""
    tier: str = ""


@dataclass
class Chunk:
    """A chunk of a streamed answer."""

    content: str


class StreamingAgent:
    """A stand-in for an agent that streams its answer when it is asked to."""

    name = "answerer"

    def run(self, message: str, stream: bool = False, images: Any = None, **_: Any) -> Any:
        words = ["Dear", " customer,", f" about {message!r}", f" and {len(images or [])} picture(s)."]
        return self._chunks(words) if stream else Chunk("".join(words))

    @staticmethod
    def _chunks(words: list[str]) -> Iterator[Chunk]:
        for word in words:
            yield Chunk(word)


CUSTOMERS = {"ada": "gold", "eve": "basic"}
REFUNDS: list[tuple[str, int]] = []
MAIL = {"down": False}


async def look_up(step_input: StepInput) -> AsyncIterator[Any]:
    """An async generator: it tells a custom event, and ends with its output."""
    customer = str(step_input.additional_data["customer"])
    yield CustomerFound(customer=customer, tier=CUSTOMERS[customer])
    yield StepOutput(content=f"{customer} ({CUSTOMERS[customer]})")


def refund(step_input: StepInput, run_context: RunContext) -> StepOutput:
    """It is asked for an amount first, and pays it."""
    amount = int(step_input.additional_data["user_input"]["amount"])
    REFUNDS.append((str(step_input.input), amount))
    run_context.session_state["refunded"] = run_context.session_state.get("refunded", 0) + amount
    return StepOutput(content=f"refunded {amount}")


def replace(step_input: StepInput) -> str:
    """Another way to help."""
    return f"a new one for {step_input.input}"


def send(step_input: StepInput) -> str:
    """It fails while the mail server is away."""
    if MAIL["down"]:
        raise ConnectionError("no mail server")
    return f"sent: {step_input.previous_step_content}"


def build() -> Workflow:
    """The workflow."""
    return Workflow(
        name="support",
        db=InMemoryDb(),
        steps=[
            Step(name="look up", executor=look_up),
            Router(
                name="help",
                choices=[
                    Step(
                        name="refund",
                        executor=refund,
                        human_review=HumanReview(
                            requires_user_input=True,
                            user_input_message="How much?",
                            user_input_schema=[UserInputField(name="amount", field_type="int", required=True)],
                        ),
                    ),
                    Step(name="replace", executor=replace),
                ],
                human_review=HumanReview(requires_user_input=True, user_input_message="How do we help?"),
            ),
            Step(
                name="answer",
                agent=StreamingAgent(),
                human_review=HumanReview(
                    requires_output_review=True, output_review_message="Send this?", on_reject=OnReject.retry, max_retries=2
                ),
            ),
            Step(name="send", executor=send, human_review=HumanReview(on_error=OnError.pause)),
        ],
    )
