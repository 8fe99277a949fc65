"""The test of any adapter of an agent framework: subclass `AdapterConformance`, and give it a case with a scripted agent."""

from __future__ import annotations

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from attrs import field, frozen

from statecore.codec import decode, encode
from statecore.definition.agents import OUTCOMES, Adapter, Asks, Done, Outcome, Ruling, Task, ToolCall, check_adapter, is_adapter

PROMPT, TOOL, ARGUMENTS, WORDS = "mail bob", "mail", {"to": "bob"}, "not to bob, please"


@frozen
class AdapterCase:
    """An adapter with a scripted agent, and the arguments of the calls that its tool has taken, in order.

    Asked `mail bob`, the agent calls the tool `mail` with `to="bob"`, and needs an approval for it. Its tool notes its arguments in `ran` and
    gives a text. The agent's last word has in it what came back to its model: the text of the tool, or the words of the rejection.
    """

    adapter: Adapter
    ran: list[dict[str, Any]] = field(factory=list)


class AdapterConformance:
    """The promises of an adapter, as tests of pytest; each makes a new case, as a new process would.

    Example: `class TestMine(AdapterConformance)` with the method `case`.
    """

    @abstractmethod
    def case(self) -> AdapterCase:
        """A new adapter with a new agent, which shares nothing with the one before."""

    def asked(self, case: AdapterCase) -> Asks:
        """The questions with which an agent begins, its state as a store gives it back."""
        found = brought(case.adapter.start(Task(PROMPT)))
        assert isinstance(found, Asks), f"start() gave {found!r}, and the tool needs an approval"
        return Asks(found.calls, decode(encode(found.state)))

    def resumed(self, asked: Asks, *verdicts: Ruling) -> tuple[AdapterCase, Outcome]:
        """A new case that goes on from the state of an old one."""
        case = self.case()
        return case, brought(case.adapter.resume(asked.state, verdicts, Task(PROMPT)))

    def test_it_names_itself_and_its_framework(self) -> None:
        """An adapter is known by `start` and `resume`, and names its framework with a version."""
        adapter = self.case().adapter
        assert is_adapter(adapter)
        check_adapter("the step", adapter)

    def test_a_call_is_asked_about_before_it_is_made(self) -> None:
        """The name and the arguments are data, and the tool has not run."""
        case = self.case()
        [call] = self.asked(case).calls
        assert isinstance(call, ToolCall)
        assert (call.name, dict(call.arguments), case.ran) == (TOOL, ARGUMENTS, [])

    def test_an_approved_call_is_made_once(self) -> None:
        """Another process goes on from the stored state: the tool runs once there, with the arguments that were shown."""
        asked = self.asked(self.case())
        case, found = self.resumed(asked, Ruling(id_of(asked), approved=True))
        assert isinstance(found, Done)
        assert case.ran == [ARGUMENTS]

    def test_a_rejection_reaches_the_model(self) -> None:
        """A rejected call is not made, and the person's words are what the model gets of it."""
        asked = self.asked(self.case())
        case, found = self.resumed(asked, Ruling(id_of(asked), approved=False, words=WORDS))
        assert isinstance(found, Done)
        assert (case.ran, WORDS in said(found.output)) == ([], True)

    def test_a_rejection_needs_no_words(self) -> None:
        """A rejection without words is one."""
        asked = self.asked(self.case())
        case, found = self.resumed(asked, Ruling(id_of(asked), approved=False))
        assert isinstance(found, Done)
        assert case.ran == []

    def test_other_arguments_are_those_of_the_call(self) -> None:
        """Where a call may be edited, the tool gets the arguments of the person, and no other."""
        asked = self.asked(self.case())
        [call] = asked.calls
        if not isinstance(call, ToolCall) or not call.editable:
            return
        case, _ = self.resumed(asked, Ruling(call.id, approved=True, arguments={"to": "carol"}))
        assert case.ran == [{"to": "carol"}]

    def test_a_state_is_a_value(self) -> None:
        """A state is not used up: the next process that reads it, after a crash, finds the same."""
        asked = self.asked(self.case())
        before = encode(asked.state)
        self.resumed(asked, Ruling(id_of(asked), approved=True))
        assert encode(asked.state) == before


def id_of(asked: Asks) -> str:
    """The id of the only call."""
    return asked.calls[0].id


def said(output: Any) -> str:
    """An output as text: its content, where it is a result."""
    return str(getattr(output, "content", output))


def brought(given: Any) -> Outcome:
    """The outcome that an adapter gave, brought to its end. Raises `AssertionError` for anything else."""
    if inspect.isawaitable(given):
        given = asyncio.run(waited(given))
    pieces: Sequence[Any] = list(given) if inspect.isgenerator(given) else [given]
    assert pieces, "the stream of the adapter has no outcome"
    found = pieces[-1]
    assert isinstance(found, OUTCOMES), f"an adapter gives Done, Asks or Failed, not {found!r}"
    return found


async def waited(given: Any) -> Any:
    """The value of a promise."""
    return await given
