"""What the world owes a run: a function of its state. It is the outbox, the inbox, the recovery plan and the checker's list of moves."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

from .program import Address, Program
from .state import Cursor, State, Turn

AskKind = Literal["confirmation", "error", "interrupted"]
CallKind = Literal["execute", "evaluate"]


@frozen
class Ask:
    """A person owes an answer."""

    kind: AskKind
    at: Address
    turn: Turn
    attempt: int

    @property
    def pause_id(self) -> str:
        """The pause's name within its run: derived, so that it is the same in every process and after every crash."""
        turn = "".join(f".{n}" for n in self.turn)
        return f"{self.at}:{self.kind}{turn}:{self.attempt}"


@frozen
class Call:
    """The world owes a result: user code is to be called, once."""

    kind: CallKind
    at: Address
    turn: Turn
    attempt: int


Owed: TypeAlias = Ask | Call
CALLS: dict[str, CallKind] = {w.running: "execute", w.evaluating: "evaluate"}


def owed(program: Program, state: State) -> tuple[Owed, ...]:
    """Everything that this state waits for, in order of address."""
    return tuple(item for cursor in state.cursors if (item := owed_at(program, cursor)) is not None)


def owed_at(program: Program, cursor: Cursor) -> Owed | None:
    """What one cursor waits for; None where its branch is over."""
    match TABLES[program.nodes[cursor.at].machine].owes.get(cursor.phase):
        case "call":
            return Call(CALLS[cursor.phase], cursor.at, cursor.turn, cursor.attempt)
        case "ask":
            return Ask(ask_kind(cursor), cursor.at, cursor.turn, cursor.attempt)
        case None:
            return None


def ask_kind(cursor: Cursor) -> AskKind:
    """Which question a cursor puts: before it ran, after it failed, or after its process died in it."""
    if cursor.phase == w.awaiting_confirmation:
        return "confirmation"
    return "interrupted" if cursor.interrupts else "error"


def asks(program: Program, state: State) -> tuple[Ask, ...]:
    """The questions that people owe an answer to."""
    return tuple(item for item in owed(program, state) if isinstance(item, Ask))


def calls(program: Program, state: State) -> tuple[Call, ...]:
    """The calls whose results are owed."""
    return tuple(item for item in owed(program, state) if isinstance(item, Call))
