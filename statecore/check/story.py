"""A found run and a report as texts: sentences and a diagram for people; JSON, SARIF and JUnit for programs.

The events of a run are replayed through the core, with real attempts, so that each sentence says what the event did there.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unicodedata import category

from attrs import frozen

from statecore.core import BEGINNING, ROOT, Advanced, Event, OpenQuestion, Program, State, advance
from statecore.core.owed import owed_at
from statecore.lifecycles import CALL_KINDS, TABLES, exhaustive
from statecore.lifecycles import words as w

from .wording import Finding, Report, Verdict
from .world import INTERNAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core import Program
    from statecore.core.owed import Owed

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
    w.ask: "{name} asks",
    w.answer: "a person answers {name}",
    w.edit: "a person edits the output of {name}",
    w.give: "a person gives the input of {name}",
    w.select: "a person chooses {route} for {name}",
    w.retry: "a person says retry to the error of {name}",
    w.amend: "a person gives {name} another input",
    w.provide: "a person gives the output of {name}",
    w.skip: "a person says skip to the error of {name}",
}
CALLED = {
    "execute": "{name}",
    "evaluate": "the evaluator of {name}",
    "select": "the selector of {name}",
    "test": "the end condition of {name}",
    "judge": "the review predicate of {name}",
}
exhaustive("check.story.CALLED", CALLED, CALL_KINDS)
exhaustive("check.story.SENTENCES", SENTENCES, {row.on for table in TABLES.values() for row in table.rows} - INTERNAL)
VERSION = 1
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    Verdict.refuted: "error",
    Verdict.vacuous: "error",
    Verdict.undetermined: "none",
    Verdict.advice: "note",
    Verdict.proved: "none",
}
KINDS_OF_RESULT = dict.fromkeys(Verdict, "fail") | {Verdict.proved: "pass", Verdict.undetermined: "open"}
"""The word of SARIF for a verdict: an undecided one is open, and no failure; only a failure has a level (3.27.9, 3.27.10)."""
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@frozen
class Beat:
    """One event of a story: what had been owed there (None for the run itself), and what followed."""

    event: Event
    owed: Owed | None
    after: Advanced

    @property
    def by_person(self) -> bool:
        """Whether a person did it."""
        return isinstance(self.owed, OpenQuestion) and self.event.trigger != w.expire


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
    real = real._replace(number=cursor.marks.open[0] if cursor.marks.open else event.number)  # of several open ones all are alike
    return real, next(iter(owed_at(program, cursor)), None)


# -- in words --------------------------------------------------------------------------------------------------------------------


def sentence(program: Program, beat: Beat) -> str:
    """The event in words."""
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
    """The next acts of the engine: it asks, calls, or notes."""
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


# -- for programs ------------------------------------------------------------------------------------------------------------------


def document(report: Report, program: Program) -> dict[str, Any]:
    """A report as plain data."""
    return {
        "version": VERSION,
        "workflow": report.workflow,
        "fingerprint": program.fingerprint,
        "exit_code": report.exit_code,
        "complete": report.complete,
        "situations": report.situations,
        "events": report.events,
        "walked": report.walked,
        "seconds": round(report.seconds, 6),
        "drawing": round(report.drawing, 6),
        "walking": round(report.walking, 6),
        "bounds": list(report.bounds),
        "assumptions": list(report.assumptions),
        "findings": [finding_document(each, program) for each in report.findings],
    }


def finding_document(found: Finding, program: Program) -> dict[str, Any]:
    """One finding; the run that shows it as a list of what happened."""
    plain: dict[str, Any] = {"property": found.text, "verdict": found.verdict.value, "builtin": found.builtin}
    if found.why:
        plain["why"] = found.why
    if found.states:
        plain["walked"] = found.states
    if found.events and is_told(found, program):
        told = beats(program, found.events)
        plain["run"] = [
            {
                "event": beat.event.trigger,
                "at": beat.event.at,
                "turn": list(beat.event.turn),
                "attempt": beat.event.attempt,
                "by_person": beat.by_person,
                "said": sentence(program, beat),
                "became": consequences(program, beat),
            }
            for beat in told
        ]
        plain["phases"] = phases(program, told)
    return plain


def is_told(found: Finding, program: Program) -> bool:
    """Whether a run can be told to its end: the engine itself may have refused the last event."""
    try:
        beats(program, found.events)
    except Exception:  # noqa: BLE001  # that it raises is the finding
        return False
    return True


def lines_of(found: Finding, program: Program) -> list[str]:
    """A finding's reason and run, as lines."""
    why = [found.why] if found.why else []
    if not found.events:
        return why
    if is_told(found, program):
        return [*why, *story(program, found.events)]
    return [*why, *story(program, found.events[:-1]), f"     then: {found.events[-1].trigger} at {found.events[-1].at!r}"]


def sarif(report: Report, program: Program, where: str) -> dict[str, Any]:
    """A report as SARIF 2.1.0; `where` is the file or module of the workflow."""
    rules = [{"id": rule_of(each), "shortDescription": {"text": each.text}} for each in report.findings]
    results = [
        {
            "ruleId": rule_of(each),
            "ruleIndex": index,
            "kind": KINDS_OF_RESULT[each.verdict],
            "level": LEVELS[each.verdict],
            "message": {"text": "\n".join([f"{each.verdict.value}: {each.text}", *lines_of(each, program)])},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": where}}}],
        }
        for index, each in enumerate(report.findings)
    ]
    tool = {"driver": {"name": "statecore check", "rules": rules}}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": tool, "results": results}]}


def rule_of(found: Finding) -> str:
    """A name for a property that stays the same, and that no other property has."""
    said = "".join(letter if letter.isalnum() else "-" for letter in found.text).strip("-")
    return f"{said}-{sha256(found.text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def junit(report: Report, program: Program) -> str:
    """A report as JUnit XML: what is refuted or vacuous failed, what is undetermined is an error."""
    cases = "".join(case(report, each, program) for each in report.findings)
    failures = sum(each.fails(allow_vacuous=report.allow_vacuous) for each in report.findings)
    errors = sum(each.verdict is Verdict.undetermined for each in report.findings)
    counts = f'tests="{len(report.findings)}" failures="{failures}" errors="{errors}"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuite name={attribute(f"statecore check {report.workflow}")} {counts} time="{report.seconds:.6f}">\n'
        f"{cases}</testsuite>\n"
    )


def seen(text: str) -> str:
    """A text in which every sign can be seen: what XML forbids, and what would hide or turn a line round, is spelt as Python does."""
    return "".join(sign.encode("unicode_escape").decode("ascii") if category(sign) in UNSEEN else sign for sign in text)


def attribute(text: str) -> str:
    """A text as the value of an attribute, quotation marks included."""
    from xml.sax.saxutils import quoteattr  # noqa: PLC0415  # it loads what speaks HTTP; only who wants XML pays for it

    return quoteattr(seen(text))


def case(report: Report, found: Finding, program: Program) -> str:
    """One finding as a test case."""
    head = f'  <testcase classname={attribute(report.workflow)} name={attribute(found.text)} time="{found.seconds:.6f}"'
    tag = "error" if found.verdict is Verdict.undetermined else "failure"
    if tag == "failure" and not found.fails(allow_vacuous=report.allow_vacuous):
        return f"{head}/>\n"
    from xml.sax.saxutils import escape  # noqa: PLC0415  # as above

    said = escape("\n".join(map(seen, lines_of(found, program))))
    return f'{head}>\n    <{tag} message="{found.verdict.value}">{said}</{tag}>\n  </testcase>\n'
