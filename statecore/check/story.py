"""A run told as a story: who did what, and what became of each component. The events are replayed through the core, with real attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from statecore.core import BEGINNING, ROOT, Advanced, Ask, Event, Program, State, advance
from statecore.core.owed import owed_at
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core.owed import Owed


@frozen
class Beat:
    """One event of a story: what had been owed there (None for the run itself), and what followed."""

    event: Event
    owed: Owed | None
    after: Advanced

    @property
    def by_person(self) -> bool:
        """Whether a person did it."""
        return isinstance(self.owed, Ask) and self.event.trigger != w.expire


def beats(program: Program, events: Iterable[Event]) -> list[Beat]:
    """Events on canonical situations as a story: replayed from the beginning, each at the turn and attempt that it really has."""
    state, told = BEGINNING, []
    for event in events:
        real, item = located(program, state, event)
        after = advance(program, state, real)
        told.append(Beat(real, item, after))
        state = after.state
    return told


def located(program: Program, state: State, event: Event) -> tuple[Event, Owed | None]:
    """An event at the cursor that it speaks of: no two of a state stand at one address."""
    if event.at == ROOT:
        return event, None
    cursor = next(each for each in state.cursors if each.at == event.at)
    real = Event(event.trigger, event.at, cursor.turn, cursor.attempt, choices=event.choices)
    return real, owed_at(program, cursor)


# -- in words --------------------------------------------------------------------------------------------------------------------

RUN_SENTENCES = {w.start: "the run starts", w.cancel: "somebody cancels the run", w.resume: "somebody reopens the failed run"}
SENTENCES = {
    w.succeed: "{name} succeeds",
    w.stop: "{name} succeeds and says stop",
    w.fail: "{what} fails",
    w.interrupt: "the process dies in {what}",
    w.hold: "{what} says yes",
    w.refute: "{what} says no",
    w.choose: "{what} chooses {route}",
    w.wake: "the delay of {name} is over",
    w.expire: "the deadline of {name} passes",
    w.confirm: "a person confirms {name} ({kind})",
    w.reject: "a person rejects {name} ({kind})",
    w.edit: "a person edits the output of {name}",
    w.give: "a person gives the input of {name}",
    w.select: "a person chooses {route} for {name}",
    w.retry: "a person says retry to the error of {name}",
    w.skip: "a person says skip to the error of {name}",
}
CALLED = {
    "execute": "{name}",
    "evaluate": "the evaluator of {name}",
    "select": "the selector of {name}",
    "test": "the end condition of {name}",
    "judge": "the review predicate of {name}",
}


def sentence(program: Program, beat: Beat) -> str:
    """What happened."""
    event, item = beat.event, beat.owed
    if item is None:
        return RUN_SENTENCES[event.trigger]
    name = shown(program, event.at)
    kind = getattr(item, "kind", "")
    what = CALLED.get(kind, "{name}").format(name=name)
    route = ", then ".join(shown(program, at) for at in event.choices)
    return SENTENCES[event.trigger].format(name=name, what=what, kind=kind.replace("_", " "), route=route)


def shown(program: Program, at: str) -> str:
    """A component by its name, or by its address where others bear the name too."""
    name = program.nodes[at].name
    return name if len(program.named[name]) == 1 else at


def consequences(program: Program, beat: Beat) -> dict[str, str]:
    """The phase that each component came to, in order."""
    return {shown(program, m.at): m.dest for m in beat.after.moves if m.at != ROOT}


def phases(program: Program, told: list[Beat]) -> dict[str, str]:
    """The phase of each component at the end of a story, in the order of the definition; those that never began are pending."""
    last = {move.at: move.dest for beat in told for move in beat.after.moves}
    return {shown(program, at): last.get(at, w.pending) for at in program.nodes if at != ROOT}


def story(program: Program, events: Iterable[Event]) -> list[str]:
    """A run as numbered lines, and at the end the phase of everything that began."""
    told = beats(program, events)
    lines = []
    for number, beat in enumerate(told, 1):
        became = ", ".join(f"{name} {phase.replace('_', ' ')}" for name, phase in consequences(program, beat).items())
        lines.append(f"{number:>3}. {sentence(program, beat)}" + (f": {became}" if became else ""))
    run = told[-1].after.state.run if told else w.pending
    ended = [f"{name} {phase.replace('_', ' ')}" for name, phase in phases(program, told).items() if phase != w.pending]
    return [*lines, f"     then: the run is {run}; {', '.join(ended)}"]


def mermaid(program: Program, events: Iterable[Event]) -> str:
    """A run as a Mermaid sequence diagram between people, the engine and the workflow's code."""
    lines = ["sequenceDiagram", "  participant P as People", "  participant E as Engine", "  participant C as Code"]
    for beat in beats(program, events):
        said = quiet(sentence(program, beat))
        lines.append(f"  P->>E: {said}" if beat.by_person or beat.owed is None else f"  C-->>E: {said}")
        lines += arrows(program, beat)
    return "\n".join(lines) + "\n"


def arrows(program: Program, beat: Beat) -> list[str]:
    """What the engine does next: it asks, calls, or notes."""
    found = []
    for name, phase in consequences(program, beat).items():
        if phase.startswith("awaiting") or phase == w.errored_paused:
            found.append(f"  E-->>P: {quiet(name)} {phase.replace('_', ' ')}")
        elif phase in (w.running, w.evaluating, w.judging):
            found.append(f"  E->>C: {quiet(name)} {phase}")
        else:
            found.append(f"  Note over E: {quiet(name)} {phase}")
    return found


def quiet(text: str) -> str:
    """A text without the characters that Mermaid reads."""
    return "".join(f"#{ord(letter)};" if letter in "#;:<>{}\n" else letter for letter in text)
