"""The semantics of workflows: a pure reducer over a compiled program. No IO, no clock, no randomness, no threads, no user code.

Owns: the meaning of a run. `compile` turns the user's tree into a `Program` (`program`): nodes at symbolic addresses, with the facts
that their lifecycles' guards ask for. `reducer` has `advance(program, state, *events)`: it fires the row that an event asks for and
runs to completion, in a `draft` of the next `state`; `path` says how a cursor moves, `facts` what a guard asks of a cursor. `owed`
says what the world owes a state: calls of user code, answers of people, delays. `loop` ties them together as a generator of effects,
which drivers perform.

Two programs are compared without a run: `ways` reads from the tables where a run may go, `evidence` what a word of a question stands
for, `ahead` which gates stand before what is to come, and `adoption` whether a parked run may follow another program (`weaker` has the
orders of gates and policies).

`rule` is who may decide, as data, `ruled` takes it from the definition, and `authority` judges by it: who may vote, and what votes open.

A state holds references to outputs, never values; equal states are equal situations. So a run resumes in constant time from its state
alone, a crash needs no second code path, and a model checker can enumerate what a workflow can do.

May enter: lifecycles and errors; definitions in `compile` alone. Nothing else but attrs and pure parts of the standard library.

Start with `state`, then `reducer.advance`.
"""

from .compile import Compiled, compile_definition
from .loop import Commit, Effect, Next, Start, loop
from .owed import Call, OpenQuestion, Timer, answerable, asks, calls, owed, timers
from .program import ROOT, Address, Micros, Node, Program, Seconds, stored_program
from .reducer import advance
from .state import (
    BEGINNING,
    CANCEL,
    DECISIONS,
    REOPEN,
    RULES_VERSION,
    START,
    Advanced,
    Cursor,
    Event,
    Frame,
    Gather,
    Move,
    Ref,
    Source,
    State,
)

__all__ = [
    "BEGINNING",
    "CANCEL",
    "DECISIONS",
    "REOPEN",
    "ROOT",
    "RULES_VERSION",
    "START",
    "Address",
    "Advanced",
    "Call",
    "Commit",
    "Compiled",
    "Cursor",
    "Effect",
    "Event",
    "Frame",
    "Gather",
    "Micros",
    "Move",
    "Next",
    "Node",
    "OpenQuestion",
    "Program",
    "Ref",
    "Seconds",
    "Source",
    "Start",
    "State",
    "Timer",
    "advance",
    "answerable",
    "asks",
    "calls",
    "compile_definition",
    "loop",
    "owed",
    "stored_program",
    "timers",
]
