"""A report for machines: JSON for whoever asks, SARIF for code scanning, JUnit for test reporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import category

from .story import beats, consequences, phases, sentence, story
from .verdicts import Finding, Report, Verdict

if TYPE_CHECKING:
    from statecore.core import Program

VERSION = 1
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Verdict.refuted: "error", Verdict.vacuous: "error", Verdict.undetermined: "warning", Verdict.proved: "none"}


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
            "kind": "pass" if each.verdict is Verdict.proved else "fail",
            "level": LEVELS[each.verdict],
            "message": {"text": "\n".join([f"{each.verdict.value}: {each.text}", *lines_of(each, program)])},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": where}}}],
        }
        for index, each in enumerate(report.findings)
    ]
    tool = {"driver": {"name": "statecore check", "rules": rules}}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": tool, "results": results}]}


def rule_of(found: Finding) -> str:
    """A name for a property that stays the same."""
    return "".join(letter if letter.isalnum() else "-" for letter in found.text).strip("-")


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


UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


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
