"""The record of a kind of component, besides its lifecycle: every upper floor reads it instead of asking for a kind by its name.

A record stands beside the table of its component and has no behaviour. A floor that needs code for a kind has a table keyed by a part of this
record, and compares its keys with `exhaustive` when it is imported, so that a new component is missed nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from attrs import field, frozen

from . import words as w
from .decisions import AskKind, exhaustive
from .words import Table

CallKind = Literal["execute", "evaluate", "select", "test", "judge"]
"""The kinds of call of user code."""

Holds = Literal["nothing", "list", "fork", "iterations", "choices", "branches"]
"""The content of a component: so it is entered, closed and drawn.

nothing: it is a leaf, and makes an output of its own. list: one after another. fork: one of two lists. iterations: a list, again and again.
choices: those chosen, one after another. branches: all at once.
"""

HOLDING = frozenset(get_args(Holds)) - {"nothing"}
"""The ways to hold something."""


@frozen
class UserCode:
    """User code that is called in a phase: the kind of call, the setting of the component that has the code, what a picture says of it."""

    call: CallKind
    setting: str
    says: str = ""


JUDGE = UserCode("judge", "human_review.requires_output_review", "does a person have to see it?")
"""The predicate that says of an output whether a person reviews it; the same for each component that has one."""

CALL_KINDS = frozenset(get_args(CallKind))
"""The kinds of call, for tables that are keyed by them."""

ASKED_IN: dict[str, AskKind] = {
    w.awaiting_confirmation: "confirmation",
    w.awaiting_input: "user_input",
    w.awaiting_route: "route",
    w.awaiting_review: "output_review",
    w.awaiting_answer: "question",
    w.errored_paused: "error",
}
"""The question that a component puts in each phase that owes an answer; `Kind.review` says which one it puts in `awaiting_review`."""


@frozen(eq=False)
class Kind:
    """One kind of component. Two kinds may share a table.

    `name` is stored with each node, `title` is the class that a user writes. `calls` has the user code of each phase that owes a call, the first
    is its work. `review` is the kind of its review. `says` is what a picture writes on the arrow of a trigger out of a phase, where the trigger
    itself would say too little. A step that says stop ends the innermost component around it that `stops`. `lists` are the settings that have the
    components in it, each with the part of the address that it adds.
    """

    name: str
    table: Table
    title: str
    holds: Holds
    calls: Mapping[str, UserCode] = field(factory=dict)
    review: AskKind = "output_review"
    says: Mapping[tuple[str, str], str] = field(factory=dict)
    stops: bool = False
    lists: Mapping[str, str] = field(factory=lambda: {"steps": ""})

    def __attrs_post_init__(self) -> None:
        """Compare the record with its table. Raises `ValueError`."""
        exhaustive(f"the calls of the kind {self.name!r}", self.calls, self.phases("call"))
        exhaustive(f"the questions of the kind {self.name!r}", ASKED_IN.keys() & self.phases("ask"), self.phases("ask"))

    def phases(self, owes: str) -> list[str]:
        """The phases in which the world owes this."""
        return [phase for phase, owed in self.table.owes.items() if owed == owes]

    def asks(self, phase: str) -> AskKind:
        """The kind of question that it puts in a phase that owes an answer."""
        return self.review if phase == w.awaiting_review else ASKED_IN[phase]

    def setting(self, call: CallKind) -> str:
        """The setting, as a path of attributes, that has the user code of a call."""
        return next(code.setting for code in self.calls.values() if code.call == call)

    @property
    def work(self) -> CallKind:
        """The kind of its first call; a component without a call counts as one that is executed."""
        return next((code.call for code in self.calls.values()), "execute")

    @property
    def is_leaf(self) -> bool:
        """Whether it holds nothing, and makes an output of its own."""
        return self.holds == "nothing"

    @property
    def numbers(self) -> bool:
        """Whether what is inside it is numbered: an iteration, or an attempt at choosing, is one more number of a turn."""
        return self.holds in ("iterations", "choices")

    @property
    def is_wide(self) -> bool:
        """Whether what is inside it stands side by side, each entered by its own name."""
        return self.holds in ("choices", "branches")
