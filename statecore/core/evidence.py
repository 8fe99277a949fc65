"""Evidence: what each word of a question stands for, as data (GATE-5). It is the same as long as an answer means the same.

The *slice* of a word is the part of the program that the word leads to: a walk that goes on through everything that may ask, and ends at
the questions that are certain. A Loop goes round once; a branch of a Parallel goes on behind it, without its siblings. Retries, delays,
concurrency and deadlines are not in it, nor what lies behind the next certain question.

A stored program has no callables. Two slices are compared without them where one comes from a store: see `means_the_same`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.lifecycles import KINDS, TABLES
from statecore.lifecycles import words as w

from .owed import ASK_OF
from .state import DECISIONS
from .ways import Onward, Point, question_at, walk, ways

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from statecore.lifecycles import AskKind

    from .program import Address, Node, Program

PHASES: dict[AskKind, str] = {kind: phase for (_, phase), kind in ASK_OF.items()} | {"interrupted": w.errored_paused}
"""The phase in which a question of each kind is open."""


class Reached(NamedTuple):
    """A component on a slice. `edges` are the ways that the walk took: a trigger and an address, "" for the end of the run."""

    at: Address
    kind: str
    edges: tuple[tuple[str, Address], ...] = ()
    callable: str | None = None
    version: int | None = None
    facts: frozenset[str] = frozenset()
    iterations: int | None = None
    reviews: int | None = None
    seats: int | None = None


class WordSlice(NamedTuple):
    """The part of the program that a word leads to: `entries` are its ways out of the question, `stops` the questions at the end."""

    entries: tuple[tuple[str, Address], ...]
    components: tuple[Reached, ...]
    stops: frozenset[tuple[Address, str]] = frozenset()


def offered(node: Node, kind: AskKind) -> tuple[str, ...]:
    """The words that answer a question of this component, in the order of the words: those whose trigger has a row there."""
    rows = [row for row in TABLES[node.machine].rows if row.source == PHASES[kind]]
    heard = {row.on for row in rows if row.when not in w.OFFERED or row.when in node.facts}
    return tuple([word for word, trigger in DECISIONS[kind].items() if trigger in heard])


def slices(program: Program, at: Address, kind: AskKind) -> Mapping[str, WordSlice]:
    """The slice of each word of a question, and of `expire` where it has a deadline. They are made when first asked for, and kept."""
    known = program.slices.get((at, kind))
    if known is None:
        node, point = program.nodes[at], Point(at, PHASES[kind])
        words = {word: DECISIONS[kind][word] for word in offered(node, kind)} | (
            {w.expire: w.expire} if node.limits.timeout is not None else {}
        )
        out = ways(program, point)
        known = {word: reached(program, [way for way in out if way.trigger == trigger]) for word, trigger in words.items()}
        program.slices[at, kind] = known
    return known


def reached(program: Program, entries: Iterable[Onward]) -> WordSlice:
    """The slice behind some ways."""
    entered = tuple(entries)
    found = walk(program, [way.to for way in entered], lambda point: question_at(program, point) is not None)
    stops: set[tuple[Address, str]] = set()
    on_it: dict[Address, list[Point]] = {}
    for point in found:
        asked = question_at(program, point)
        if asked is not None:
            stops.add((point.at, kind_of(program.nodes[point.at], asked)))
        else:
            on_it.setdefault(point.at, []).append(point)
    components = [component(program.nodes[at], found, points) for at, points in sorted(on_it.items())]
    return WordSlice(edges(entered), tuple(components), frozenset(stops))


def kind_of(node: Node, phase: str) -> AskKind:
    """The kind of the question that a phase puts."""
    return ASK_OF[node.machine, phase]


def component(node: Node, found: Mapping[Point, tuple[Onward, ...]], points: Iterable[Point]) -> Reached:
    """A component on a slice, with its ways in the order of its table."""
    order = TABLES[node.machine].states
    taken = [way for point in sorted(points, key=lambda each: order.index(each.phase)) for way in found[point]]
    return Reached(
        node.at,
        node.kind,
        edges(taken),
        node.callable,
        node.version,
        node.facts,
        node.limits.iterations if KINDS[node.kind].holds == "iterations" else None,
        node.limits.reviews if w.review_retries in node.facts else None,
        node.rule.k if node.rule is not None else None,
    )


def edges(taken: Iterable[Onward]) -> tuple[tuple[str, Address], ...]:
    """Ways as pairs of a trigger and an address."""
    return tuple([(way.trigger, way.to.at) for way in taken])


def without_callables(what: WordSlice) -> WordSlice:
    """A slice as a stored program has it."""
    return what._replace(components=tuple([each._replace(callable=None) for each in what.components]))


def means_the_same(old: Program, new: Program, at: Address, kind: AskKind, word: str) -> bool:
    """Whether a word of a question leads to the same in two programs. The names of callables are not compared: a stored program has none."""
    before, now = slices(old, at, kind).get(word), slices(new, at, kind).get(word)
    if before is None or now is None:
        return before is now
    return without_callables(before) == without_callables(now)


def goes_on_the_same(old: Program, new: Program, point: Point) -> bool:
    """Whether a run that stands at a point goes on the same in two programs, up to the next certain questions. Callables are not compared."""
    return without_callables(reached(old, [Onward("", point)])) == without_callables(reached(new, [Onward("", point)]))
