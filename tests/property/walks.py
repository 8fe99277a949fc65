"""A run of the reducer, answered step by step, and the same answers to the oracle: what the refinement tests share.

`walk` lets the reducer run a definition, answering what it owes by a script of numbers, and remembers each event with the states before
and after it; `refines` plays the same answers to `specs/model/oracle.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen

from specs.model.oracle import ANSWERS, WITH, Entry, Wait, answers_at, run
from statecore.core import (
    BEGINNING,
    CANCEL,
    REOPEN,
    START,
    Advanced,
    Call,
    Event,
    Move,
    OpenQuestion,
    State,
    Timer,
    advance,
    compile_definition,
    owed,
)
from statecore.core.program import below
from statecore.definition import Component, Definition, HumanReview, Parallel, Router

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statecore.core import Compiled, Program
    from statecore.core.owed import Owed

STOPS, CANCELS = 230, 245  # a number from here on says stop, or cancels the run: seldom, or few runs would get far
OVER = {"completed", "skipped", "cancelled"}


@frozen
class Stage:
    """One event of a walk: what was waited for, the word that answered it, and the states around it."""

    before: State
    wait: Wait
    word: str
    after: Advanced

    @property
    def event(self) -> Event:
        """The event that this answer is."""
        return said(self.wait, self.word)


@frozen
class Walk:
    """A run of the reducer from its start to its end."""

    definition: Definition
    program: Program = field(repr=False)
    components: dict[str, Component] = field(repr=False)
    begun: Advanced = field(repr=False)
    stages: list[Stage] = field(repr=False)
    words: list[str]

    @property
    def states(self) -> list[State]:
        """Every state that the run rested in."""
        return [self.begun.state, *(stage.after.state for stage in self.stages)]

    @property
    def moves(self) -> list[Move]:
        """Every move of a component, in order."""
        return of_components(self.begun) + [move for stage in self.stages for move in of_components(stage.after)]

    def around(self, at: str) -> list[str]:
        """The component at an address and those around it."""
        return [outer for outer in self.components if at == outer or at.startswith(f"{outer}/")]

    def review(self, at: str) -> HumanReview:
        """The review of a component."""
        return getattr(self.components[at], "human_review", HumanReview())


def waits(program: Program, state: State) -> list[Wait]:
    """What the reducer waits for in a state, in the oracle's words."""
    if state.run == "failed":
        return [Wait("resume", "failed", c.at, c.turn, c.attempt, plain(c.prev)) for c in state.cursors]
    prev = {(cursor.at, cursor.turn): plain(cursor.prev) for cursor in state.cursors}
    asked = {(cursor.at, cursor.turn): cursor.marks.asked for cursor in state.cursors}
    return [
        Wait(
            *sort_of(item),
            item.at,
            item.turn,
            item.attempt,
            prev[item.at, item.turn],
            isinstance(item, OpenQuestion) and item.due is not None,
            number_of(program, item, asked[item.at, item.turn]),
        )
        for item in owed(program, state)
    ]


def number_of(program: Program, item: Owed, asked: int) -> int:
    """The number of a question that code asks; of a step's call how many questions it may still ask."""
    if isinstance(item, OpenQuestion):
        return item.number or 0
    return program[item.at].limits.asks - asked if isinstance(item, Call) and item.kind == "execute" else 0


def sort_of(item: Owed) -> tuple[str, str]:
    """What is owed, and of which kind."""
    match item:
        case OpenQuestion():
            return "ask", item.kind
        case Call():
            return "call", item.kind
        case Timer():
            return "timer", "delay"


def plain(handed: object) -> Any:
    """What was handed on, as the oracle writes it: a reference is a tuple."""
    return handed


def choice(wait: Wait, answer: int, components: Mapping[str, Component] | None = None) -> str:
    """The word that a number stands for."""
    words = (answers_at(wait, components[wait.at]) if components else ANSWERS[wait.what, wait.kind]) + ("expire",) * wait.expires
    words += asking(wait)
    if answer >= CANCELS and wait.what != "resume":
        return "cancel"
    beside = any(isinstance(each, Parallel) and wait.at.startswith(f"{at}/") for at, each in (components or {}).items())
    if answer >= STOPS and "stop" in words and not beside:  # the oracle does not read a stop beside other branches
        return "stop"
    common = [word for word in words if word != "stop"]
    word = common[answer % len(common)]
    if word in {"select", "choose"} and components is not None:
        there = components[wait.at]
        assert isinstance(there, Router)
        last = len(there.choices) - 1
        word += (" 0", f" {last}", f" {last} 0" if last else " 0")[answer // len(common) % 3]
    return word


def asking(wait: Wait) -> tuple[str, ...]:
    """The words with which a call asks: for one question, and for all that it may ask."""
    return tuple(f"ask {count}" for count in sorted({1, wait.number}) if wait.what == "call" and 0 < count <= wait.number)


def said(wait: Wait, word: str, components: Mapping[str, Component] | None = None) -> Event:
    """A word as an event: the run's own words are said to the run, all others where they are waited for."""
    word, *numbers = word.split()
    chosen: tuple[str, ...] = ()
    if components and word != "ask":
        chosen = tuple(below(wait.at, components[wait.at].choices[int(n)].name) for n in numbers)  # type: ignore[union-attr]
    number = int(numbers[0]) if word == "ask" else wait.number if wait.what == "ask" else 0
    return {"cancel": CANCEL, "resume": REOPEN}.get(word) or Event(
        word, wait.at, wait.turn, wait.attempt, choices=chosen, number=number
    )


def told(wait: Wait, word: str, components: Mapping[str, Component] | None = None) -> tuple[Event, ...]:
    """A word as the events of one boundary: a cancellation may come with it."""
    event = said(wait, word.removesuffix(WITH), components)
    return (event, CANCEL) if word.endswith(WITH) else (event,)


def of_components(advanced: Advanced) -> list[Move]:
    """The moves of components, without those of the run."""
    return [move for move in advanced.moves if move.machine != "run"]


def walk(definition: Definition, script: list[int]) -> Walk:
    """Run a definition; where the script ends, the run goes forward, and it must come to an end."""
    compiled = compile_definition(definition)
    longest = len(script) + 200 * len(compiled.components)

    def choose(turn: int, open_waits: list[Wait]) -> tuple[Wait, str]:
        assert turn <= longest, "the run does not end"
        number = script[turn] if turn < len(script) else 0
        wait = open_waits[number % 7 % len(open_waits)]
        return wait, choice(wait, number, compiled.components)

    return follow(definition, compiled, choose)


def follow(
    definition: Definition,
    compiled: Compiled,
    choose: Callable[[int, list[Wait]], tuple[Wait, str] | None],
    reducer: Callable[..., Advanced] = advance,
) -> Walk:
    """Run a definition, each wait and its answer chosen by `choose`, until that gives None or the run is over."""
    begun = reducer(compiled.program, BEGINNING, START)
    stages: list[Stage] = []
    state = begun.state
    while open_waits := waits(compiled.program, state):
        chosen = choose(len(stages), open_waits)
        if chosen is None:
            break
        after = reducer(compiled.program, state, *told(*chosen, compiled.components))
        stages.append(Stage(state, *chosen, after))
        state = after.state
    words = [f"{stage.wait.at}: {stage.word}" for stage in stages]
    return Walk(definition, compiled.program, dict(compiled.components), begun, stages, words)


def refines(taken: Walk) -> None:
    """Play a walk to the oracle, and compare what it and the reducer wait for, and how they end."""
    oracle, record = run(taken.definition), over(of_components(taken.begun))
    answer = None
    for stage in taken.stages:
        open_waits = oracle.send(answer)  # type: ignore[arg-type]  # None starts a generator
        assert waits(taken.program, stage.before) == list(open_waits), stage.word
        whats = {wait.what for wait in open_waits}
        assert stage.before.run == ("failed" if "resume" in whats else "running" if whats & {"call", "timer"} else "paused")
        answer, record = (stage.wait, stage.word), record + over(of_components(stage.after))
    state = taken.states[-1]
    unanswered = waits(taken.program, state)
    if unanswered:
        assert unanswered == list(oracle.send(answer))  # type: ignore[arg-type]
        return
    with pytest.raises(StopIteration) as ended:
        oracle.send(answer)  # type: ignore[arg-type]
    end = ended.value.value
    assert (state.run, state.result, sorted(record, key=repr)) == (end.phase, end.result, sorted(end.record, key=repr))
    assert (state.cursors, state.frames, state.endings) == ((), (), ())


def over(moves: list[Move]) -> list[Entry]:
    """What became of the components that these moves ended."""
    return [Entry(move.at, move.turn, move.dest, plain(move.hands_on)) for move in moves if move.dest in OVER]
