"""The executable model: programs, events and states of the core as the numbers that `driver.ml` reads and prints."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from statecore.core import Advanced, Event, Node, Program
from statecore.core.state import Cursor, Ending, Frame, Gather, Marks, Move, Source

from .tables import GUARDS, MACHINES, PHASES, TRIGGERS

KINDS = ["step", "condition", "loop", "router", "parallel", "steps", "workflow", "run"]
ROOM = 16_384
"""Bytes that are written before the answers are read: less than a pipe holds, or each side would wait for the other."""


class Numbers:
    """One program: an address is its place among all, sorted."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.order = sorted(program.nodes)
        self.of = {at: number for number, at in enumerate(self.order)}

    # -- in ------------------------------------------------------------------------------------------------------------------------

    def line(self) -> str:
        """The program as the driver reads it."""
        out = ["program", self.of[self.program.first], len(self.order)]
        for at in self.order:
            out += self.node(self.program.nodes[at])
        return " ".join(map(str, out))

    def node(self, node: Node) -> list[int]:
        """A node; the machine of the run itself is never read."""
        limits, facts = node.limits, sorted(node.facts)
        out = [KINDS.index(node.kind), 0 if node.kind == "run" else MACHINES.index(node.machine)]
        out += [
            self.of[node.parent],
            self.of[node.next],
            self.of[node.leaves],
            int(node.transparent),
            node.depth,
            node.at.count("/"),
            node.index,
        ]
        out += [limits.retries, limits.reviews, limits.iterations, int(limits.forwards)]
        out += [-1 if limits.concurrency is None else limits.concurrency, int(limits.timeout is not None), limits.asks]
        out += [len(facts), *map(GUARDS.index, facts), len(node.exits)]
        for key, to in node.exits.items():  # the children of a Router or Parallel have names in place of triggers
            out += [0 if node.kind in {"router", "parallel"} else TRIGGERS.index(key), self.of[to]]
        return out

    def ask(self, before: int, place: int, events: Sequence[Event]) -> str:
        """Events in a state, as the driver reads them."""
        out: list[object] = ["from", before, "to", place, len(events)]
        for event in events:
            out += [TRIGGERS.index(event.trigger), self.of[event.at], len(event.turn), *event.turn, event.attempt]
            out += [len(event.choices), *(self.of[choice] for choice in event.choices), event.number]
        return " ".join(map(str, out))

    # -- out -----------------------------------------------------------------------------------------------------------------------

    def advanced(self, found: Advanced) -> list[Any]:
        """A state and its moves as the driver prints them."""
        state = found.state
        return [
            PHASES.index(state.run),
            [self.cursor(each) for each in state.cursors],
            self.source(state.result),
            [self.frame(each) for each in state.frames],
            [self.ending(each) for each in state.endings],
            [self.move(each) for each in found.moves],
        ]

    def source(self, source: Source | None) -> list[Any] | None:
        """A reference to an output; of a Parallel one for each branch."""
        if source is None:
            return None
        if isinstance(source, Gather):
            return ["g", [[name, self.source(each)] for name, each in source.branches]]
        return ["r", self.of[source.at], list(source.turn), source.attempt]

    def marks(self, marks: Marks) -> list[Any]:
        """A cursor's marks; of a deadline only whether there is one."""
        counts = [marks.interrupts, marks.retries, marks.reruns, marks.reviews]
        rest = [marks.stopping, marks.due is not None, marks.asked, list(marks.open)]
        return [*counts, self.source(marks.output), self.source(marks.rejected), *rest]

    def cursor(self, each: Cursor) -> list[Any]:
        """A cursor."""
        place = [self.of[each.at], PHASES.index(each.phase), list(each.turn), each.attempt]
        return [*place, self.source(each.prev), self.source(each.last), self.marks(each.marks)]

    def frame(self, each: Frame) -> list[Any]:
        """A frame."""
        place = [self.of[each.at], list(each.turn), self.source(each.prev), self.source(each.last), each.attempt]
        done = [[self.of[at], self.source(source)] for at, source in each.done]
        return [*place, self.marks(each.marks), [self.of[at] for at in each.rest], done]

    def ending(self, each: Ending) -> list[Any]:
        """An ending."""
        place = [self.of[each.unit], self.of[each.at], list(each.turn), TRIGGERS.index(each.how)]
        return [*place, self.source(each.prev), self.source(each.last)]

    def move(self, each: Move) -> list[Any]:
        """A move, without its body."""
        place = [MACHINES.index(each.machine), self.of[each.at], list(each.turn), each.attempt]
        row = [PHASES.index(each.source), TRIGGERS.index(each.trigger), PHASES.index(each.dest)]
        return [*place, *row, self.source(each.hands_on)]

    def named(self, value: Any) -> Any:
        """An answer of the driver, with a Parallel's branches by name."""
        if not isinstance(value, list):
            return value
        if value[:1] == ["g"]:
            return ["g", [[self.program.nodes[self.order[at]].name, self.named(source)] for at, source in value[1]]]
        return [self.named(each) for each in value]


class Model:
    """The model as a process; it keeps the states of one program at a time."""

    def __init__(self, driver: Path) -> None:
        self.process = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.numbers: Numbers | None = None

    def __enter__(self) -> Self:
        """The process as it is."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the process."""
        self.process.communicate()

    def take(self, program: Program) -> bool:
        """Turn to a program, in its beginning (state 0); whether the checker accepts it."""
        self.numbers = Numbers(program)
        (said,) = self.say([self.numbers.line()])
        return said == "accepted"

    def answers(self, asked: Sequence[tuple[int, int, Sequence[Event]]]) -> list[Any]:
        """For each state, place and events: state and moves as `Numbers.advanced` gives them, or None for a refusal."""
        assert self.numbers is not None
        said = self.say([self.numbers.ask(*each) for each in asked])
        return [None if each == "refused" else self.numbers.named(json.loads(each)) for each in said]

    def say(self, lines: Sequence[str]) -> list[str]:
        """One answer a line, in order. Raises EOFError where the process has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        answers: list[str] = []
        waiting = 0
        for number, line in enumerate(lines, 1):
            self.process.stdin.write(line + "\n")
            waiting += len(line) + 1
            if waiting > ROOM or number == len(lines):
                self.process.stdin.flush()
                answers += [self.process.stdout.readline().rstrip("\n") for _ in range(number - len(answers))]
                waiting = 0
        if not all(answers):
            message = "the model's process has ended"
            raise EOFError(message)
        return answers
