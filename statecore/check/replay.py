"""A counterexample as a pytest file that proves itself: it replays the decisions on the real engine.

The file writes the workflow out again, every setting that decides something included, with stubs in place of its code; the stubs answer
as the story says. Nothing of the user's is imported, so the file stands for itself. The death of a process cannot be replayed in one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from statecore.core import DECISIONS, ROOT, Call, Compiled, Event, OpenQuestion
from statecore.core.program import below
from statecore.definition import Condition, Loop, Parallel, Router, Step, Steps
from statecore.definition.components import Component, Definition
from statecore.lifecycles import CALL_KINDS, COMPONENT_KINDS, KINDS, LEAVES, exhaustive
from statecore.lifecycles import words as w

from .graph import ENDS
from .story import Beat, beats, sentence

if TYPE_CHECKING:
    from statecore.core import Program
    from statecore.definition import HumanReview

LEFT_OUT = (
    "user_input_schema",
    "user_input_check",
    "confirmation_message",
    "user_input_message",
    "output_review_message",
    "iteration_review_message",
)
STATUS = {w.completed: "completed", w.cancelled: "cancelled", w.failed: "error"}
PERIOD = 4

IMPORTS = "\n".join(
    f"    {name},"
    for name in sorted({"HumanReview", "InMemoryDb", "RunStatus", "StepOutput", *(kind.title for kind in COMPONENT_KINDS)})
)
"""The imports of the file from the package."""

HEAD = '''"""{title}

{said}
"""

from collections import Counter

from attrs import evolve

from statecore import (
{names}
)

RUN = "counterexample"


class Planned(Exception):
    """What a stub raises where the story says that it fails."""


class Stubs:
    """Answers as the story says; what it says nothing of succeeds, says no, or ends its loop."""

    def __init__(self, planned):
        self.planned = {{key: list(answers) for key, answers in planned.items()}}
        self.begun = []
        self.now = 0

    def answer(self, kind, at, default):
        answers = self.planned.get((kind, at), [])
        found = answers.pop(0) if answers else default
        if found == "fail":
            raise Planned(at)
        return found

    def execute(self, at):
        def call(step_input):
            self.begun.append(at)
            return StepOutput(content=at, stop=self.answer("execute", at, "succeed") == "stop")

        return call

    def ask(self, kind, at, default):
        return lambda about: self.answer(kind, at, default)


def timed(flow, stubs):
    """The workflow at a time that the test sets."""
    flow.host = evolve(flow.host, clock=lambda: stubs.now)
    return flow


'''

TEST = '''def go(call):
    """Drive the run; an error that the story planned is part of it."""
    try:
        call()
    except Planned:
        pass


def test_counterexample():
    """The engine allows the run that refutes it."""
    stubs = Stubs(PLANNED)
    flow = workflow(stubs)
{acts}
    begun = {begun}
    assert not Counter(begun) - Counter(stubs.begun)
{more}'''


def is_replayable(events: Sequence[Event]) -> bool:
    """Whether a test can replay these events: a process that dies takes its test with it."""
    return all(event.trigger != w.interrupt for event in events)


def pytest_file(compiled: Compiled, definition: Definition, events: Sequence[Event], text: str) -> str:
    """The file that replays `events`, a run that refutes the property `text`."""
    told = beats(compiled.program, events)
    said = "\n".join(f"{number}. {sentence(compiled.program, beat)}" for number, beat in enumerate(told, 1))
    title = f"A run of {definition.name!r} that refutes: {text}"
    head = HEAD.format(title=plain(title), said=plain(said), names=IMPORTS)
    planned = "".join(f"    {key!r}: {answers!r},\n" for key, answers in plan(compiled.program, told).items())
    acts = "\n".join(f"    {act}" for beat in told for act in acts_of(compiled.program, beat))
    begun = [move.at for beat in told for move in beat.after.moves if move.machine in LEAVES and move.dest == w.running]
    more = assertions(told, begun, sequential=not any(KINDS[n.kind].holds == "branches" for n in compiled.program.nodes.values()))
    flow = f"def workflow(stubs):\n    return {written_root(definition)}\n\n\n"
    return f"{head}PLANNED = {{\n{planned}}}\n\n\n{flow}{TEST.format(acts=acts, begun=repr(begun), more=more)}"


def plain(text: str) -> str:
    """A text that can stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")


def assertions(told: list[Beat], begun: list[str], *, sequential: bool) -> str:
    """The other facts that are certain: the order of what began where nothing runs side by side, and the end where the story has one."""
    lines = []
    if sequential and begun:
        lines.append("    assert stubs.begun[: len(begun)] == begun\n")
    if told and (run := told[-1].after.state.run) in ENDS:
        lines.append(f"    assert flow.get_run_output(RUN).status == RunStatus.{STATUS[run]}\n")
    return "".join(lines)


# -- what happens ----------------------------------------------------------------------------------------------------------------


def plan(program: Program, told: list[Beat]) -> dict[tuple[str, str], list[object]]:
    """The answers of each stub, call by call."""
    planned: dict[tuple[str, str], list[object]] = {}
    for beat in told:
        if isinstance(beat.owed, Call):
            planned.setdefault((beat.owed.kind, beat.event.at), []).append(answer(program, beat.event, beat.owed.kind))
    return planned


NO: dict[str, object] = {"evaluate": False, "select": None, "test": False, "judge": False}
"""The answer of a stub that means no, by the kind of its call."""
exhaustive("check.replay.NO", NO, CALL_KINDS - {"execute"})


def answer(program: Program, event: Event, kind: str) -> object:
    """The answer of a stub with which its call ends in this event."""
    if event.trigger == w.choose:
        return names(program, event)
    if event.trigger == w.refute:
        return NO[kind]
    return {w.hold: True, w.ask: [w.ask] * event.number}.get(event.trigger, event.trigger)


def names(program: Program, event: Event) -> list[str]:
    """The names of a route."""
    exits = program.nodes[event.at].exits
    return [name for at in event.choices for name, where in exits.items() if where == at]


def acts_of(program: Program, beat: Beat) -> list[str]:
    """The lines that make an event happen; the ends of calls are the stubs' affair."""
    event, item = beat.event, beat.owed
    if event.at == ROOT:
        return [ROOT_ACTS[event.trigger]]
    if event.trigger == w.expire:
        return ["stubs.now += 10**15", "go(flow.tick)"]
    if not isinstance(item, OpenQuestion):
        return []
    word = next(word for word, trigger in DECISIONS[item.kind].items() if trigger == event.trigger)
    value = {
        w.select: f", value={names(program, event)!r}",
        w.give: ", value={}",
        w.edit: ', value="edited"',
        w.amend: ', value="amended"',
        w.provide: ', value="provided"',
        w.answer: ', value="answered"',
    }.get(event.trigger, "")
    return [f"flow.decide(RUN, {item.pause_id!r}, {word!r}{value})", "go(lambda: flow.continue_run(run_id=RUN))"]


ROOT_ACTS = {
    w.start: 'go(lambda: flow.run("", run_id=RUN))',
    w.cancel: "flow.cancel_run(RUN)",
    w.resume: "go(lambda: flow.continue_run(run_id=RUN, retry_failed=True))",
}


# -- the workflow, written out ---------------------------------------------------------------------------------------------------


def written_root(definition: Definition) -> str:
    """The root: a Workflow on a store in memory, at a time that the test sets."""
    limit = "" if definition.max_concurrency is None else f", max_concurrency={definition.max_concurrency}"
    steps = written_list(definition.steps, ROOT, 2)
    return f"timed(Workflow({definition.name!r}, {steps}, InMemoryDb(){limit}), stubs)"


def written_list(steps: Sequence[Component], prefix: str, depth: int) -> str:
    """A list of components, one a line."""
    pad = " " * PERIOD * depth
    inner = "".join(f"{pad}{written(step, below(prefix, step.name), depth)},\n" for step in steps)
    return f"[\n{inner}{' ' * PERIOD * (depth - 1)}]" if steps else "[]"


def written(component: Component, at: str, depth: int) -> str:
    """A component with every setting that decides something."""
    if isinstance(component, Definition):
        return f"Workflow({component.name!r}, {written_list(component.steps, at, depth + 1)})"
    parts = WRITTEN[type(component)](component, at, depth + 1)
    return f"{type(component).__name__}({', '.join([*parts, *written_review(component.human_review, at)])})"


def written_step(step: Step, at: str, depth: int) -> list[str]:
    """The work of a step: its stub, or the workflow in its place."""
    if step.workflow is not None:
        return [repr(step.name), f"workflow=Workflow({step.workflow.name!r}, {written_list(step.workflow.steps, at, depth)})"]
    return [
        repr(step.name),
        f"stubs.execute({at!r})",
        *([f"max_retries={step.max_retries}"] if step.max_retries else []),
        *([f"may_ask={step.may_ask}"] if step.may_ask else []),
    ]


def written_steps(group: Steps, at: str, depth: int) -> list[str]:
    """A group."""
    return [repr(group.name), written_list(group.steps, at, depth)]


def written_condition(fork: Condition, at: str, depth: int) -> list[str]:
    """A fork with both lists, and a stub that chooses where no person does."""
    then = written_list(fork.steps, below(at, "then"), depth)
    other = written_list(fork.else_steps, below(at, "else"), depth)
    chooses = [] if fork.human_review.requires_confirmation else [f'stubs.ask("evaluate", {at!r}, False)']
    return [repr(fork.name), then, other, *chooses]


def written_loop(loop: Loop, at: str, depth: int) -> list[str]:
    """A loop, with a stub that ends it where it has an end condition."""
    ends = [f'stubs.ask("test", {at!r}, True)'] if loop.end_condition is not None else []
    return [repr(loop.name), written_list(loop.steps, at, depth), str(loop.max_iterations), *ends]


def written_router(router: Router, at: str, depth: int) -> list[str]:
    """A router, with a stub that chooses where no person does."""
    chooses = [f'stubs.ask("select", {at!r}, None)'] if router.selector is not None else []
    return [repr(router.name), written_list(router.choices, at, depth), *chooses]


def written_parallel(parallel: Parallel, at: str, depth: int) -> list[str]:
    """Branches beside each other."""
    limit = [] if parallel.max_concurrency is None else [f"max_concurrency={parallel.max_concurrency}"]
    return [f"*{written_list(parallel.steps, at, depth)}", f"name={parallel.name!r}", *limit]


WRITTEN: dict[type, Callable[[Any, str, int], list[str]]] = {
    Step: written_step,
    Steps: written_steps,
    Condition: written_condition,
    Loop: written_loop,
    Router: written_router,
    Parallel: written_parallel,
}
exhaustive("check.replay.WRITTEN", (each.__name__ for each in WRITTEN), {kind.title for kind in COMPONENT_KINDS} - {"Workflow"})


def written_review(review: HumanReview, at: str) -> list[str]:
    """The settings of a review that decide something; messages and the fields of a form do not."""
    settings = {name: repr(value) for name, value in review.to_dict().items() if name not in LEFT_OUT}
    if callable(review.requires_output_review):
        settings["requires_output_review"] = f'stubs.ask("judge", {at!r}, False)'
    listed = ", ".join(f"{name}={value}" for name, value in settings.items())
    return [f"human_review=HumanReview({listed})"] if settings else []
