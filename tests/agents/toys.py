"""A framework of nobody: agents that follow a plan, and their adapter."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from statecore import UserInputField
from statecore.agents import Asks, Done, Failed, InputCall, ToolCall
from statecore.testing import AdapterCase

MAIL = ToolCall("mail", {"to": "bob"}, "c1", words="bob should know", editable=True)


@define(slots=False)
class Toy:
    """An agent that asks about the calls of its plan, round by round; `ran` has the arguments of the calls that were made."""

    plan: list[list[Any]] = field(factory=lambda: [[MAIL]])
    ran: list[dict[str, Any]] = field(factory=list)
    fails: list[Any] = field(factory=list)
    name: str = "toy"
    framework: str = "toys"
    version: str = "1"

    def start(self, task):
        return self.next(0, [f"asked {task.text}"])

    def resume(self, state, verdicts, task):
        heard = list(state["heard"])
        for call, verdict in zip(self.plan[state["round"]], verdicts, strict=True):
            if isinstance(call, InputCall):
                heard.append(f"values {verdict.values}")
            elif verdict.approved:
                arguments = dict(verdict.arguments or call.arguments)
                self.ran.append(arguments)
                heard.append(f"{call.name} done for {arguments['to']}")
            else:
                heard.append(f"rejected: {verdict.words}")
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        return self.next(state["round"] + 1, heard)

    def next(self, number, heard):
        """Ask about the next round, or be done."""
        if number == len(self.plan):
            return Done("; ".join(heard))
        return Asks(self.plan[number], {"round": number, "heard": heard})


def two():
    """Two calls at once, the second of another agent."""
    return [MAIL, ToolCall("mail", {"to": "eve"}, "c2", agent="scribe")]


FORM = InputCall("Which account?", [UserInputField("account", "str"), UserInputField("amount", "int", value=3)], "c3")


def case():
    """A case of the suite."""
    toy = Toy()
    return AdapterCase(toy, toy.ran)


def broken(why: str):
    """A case of the suite with an adapter that breaks one promise."""
    toy = {"runs first": RunsFirst, "keeps it here": KeepsItHere, "loses words": LosesWords, "loses edits": LosesEdits}.get(
        why, Odd
    )()
    return AdapterCase(toy, toy.ran)


class RunsFirst(Toy):
    def start(self, task):
        self.ran.append({"to": "bob"})
        return super().start(task)


class KeepsItHere(Toy):
    def start(self, task):
        self.here = super().start(task)
        return Asks(self.here.calls, {})

    def resume(self, state, verdicts, task):
        return super().resume(self.here.state, verdicts, task)


class LosesWords(Toy):
    def resume(self, state, verdicts, task):
        return super().resume(state, [type(each)(each.id, each.approved, each.arguments) for each in verdicts], task)


class LosesEdits(Toy):
    def resume(self, state, verdicts, task):
        return super().resume(state, [type(each)(each.id, each.approved, None, each.words) for each in verdicts], task)


class Odd(Toy):
    def start(self, task):
        return {"done": True}


class Gives(Toy):
    """An adapter that gives one thing."""

    gives: Any = Failed("no line", "OFFLINE")

    def start(self, task):
        return self.gives
