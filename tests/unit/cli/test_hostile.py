"""Names that would break out where they could: through every diagram of a run, every command and every error, and back again."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specs.tools import errors
from statecore import Condition, Router, SqliteDb, Step, Workflow
from statecore.asking.text import LONGEST, UNPRINTABLE, clean
from statecore.cli import main
from statecore.cli.main import COMMANDS
from statecore.draw import draw_workflow, outcomes, to_dot, to_mermaid, to_svg, to_text
from tests.unit.draw.drawn_readers import HOSTILE, graph_of, read_dot, read_mermaid

LONG, LONG_ENOUGH = "x" * 200_000, 20_000
MANY = 100_000
"""Signs: more than a command ever has to print of a small workflow."""


def hostile_run(names):
    """A run in which each of these is the name of a step that is over, of a gate, of who decided, and of an error."""

    def fails(name):
        def broken(_step_input):
            raise type(name or "E", (ValueError,), {})(name)

        return broken

    steps = []
    for name in names:
        steps += [Step(name, print, requires_confirmation=True), Step(f"{name}!", fails(name), on_error="pause")]
    workflow = Workflow(names[0], steps)
    run = workflow.run()
    for name in names[:-1]:
        run.step_requirements[0].reject(by=name, comment=name)
        run = workflow.continue_run(run)
        run.error_requirements[0].skip(by=name)
        run = workflow.continue_run(run)
    run.step_requirements[0].reject(by=names[-1])
    return workflow.continue_run(run)


def reads_back(picture):
    """Mermaid and DOT hold the graph of a picture and nothing else."""
    title, *graph = read_mermaid(to_mermaid(picture))
    assert title == picture.title
    assert tuple(graph) == graph_of(picture)
    assert read_dot(to_dot(picture)) == graph_of(picture)


def test_a_run_of_hostile_names_reads_back():
    """Who decided and what failed are told in every format, and add no line, element, column or sign that cannot be seen."""
    names = [name for name in HOSTILE if name.strip()]
    picture = draw_workflow(*hostile_run(names)._drawn())
    assert sum(bool(node.told) for node in picture.nodes) > 2 * len(names)
    reads_back(picture)
    for text in (to_text(picture), outcomes(picture)):
        assert unseen(text) == ""
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in outcomes(picture).split("\n") if line} == {4}
    root = ET.fromstring(to_svg(picture))  # noqa: S314  # our own output
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert kinds <= {"svg", "style", "g", "title", "text", "polygon", "path", "ellipse", "polyline"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), min_size=1, max_size=2, unique=True))
@example(['"];', "\\"])
@settings(max_examples=25, deadline=None)
def test_no_name_in_a_run_breaks_out(names):
    """Any characters at all, as a name, as who decided and as an error, come back from Mermaid and DOT as they are shown."""
    names = [f"{number}{name}" for number, name in enumerate(names)]
    reads_back(draw_workflow(*hostile_run([name.replace("\0", "?") for name in names])._drawn()))


# -- commands ----------------------------------------------------------------------------------------------------------------------

FLOW = """
import json
from pathlib import Path
from statecore import Condition, Router, Step, UserInputField, Workflow

NAMES = json.loads(Path("names.json").read_text())
A, B = NAMES[0], NAMES[-1]

def fails(_):
    raise type(A, (OSError,), {})(A)

def work(_):
    return A

bad = Workflow(A, [
    *(Step(name, work) for name in NAMES),
    Step(A + "1", fails, on_error="pause"),
    Condition(A + "2", [Step(B, work)], [Step(A, work)], requires_confirmation=True, confirmation_message=A, timeout=3600),
    Step(A + "3", work, requires_user_input=True, user_input_message=A, user_input_schema=[UserInputField(A, description=A)]),
    Router(A + "4", [Step(A, work), Step(B, work)], requires_user_input=True, user_input_message=A),
    Step(A + "5", work, requires_output_review=True, on_reject="retry", output_review_message=A),
    Step(A + "6", work, requires_confirmation=True),
], session_id=A)
"""

DRAWN = [
    ["diagram", *what, "--format", style]
    for what in (["hostile_flow.py"], ["--run", "r"])
    for style in ("mermaid", "dot", "svg", "md", "tree")
]
CHECKED = [["check", "hostile_flow.py", "--format", style] for style in ("text", "json", "mermaid", "sarif", "junit", "pytest")]
LOOKS = [
    ["pending"],
    ["show", "r"],
    ["runs"],
    ["verify", "statecore.db"],
    ["doctor", "statecore.db", "--target", "hostile_flow.py"],
]
RESUME = ["resume", "hostile_flow.py", "r"]


def lines_of(name, other):
    """A run through every command, with a hostile name wherever one can be given."""
    by = ["--by", name, "--comment", name]
    return [
        ["run", "hostile_flow.py", "--run-id", "r", "--input", name],
        *(look for pair in LOOKS for look in (pair, [*pair, "--json"])),
        *DRAWN,
        ["retry", "r", *by, "--idempotency-key", "k"],
        [*RESUME, "--watch"],
        ["skip", "r", *by],
        RESUME,
        ["confirm", "r", f"{name}no such step"],
        ["confirm", "r", *by],
        ["confirm", "r", *by],
        ["reject", "r", *by],
        [*RESUME, "--watch", "--json"],
        ["input", "r", "--json-value", json.dumps({"wrong": 1}), *by],
        ["input", "r", "--json-value", json.dumps({name: name}), *by],
        RESUME,
        ["select", "r", "nothing", *by],
        ["select", "r", name, other, *by],
        RESUME,
        ["reject", "r", "--feedback", name, *by],
        RESUME,
        ["edit", "r", "--text", name, *by],
        ["provide", "r", "--text", name, *by],
        ["answer", "r", name, *by],
        ["withdraw", "r", *by],
        RESUME,
        *LOOKS,
        *DRAWN,
        ["tick", "hostile_flow.py"],
        ["worker", "hostile_flow.py", "--until-idle"],
        ["recover", "hostile_flow.py"],
        ["cancel", "r", "--by", name],
        ["show", "r"],
        ["show", name],
        RESUME,
        *CHECKED,
        ["check", "hostile_flow.py", "--property", f"never ran({name})"],
        ["check", "hostile_flow.py", "--against-store", "statecore.db"],
        ["export", "hostile_flow.py", "--tla", "--out", "tla"],
        ["run", f"hostile_flow.py:{name[:50]}"],
        ["backup", "statecore.db", "copy.db"],
        ["quarantine", "r"],
        ["quarantine", name],
        ["quarantine", "r", "--release"],
        ["audit", "--anchor"],
        ["archive", "r", "--to", "some.archive"],
        ["archive", name, "--to", name],
        ["show", "r", "--db", "some.archive"],
        ["erase", "r", "--step", name, "--by", name, "--reason", name],
        ["erase", "r", "--field", name, "--by", name],
        ["erase", "r", "--by", name, "--reason", name, "--json"],
        ["show", "r"],
        ["verify", "statecore.db"],
        ["purge", "--ended-before", name],
        ["purge", "--ended-before", "0d", "--workflow", name, "--by", name, "--plan"],
        ["purge", "--ended-before", "0d", "--by", name],
        ["compact", "statecore.db"],
        ["rotate", "statecore.db"],
        ["migrate", "statecore.db"],
    ]


def unseen(text):
    """The signs of an output that move a cursor, change direction or show nothing, but for line ends."""
    return "".join(sign for sign in text if sign != "\n" and unicodedata.category(sign) in UNPRINTABLE)


STEERING = [HOSTILE[6], HOSTILE[7]]
"""Names with signs that steer: as the first name each is the workflow's, its session's, its errors' and its people's."""

WHOLE = {"--json", "json", "sarif", "junit", "pytest"}
"""What programs read is not cut."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a workflow that reads its names from a file."""
    (tmp_path / "hostile_flow.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def formed(words, out):
    """What a program reads must be what it says it is."""
    if "--json" in words:
        assert [json.loads(line) for line in out.splitlines()]
    match words[-2:]:
        case ["--format", "json" | "sarif"]:
            assert json.loads(out)
        case ["--format", "junit" | "svg"]:
            assert ET.fromstring(out) is not None  # noqa: S314  # our own output
        case ["--format", "pytest"]:
            ast.parse(out)


@pytest.mark.parametrize("chosen", [*STEERING, "all"])
def test_hostile_names_go_through_every_command(folder, capsys, chosen):
    """No command prints a sign that steers a terminal, more than anybody reads, or a traceback; JSON, XML and Python stay what they are."""
    names = [name[:LONG_ENOUGH] for name in HOSTILE if name.strip()] if chosen == "all" else [chosen, "plain"]
    (folder / "names.json").write_text(json.dumps(names))
    lines = lines_of(names[0], names[-1])
    assert {line[0] for line in lines} == {command.name for command in COMMANDS} - {"demo", "inbox"}
    for words in lines:
        assert main(words) in (0, 1, 2, 4), words
        said = capsys.readouterr()
        shown = [word[:60] for word in words]
        assert unseen(said.out + said.err) == "", shown
        assert "Traceback" not in said.err, shown
        assert words[-1] in WHOLE or len(said.out) + len(said.err) < MANY, shown
        formed(words, said.out)


# -- errors ------------------------------------------------------------------------------------------------------------------------

GIVEN = {
    "str": "{}",
    "str | None": "{}",
    "Iterable[str]": ["{}", "{}"],
    "object": "{}",
    "int": 3,
    "bool": True,
    "Iterable[int]": (1, 2),
    "tuple[tuple[str, str], ...]": (("{}", "{}"),),
    "dict[str, Any]": {"{}": "{}"},
}


def raised(kind, name):
    """An error of this class about something of this name."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return kind(name)
    values = [GIVEN[each.annotation] for each in parameters]
    return kind(*(filled(value, name) for value in values))


def filled(value, name):
    """A value with the name where one belongs."""
    if value == "{}":
        return name
    if isinstance(value, dict):
        return {name: name}
    return type(value)(filled(each, name) for each in value) if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("kind", errors.classes(), ids=lambda kind: kind.__name__)
def test_no_error_text_breaks_out(kind):
    """Whatever an error speaks of, at a terminal it is one line of visible signs, of a length that can be read, and keeps its code."""
    for name in (*(name[:LONG_ENOUGH] for name in HOSTILE), LONG):
        said = clean(raised(kind, name))
        assert unseen(said) == ""
        assert "\n" not in said
        assert len(said) < 4 * LONGEST
        assert kind.code in said


def test_a_long_message_keeps_its_beginning_and_its_advice():
    """It is cut in the middle, where the name is."""
    said = clean(f"SC1 {LONG} was not found. Look again.")
    assert said.startswith("SC1 xxx")
    assert said.endswith("xxx was not found. Look again.")
    assert " [...] " in said


def test_hostile_names_are_stored_and_found_again(tmp_path):
    """Through a file and another process's eyes they are what they were."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    steps = [Step(name, print) for name in HOSTILE if name.strip()]
    gate = Condition(HOSTILE[0] + "?", steps, requires_confirmation=True)
    workflow = Workflow(HOSTILE[3], [gate, Router(HOSTILE[5], steps, requires_user_input=True)], db=db)
    run = workflow.run()
    run.step_requirements[0].confirm(by=HOSTILE[6])
    run = workflow.continue_run(run)
    [asked] = workflow.get_run_output(run.run_id).steps_requiring_route
    assert asked.available_choices == [step.name for step in steps]
    assert [each.step_name for each in run.step_results[0].steps] == [step.name for step in steps]
