"""Random pairs of definitions, and a judge that knows nothing of adoption: it lets the core play both from the same state.

A definition is a tree of plain records; a change is an edit of the tree. The judge finds what stands behind a gate by playing a program
from a state in every way there is, and once more without a yes at that gate.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from attrs import define, field, frozen

from statecore.check.symmetry import canonical
from statecore.check.world import World
from statecore.core import BEGINNING, START, Compiled, Event, Program, State, advance, asks, calls, compile_definition
from statecore.core.evidence import means_the_same
from statecore.definition import Component, Condition, Definition, Loop, Parallel, Router, Step, Steps
from statecore.lifecycles import words as w

MOST = 300
"""So many situations are played of a program; a pair with more is left out."""
YES = frozenset({w.confirm, w.give, w.select, w.edit})
QUESTIONS = frozenset({w.awaiting_confirmation, w.awaiting_input, w.awaiting_route, w.awaiting_review})


def code(_given: object) -> bool:
    """Stand for user code, which the core never calls."""
    raise AssertionError


@define
class Tree:
    """A component: its kind, name, settings, and what is inside; a Condition has an else branch."""

    kind: str
    name: str
    settings: dict[str, Any] = field(factory=dict)
    inside: list[Tree] = field(factory=list)
    other: list[Tree] = field(factory=list)

    def made(self, does: Callable[[Tree], Callable[..., Any]] = lambda _: code) -> Component:
        """The component; `does` gives it its user code."""
        inside, settings = [each.made(does) for each in self.inside], self.settings
        match self.kind:
            case "step":
                return Step(self.name, does(self), **settings)
            case "condition":
                evaluator: Any = {} if settings.get("requires_confirmation") else {"evaluator": does(self)}
                return Condition(self.name, inside, [each.made(does) for each in self.other], **evaluator, **settings)
            case "loop":
                return Loop(self.name, inside, max_iterations=2, **settings)
            case "router":
                selector: Any = {} if settings.get("requires_user_input") else {"selector": does(self)}
                return Router(self.name, inside, **selector, **settings)
            case "parallel":
                return Parallel(*inside, name=self.name, **settings)
            case _:
                return Steps(self.name, inside, **settings)

    def lists(self) -> list[list[Tree]]:
        """Every list of components in it."""
        return [
            self.inside,
            *([self.other] if self.kind == "condition" else []),
            *(x for c in [*self.inside, *self.other] for x in c.lists()),
        ]


def compiled(tree: Tree) -> Compiled:
    """The program of a whole tree."""
    return compile_definition(Definition("flow", tuple(each.made() for each in tree.inside)))


# -- drawing -----------------------------------------------------------------------------------------------------------------------


@define
class Drawn:
    """What is drawn with one source of chance; names are given once."""

    random: Random
    given: int = 0

    def tree(self) -> Tree:
        """A workflow, at most three components deep."""
        return Tree("steps", "flow", {}, self.list(3, self.random.randint(2, 4)))

    def list(self, depth: int, length: int) -> list[Tree]:
        """Some components."""
        return [self.component(depth) for _ in range(length)]

    def component(self, depth: int) -> Tree:
        """A component: mostly a step."""
        kinds = ["step"] * 5 if depth > 1 else ["step"]
        kinds += ["steps", "condition", "loop", "router", "parallel", "parallel"] if depth > 1 else []
        kind = self.random.choice(kinds)
        self.given += 1
        made = Tree(kind, f"{kind[0]}{self.given}")
        if kind != "step":
            made.inside = self.list(depth - 1, self.random.randint(1, 2) + (kind == "parallel"))
            made.other = self.list(depth - 1, self.random.randint(0, 1)) if kind == "condition" else []
        made.settings = self.settings(kind)
        return made

    def settings(self, kind: str) -> dict[str, Any]:
        """A gate for every other component, with what a no leads to; errors and reviews now and then."""
        drawn: dict[str, Any] = {}
        if self.random.random() < 0.5:
            drawn |= {"requires_confirmation": True, "on_reject": self.random.choice(["skip", "cancel", "cancel"])}
        if kind == "router" and self.random.random() < 0.5:
            drawn["requires_user_input"] = True
        if kind == "step" and self.random.random() < 0.2:
            drawn["requires_output_review"] = True
            drawn.setdefault("on_reject", "cancel")
        if kind == "step" and self.random.random() < 0.2:
            drawn["on_error"] = self.random.choice(["skip", "pause"])
        return drawn


def changed(drawn: Drawn, tree: Tree) -> Tree:
    """The tree after one to three edits: insert, remove, rename, move, weaken, strengthen, reorder."""
    other = deepcopy(tree)
    for _ in range(drawn.random.randint(1, 3)):
        drawn.random.choice(EDITS)(drawn, other)
    return other


def some(drawn: Drawn, tree: Tree) -> tuple[list[Tree], int]:
    """A list with something in it, and a place in it."""
    held = drawn.random.choice([each for each in tree.lists() if each])
    return held, drawn.random.randrange(len(held))


def insert(drawn: Drawn, tree: Tree) -> None:
    """A new component somewhere."""
    held, at = some(drawn, tree)
    held.insert(at + drawn.random.randint(0, 1), drawn.component(2))


def remove(drawn: Drawn, tree: Tree) -> None:
    """A component less, where its list keeps one."""
    held, at = some(drawn, tree)
    if len(held) > 1:
        del held[at]


def rename(drawn: Drawn, tree: Tree) -> None:
    """Another name."""
    held, at = some(drawn, tree)
    drawn.given += 1
    held[at].name = f"n{drawn.given}"


def move(drawn: Drawn, tree: Tree) -> None:
    """A component to another list, or to another place of its own."""
    held, at = some(drawn, tree)
    if len(held) > 1:
        moved = held.pop(at)
        inside = {id(each) for each in moved.lists()}
        free = [each for each in tree.lists() if each and id(each) not in inside]
        place = drawn.random.choice(free)
        place.insert(drawn.random.randint(0, len(place)), moved)


def reorder(drawn: Drawn, tree: Tree) -> None:
    """A list in another order."""
    drawn.random.shuffle(some(drawn, tree)[0])


def weaken(drawn: Drawn, tree: Tree) -> None:
    """A gate or a review less, or a no that skips."""
    held, at = some(drawn, tree)
    settings = held[at].settings
    lose = [name for name in ("requires_confirmation", "requires_output_review", "on_reject", "on_error") if name in settings]
    if lose:
        name = drawn.random.choice(lose)
        del settings[name]
    if (
        not settings.get("requires_confirmation")
        and not settings.get("requires_output_review")
        and not settings.get("requires_user_input")
    ):
        settings.pop("on_reject", None)


def strengthen(drawn: Drawn, tree: Tree) -> None:
    """A gate more, or a no that cancels."""
    held, at = some(drawn, tree)
    held[at].settings |= {"requires_confirmation": True, "on_reject": drawn.random.choice(["skip", "cancel"])}


EDITS: tuple[Callable[[Drawn, Tree], None], ...] = (insert, remove, rename, move, reorder, weaken, weaken, strengthen)


@frozen
class Pair:
    """Two definitions and a state of a run that follows the first; `passed` are the steps that it has ended outside of loops and routers."""

    old: Compiled
    new: Compiled
    state: State
    passed: frozenset[str]


def pair(seed: int) -> Pair:
    """A pair: a run of a random definition that was left somewhere, and the definition changed."""
    drawn = Drawn(Random(seed))  # noqa: S311  # to be repeatable
    tree = drawn.tree()
    old = compiled(tree)
    state, passed = played(drawn.random, old)
    return Pair(old, compiled(changed(drawn, tree)), state, passed)


def played(random: Random, old: Compiled) -> tuple[State, frozenset[str]]:
    """A state that is not the end, and the steps that have ended on the way to it."""
    world, program = World(old), old.program
    state, passed = advance(program, BEGINNING, START).state, frozenset[str]()
    for _ in range(random.randint(0, 8)):
        offered = world.events(state)
        likely = [each for each in offered if each.trigger in YES | {w.succeed, w.hold, w.choose}]
        event = random.choice(likely if likely and random.random() < 0.8 else offered)
        after = advance(program, state, event)
        if after.state.run in (w.completed, w.cancelled):
            break
        ended = {move.at for move in after.moves if move.machine == "step" and move.dest in (w.completed, w.skipped)}
        passed |= {program.nodes[at].name for at in ended if program.nodes[at].depth == 0}
        state = after.state
    return state, passed


# -- the judge ---------------------------------------------------------------------------------------------------------------------


class TooManyError(Exception):
    """A program has more situations than are played."""


@frozen
class Played:
    """What happens from a state: the steps that are called, by name, the questions that are asked, and ends that leave something open."""

    called: frozenset[str]
    asked: frozenset[tuple[str, str]]
    torn: bool


def play(compiled: Compiled, state: State, closed: tuple[str, str] | None = None, words: frozenset[str] = YES) -> Played:
    """Everything that may happen from a state; at a question that is `closed` (address, phase) none of these words is given."""
    program, world = compiled.program, World(compiled)
    called: set[str] = set()
    asked: set[tuple[str, str]] = set()
    torn, seen, todo = False, set(), [canonical(program, state)]
    while todo:
        now = todo.pop()
        if now in seen:
            continue
        seen.add(now)
        if len(seen) > MOST:
            raise TooManyError
        called |= {program.nodes[call.at].name for call in calls(program, now) if program.nodes[call.at].machine == "step"}
        phases = {(cursor.at, cursor.turn): cursor.phase for cursor in now.cursors}
        asked |= {(ask.at, phases[ask.at, ask.turn]) for ask in asks(program, now)}
        torn = torn or (now.run == w.completed and bool(now.frames or now.endings or now.cursors))
        events = [each for each in world.events(now) if not (each.trigger in words and is_at(phases, each, closed))]
        todo += [canonical(program, advance(program, now, each).state) for each in events]
    return Played(frozenset(called), frozenset(place for place in asked if place[1] in QUESTIONS), torn)


def is_at(phases: dict[Any, str], event: Event, closed: tuple[str, str] | None) -> bool:
    """Whether an event is a word to the closed question."""
    return (event.at, phases.get((event.at, event.turn), "")) == closed


def informed(drawn: Pair, gate: tuple[str, str]) -> bool:
    """Whether a no at a question is given to what the new definition asks: the run stands there, and a no leads elsewhere by now.

    Such a question is put again, whatever has been answered to it (GATE-7). Whether a word means the same is judged by itself, below.
    """
    stands = [ask for ask in asks(drawn.old.program, drawn.state) if ask.at == gate[0]]
    return any(not means_the_same(drawn.old.program, drawn.new.program, ask.at, ask.kind, "reject") for ask in stands)


def faults(drawn: Pair) -> list[str]:
    """What goes wrong where a run goes over to the new definition, judged by playing both. Raises `TooManyError`."""
    before, wrong = play(drawn.old, drawn.state), []
    try:
        after = play(drawn.new, drawn.state)
        for gate in sorted(before.asked):
            behind = before.called - play(drawn.old, drawn.state, gate).called
            words = YES | {w.reject} if behind and informed(drawn, gate) else YES
            bare = behind & play(drawn.new, drawn.state, gate, words).called if behind else frozenset()
            wrong += [f"{name} is called without a yes at {gate[0]}" for name in sorted(bare)]
    except (KeyError, ValueError, IndexError) as error:
        return [f"the core breaks: {type(error).__name__}"]
    if after.torn:
        wrong.append("the run completes with something left open")
    outside = {node.name for node in drawn.new.program.nodes.values() if node.depth == 0 and node.machine == "step"}
    wrong += [f"{name} is called again" for name in sorted(drawn.passed & after.called & outside)]
    if any(cursor.marks.stopping for cursor in drawn.state.cursors):
        return wrong  # what comes after a stop comes only by a rejection, and a stricter one may cancel
    steps = {node.name for node in drawn.new.program.nodes.values() if node.machine == "step"}
    wrong += [f"{name} is left out" for name in sorted((before.called & steps) - after.called)]
    return wrong


# -- what a word lets happen -------------------------------------------------------------------------------------------------------


def is_certain(compiled: Compiled, at: str, phase: str) -> bool:
    """Whether a question is put on every way to it."""
    spared = compiled.program.nodes[at].facts & {w.judges_output, w.tests_end}
    return phase in QUESTIONS and not (phase == w.awaiting_review and spared)


def moves_of(compiled: Compiled, state: State, word: str) -> frozenset[tuple[str, str, str, str]]:
    """The rows that may fire once the one open question is answered with a word, until the next certain questions. Raises `TooManyError`."""
    program, world = compiled.program, World(compiled)
    [_] = state.cursors
    first = [each for each in world.events(state) if each.trigger == word]
    found: set[tuple[str, str, str, str]] = set()
    todo, seen = [advance(program, state, each) for each in first], set()
    while todo:
        after = todo.pop()
        found |= {(move.at, move.source, move.trigger, move.dest) for move in after.moves if move.machine != "run"}
        now = canonical(program, after.state)
        if now in seen:
            continue
        seen.add(now)
        if len(seen) > MOST:
            raise TooManyError
        phases = {(each.at, each.turn): each.phase for each in now.cursors}
        open_to = [each for each in world.events(now) if not is_certain(compiled, each.at, phases.get((each.at, each.turn), ""))]
        todo += [advance(program, now, each) for each in open_to if now.run != w.failed]
    return frozenset(found)


def callable_now(compiled: Compiled, state: State) -> frozenset[str]:
    """The steps, by name, that answers to the open questions may lead to, up to the next certain questions. Raises `TooManyError`."""
    program, world = compiled.program, World(compiled)
    first = canonical(program, state)
    free = {(ask.at, ask.turn) for ask in asks(program, first)}
    called: set[str] = set()
    todo, seen = [first], set()
    while todo:
        now = todo.pop()
        if now in seen or now.run == w.failed:
            continue
        seen.add(now)
        if len(seen) > MOST:
            raise TooManyError
        called |= {program.nodes[call.at].name for call in calls(program, now) if program.nodes[call.at].machine == "step"}
        shut = {(each.at, each.turn) for each in now.cursors if is_certain(compiled, each.at, each.phase)} - free
        todo += [advance_to(program, now, each) for each in world.events(now) if (each.at, each.turn) not in shut]
    return frozenset(called)


def advance_to(program: Program, state: State, event: Event) -> State:
    """The situation after an event."""
    return canonical(program, advance(program, state, event).state)
