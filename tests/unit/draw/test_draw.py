"""Pictures: what they show follows from tables and programs, and no name breaks out of any format."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from statecore.core import ROOT, Cursor, State, advance, compile_definition, owed
from statecore.core.state import START
from statecore.definition import Condition, Definition, Step, Steps
from statecore.draw import (
    Arrow,
    Box,
    Cluster,
    Past,
    Picture,
    draw_lifecycle,
    draw_workflow,
    ident,
    outcomes,
    place,
    shown,
    to_dot,
    to_markdown,
    to_mermaid,
    to_svg,
    to_text,
)
from statecore.draw import dot as svg
from statecore.draw.picture import LOOKS
from statecore.errors import DrawingFailed, MissingExtra
from statecore.lifecycles import TABLES, Row, Table
from tests.unit.draw.drawn_readers import HOSTILE, graph_of, read_dot, read_mermaid

# -- what a reader reads ---------------------------------------------------------------------------------------------------------------


def ways(picture):
    """The arrows of a picture in its own words."""
    names = {node.id: node.lines[0] for node in picture.nodes}
    return [(names[edge.source], ", ".join(edge.lines), names[edge.target]) for edge in picture.edges]


def says(picture, name):
    """The lines of the box with this first line."""
    return next(node.lines[1:] for node in picture.nodes if node.lines[0] == name)


# -- definitions ---------------------------------------------------------------------------------------------------------------------


def step(name, **settings):
    """A step that would print."""
    return Step(name, print, **settings)


def drawn(*steps, name="flow", **more):
    """The picture of a workflow of these steps."""
    return draw_workflow(compile_definition(Definition(name, steps)).program, **more)


def report():
    """A workflow with every kind of gate."""
    return (
        step("gather", on_error="pause"),
        Condition(
            "depth", [step("detailed")], [step("quick_summary")], requires_confirmation=True, confirmation_message="Go deep?"
        ),
        Steps("publication", [step("check", requires_confirmation=True, on_reject="cancel"), step("upload")], on_error="skip"),
        step("notify", requires_confirmation=True),
    )


@cache
def hostile():
    """A workflow whose every word is hostile: as step, gate, message and frame."""
    steps = [step(name, requires_confirmation=True, confirmation_message=name) for name in HOSTILE]
    frames = [Steps(name + "!", [step(name)], requires_confirmation=True) for name in HOSTILE]
    return drawn(*steps, *frames, Steps("G", [step(name) for name in HOSTILE]), name=HOSTILE[3])


# -- lifecycles ----------------------------------------------------------------------------------------------------------------------


LARGE = {name for name, table in TABLES.items() if len(table.rows) > 20}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_row_is_one_line_on_one_arrow(table):
    """A lifecycle's picture says each row once, between the row's two states; of a large one it leaves out `cancel` and the claims."""
    large, picture = table.name in LARGE, draw_lifecycle(table)
    assert large or all(row.claim for row in table.rows)
    names = {node.id: node.lines[0] for node in picture.nodes}
    lines = sorted((names[edge.source], names[edge.target], line) for edge in picture.edges for line in edge.lines)
    rows = [
        (
            row.source,
            row.dest,
            f"{row.on}{'' if row.when == 'always' else f' [{row.when}]'}{'' if large else f' · {row.claim}'}",
        )
        for row in table.rows
        if not (large and row.on == "cancel")
    ]
    assert lines == sorted(rows)


@pytest.mark.parametrize("name", sorted(LARGE))
def test_what_a_large_picture_leaves_out_is_alike_everywhere(name):
    """The rows that a large picture does not show all lead to `cancelled`, always, from what is open: one sentence says it."""
    table = TABLES[name]
    left_out = [row for row in table.rows if row.on == "cancel"]
    assert {(row.dest, row.when) for row in left_out} == {("cancelled", "always")}
    assert {row.source for row in left_out} == set(table.states) - table.final - {"pending", "failed"}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_no_arrow_crosses_a_large_picture_to_an_end(name):
    """In a large picture each end but the goal stands beside the one state that leads to it."""
    picture = draw_lifecycle(TABLES[name])
    ends = [node.id for node in picture.nodes if node.kind == "final" and "goal" not in node.marks]
    assert ends
    for end in ends:
        assert len([edge for edge in picture.edges if edge.target == end]) == 1


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_states_are_classed_by_what_is_owed_in_them(table):
    """Ends, debts of people and debts of code are told apart as the table says; every kind has a look."""
    kinds = {node.lines[0]: node.kind for node in draw_lifecycle(table).nodes}
    assert {state for state, kind in kinds.items() if kind == "final"} == table.final
    assert {state for state, kind in kinds.items() if kind == "asks"} == {s for s, owes in table.owes.items() if owes == "ask"}
    assert {state for state, kind in kinds.items() if kind == "calls"} == {s for s, owes in table.owes.items() if owes == "call"}
    assert {state for state, kind in kinds.items() if kind == "delays"} == {s for s, owes in table.owes.items() if owes == "timer"}
    assert kinds[table.initial] == "initial"
    assert set(kinds.values()) <= set(LOOKS)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_happy_path_leads_from_the_beginning_to_completed(table):
    """The thick arrows form one unbroken way from the initial state to `completed`."""
    happy = {edge.source: edge.target for edge in draw_lifecycle(table).edges if edge.kind == "happy"}
    at, met = table.initial, []
    while at in happy:
        met.append(at)
        at = happy[at]
    assert at == "completed"
    assert len(met) == len(happy)


def test_the_happy_path_turns_back_from_a_dead_end():
    """A first row that leads nowhere is not on the happy path, however early it stands."""
    rows = (Row("a", "go", "b", "always", "X"), Row("b", "go", "c", "always", "X"), Row("a", "leave", "completed", "always", "X"))
    picture = draw_lifecycle(Table("t", "a", rows, frozenset({"completed"})))
    assert [(edge.source, edge.target) for edge in picture.edges if edge.kind == "happy"] == [("a", "completed")]


def test_a_table_without_completed_aims_at_its_first_end():
    """Nothing hangs on the name of a state."""
    picture = draw_lifecycle(Table("t", "open", (Row("open", "shut", "closed", "always", "X"),), frozenset({"closed"})))
    assert [(node.id, node.kind, node.marks) for node in picture.nodes] == [
        ("open", "initial", ()),
        ("closed", "final", ("goal",)),
    ]
    assert picture.edges[0].kind == "happy"


def test_the_table_of_rows_has_every_column():
    """Markdown shows each row of a lifecycle in order, with its reason."""
    lines = to_markdown(TABLES["step"]).splitlines()
    assert lines[0] == "| from | on | to | when | claim | because |"
    assert len(lines) == 2 + len(TABLES["step"].rows)
    assert (
        lines[2]
        == "| pending | enter | awaiting_confirmation | needs_confirmation | CONF-1 | a person decides before anything runs |"
    )


# -- workflows -----------------------------------------------------------------------------------------------------------------------


def test_every_outcome_of_every_gate_is_an_arrow():
    """A reader sees where each answer leads: into the component, past it, to the other branch, to the end of the run."""
    assert ways(drawn(*report())) == [
        ("start", "", "gather"),
        ("gather", "", "depth?"),
        ("depth?", "confirm", "detailed"),
        ("depth?", "reject", "quick_summary"),
        ("detailed", "", "check?"),
        ("quick_summary", "", "check?"),
        ("check?", "confirm", "check"),
        ("check?", "reject", "cancelled"),
        ("check", "", "upload"),
        ("check", "error: skip", "notify?"),
        ("upload", "", "notify?"),
        ("notify?", "confirm", "notify"),
        ("notify?", "reject: skipped", "completed"),
        ("notify", "", "completed"),
    ]


def test_every_policy_is_written_in_the_box_it_governs():
    """Errors and interruptions are read where they happen, with the answers that a pause takes and the unit that a skip leaves."""
    picture = drawn(*report())
    assert says(picture, "gather") == ("error → pause: retry, provide, skip", "interrupt → pause: retry, provide, skip")
    assert says(picture, "upload") == ("error → skip (leaves publication)", "interrupt → retry")
    assert says(picture, "notify") == ("error → fail", "interrupt → retry")
    assert says(picture, "depth?") == ("awaiting confirmation", "“Go deep?”")


def test_gates_and_pausing_steps_stand_out():
    """What a person may be asked about has a kind or a mark of its own."""
    kinds = {node.lines[0]: (node.kind, node.marks) for node in drawn(*report()).nodes}
    assert {name for name, (kind, _) in kinds.items() if kind == "asks"} == {"depth?", "check?", "notify?"}
    assert {name for name, (_, marks) in kinds.items() if "pauses" in marks} == {"gather"}


def test_a_condition_decided_by_code_is_a_fork():
    """True leads into the steps, false into the others."""
    picture = drawn(Condition("long", [step("shorten")], [step("keep")], evaluator=bool), step("send"))
    assert ("long", "true", "shorten") in ways(picture)
    assert ("long", "false", "keep") in ways(picture)
    assert next(node.kind for node in picture.nodes if node.lines[0] == "long") == "forks"


def test_a_condition_without_else_leads_past_itself():
    """Where there is no other branch, false and a rejection skip the Condition."""
    picture = drawn(Condition("long", [step("shorten")], evaluator=bool), Condition("ask", [step("x")], requires_confirmation=True))
    assert ("long", "false: skipped", "ask?") in ways(picture)
    assert ("ask?", "reject: skipped", "completed") in ways(picture)


def test_a_component_without_children_is_seen():
    """An empty group is a box on the way, and an empty workflow a way from start to completed."""
    assert ways(drawn(Steps("g", []), step("a")))[:3] == [
        ("start", "", "g (empty)"),
        ("g (empty)", "", "a"),
        ("a", "", "completed"),
    ]
    assert ways(drawn()) == [("start", "", "completed")]
    assert ways(drawn(Steps("g", [], requires_confirmation=True), step("a")))[1:3] == [
        ("g?", "confirm", "a"),
        ("g?", "reject: skipped", "a"),
    ]


def test_composites_are_frames_around_their_own():
    """A component stands in the frame of the component that holds it, gates included."""
    picture = drawn(Steps("outer", [Steps("inner", [step("a")], requires_confirmation=True)]), step("b"))
    frames = {frame.id: (frame.lines, frame.parent) for frame in picture.clusters}
    assert frames == {"outer": (("Steps: outer",), None), "outer__inner": (("Steps: inner",), "outer")}
    held = {node.lines[0]: node.cluster for node in picture.nodes}
    assert (held["inner?"], held["a"], held["b"]) == ("outer__inner", "outer__inner", None)


def test_the_happy_path_of_a_workflow_says_yes():
    """The thick arrows lead from start to completed by confirming everything."""
    picture = drawn(*report())
    names = {node.id: node.lines[0] for node in picture.nodes}
    happy = [names[edge.target] for edge in picture.edges if edge.kind == "happy"]
    assert happy == ["gather", "depth?", "detailed", "check?", "check", "upload", "notify?", "notify", "completed"]


def test_every_address_of_a_program_is_in_its_picture():
    """Nothing that can run is left out: each address has a box or a frame, each call and gate that a run meets has a box."""
    program = compile_definition(Definition("flow", report())).program
    picture = draw_workflow(program)
    bearers = {node.id.split("___")[0] for node in picture.nodes} | {frame.id for frame in picture.clusters}
    assert {place(at) for at in program.nodes if at != ROOT} <= bearers


# -- a run on its workflow -------------------------------------------------------------------------------------------------------------


def marked(picture):
    """The marks of boxes and frames that have any from a run."""
    items: list[Box | Cluster] = [*picture.nodes, *picture.clusters]
    return {item.id: item.marks for item in items if set(item.marks) - {"goal", "pauses"}}


def test_what_a_run_waits_for_is_lit():
    """The box of what is owed is marked, and whether a person or a call is waited for; the graph stays the same."""
    program = compile_definition(Definition("flow", report())).program
    state = advance(program, State(), START).state
    assert [item.at for item in owed(program, state)] == ["gather"]
    picture = draw_workflow(program, state)
    assert marked(picture) == {"gather": ("pauses", "now", "runs")}
    assert graph_of(picture) == graph_of(draw_workflow(program))
    assert picture.name == draw_workflow(program).name
    gate = draw_workflow(program, State("paused", (Cursor("depth", "awaiting_confirmation"),)))
    assert marked(gate) == {"depth___awaiting_confirmation": ("now", "waits")}


def test_a_pause_after_an_error_lights_its_step():
    """An errored pause has no box of its own: the step that failed is lit, as one that waits for a person."""
    picture = drawn(*report(), state=State("paused", (Cursor("gather", "errored_paused"),)))
    assert marked(picture) == {"gather": ("pauses", "now", "waits")}


def test_what_is_over_is_marked_with_what_became_of_it():
    """Steps, gates and frames that are over bear their status; an address that is not there is passed over."""
    picture = drawn(
        *report(), past={"gather": Past("completed"), "depth": Past("skipped"), "no/such": Past("failed"), ROOT: Past("completed")}
    )
    assert marked(picture) == {
        "gather": ("pauses", "past", "past-completed"),
        "depth": ("past", "past-skipped"),
        "depth___awaiting_confirmation": ("past", "past-skipped"),
    }


@pytest.mark.parametrize(
    ("run", "lit"), [("pending", "run___pending"), ("completed", "run___completed"), ("cancelled", "run___cancelled")]
)
def test_a_run_that_is_over_lights_its_end(run, lit):
    """A run without cursors stands at its beginning or its end, also where nothing else in the workflow leads there."""
    assert "now" in marked(drawn(step("a"), state=State(run)))[lit]


def test_a_failed_run_lights_the_step_that_failed():
    """The failed step is where a person would reopen the run."""
    assert marked(drawn(step("a"), state=State("failed", (Cursor("a", "failed"),)))) == {"a": ("now", "past-failed")}


# -- formats ---------------------------------------------------------------------------------------------------------------------------


@cache
def pictures():
    """One picture of each sort, and one of each lifecycle."""
    return {"hostile": hostile(), "report": drawn(*report()), **{name: draw_lifecycle(table) for name, table in TABLES.items()}}


@pytest.mark.parametrize("name", pictures())
def test_mermaid_reads_back_as_the_same_graph(name):
    """Whatever the names, the Mermaid text holds these nodes, edges and frames and no other line."""
    picture = pictures()[name]
    title, *graph = read_mermaid(to_mermaid(picture))
    assert title == picture.title
    assert tuple(graph) == graph_of(picture)


@pytest.mark.parametrize("name", pictures())
def test_dot_reads_back_as_the_same_graph(name):
    """Whatever the names, the DOT text holds these nodes, edges and frames and no other statement."""
    picture = pictures()[name]
    assert read_dot(to_dot(picture)) == graph_of(picture)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90), min_size=1, max_size=4, unique=True))
@example(["\\", "\\n", '\\"'])
@settings(max_examples=60, deadline=None)
def test_no_name_breaks_out_of_mermaid_or_dot(names):
    """Any characters at all, lone surrogates included, come back as they are shown."""
    picture = drawn(*(step(name, requires_confirmation=True, confirmation_message=name) for name in names), name=names[0])
    assert tuple(read_mermaid(to_mermaid(picture))[1:]) == graph_of(picture)
    assert read_dot(to_dot(picture)) == graph_of(picture)


def test_mermaid_gives_no_line_to_a_direction():
    """Mermaid takes a line with the word before TB for a statement, even inside quotes: no line of ours looks like one."""
    text = to_mermaid(drawn(step("direction TB"), step("my_direction"), step("TB"), step("x Direction  LR")))
    assert not re.search(r"direction\s+(TB|BT|LR|RL|TD)", text, re.IGNORECASE)


def elements(text):
    """The elements of an SVG, without their namespace."""
    root = ET.fromstring(text)  # noqa: S314  # our own output; it declares no entities
    return [(element.tag.rpartition("}")[2], element) for element in root.iter()]


def test_svg_keeps_ids_classes_and_words():
    """Each box, frame and arrow is found in the SVG by id and class, and every word on it is there as text."""
    picture = draw_workflow(
        compile_definition(Definition("flow", report())).program, State("paused", (Cursor("depth", "awaiting_confirmation"),))
    )
    found = elements(to_svg(picture))
    classes = {element.get("id"): set(element.get("class", "").split()) for _, element in found if element.get("id")}
    for node in picture.nodes:
        assert classes[f"flow-{node.id}"] == {"node", node.kind, *node.marks}
    for frame in picture.clusters:
        assert classes[f"flow-{frame.id}"] == {"cluster", "frame", frame.kind, *frame.marks}
    for number, edge in enumerate(picture.edges):
        assert classes[f"flow-edge-{number}"] == {"edge", edge.kind}
    words = sorted(element.text for tag, element in found if tag == "text")
    lines = (
        [node.label for node in picture.nodes]
        + [edge.lines for edge in picture.edges]
        + [frame.label for frame in picture.clusters]
    )
    assert words == sorted(line for some in lines for line in some)


def test_svg_holds_nothing_but_drawing():
    """Hostile names add no element, attribute or link to an SVG: there are shapes, words and one style of ours."""
    picture = hostile()
    found = elements(to_svg(picture))
    assert {tag for tag, _ in found} == {"svg", "style", "g", "title", "polygon", "path", "text", "ellipse"}
    assert not [name for _, element in found for name in element.attrib if name.startswith("on") or "href" in name]
    words = [element.text for tag, element in found if tag == "text"]
    for line in {line for node in picture.nodes for line in node.lines}:
        assert line in words


def test_svg_is_light_and_dark():
    """The style of an SVG follows the reader's scheme."""
    text = to_svg(drawn(step("a")))
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    assert LOOKS["calls"].light.fill in light
    assert LOOKS["calls"].dark.fill in dark


def test_the_same_picture_gives_the_same_bytes():
    """Two drawings of equal definitions are equal in every format."""
    for write in (to_mermaid, to_dot, to_svg, to_text, outcomes):
        assert write(drawn(*report())) == write(drawn(*report()))


def test_text_is_a_tree_that_says_where_answers_lead():
    """In a terminal frames are branches, and arrows that do not lead to the next line are spelled out."""
    text = to_text(
        drawn(*report(), state=State("paused", (Cursor("depth", "awaiting_confirmation"),)), past={"gather": Past("completed")})
    )
    assert text.splitlines()[:9] == [
        "Workflow: flow",
        "├─ ○ start",
        "├─ ▭ gather (completed) · error → pause: retry, provide, skip · interrupt → pause: retry, provide, skip",
        "├─ [Condition: depth]",
        "│  ├─ ◆ depth? (waits for an answer) · awaiting confirmation · “Go deep?” ◀ now",
        "│  │       confirm → detailed",
        "│  │       reject → quick_summary",
        "│  ├─ ▭ detailed · error → fail · interrupt → retry",
        "│  │       → check?",
    ]


def test_text_and_tables_keep_one_line_a_thing():
    """No name adds a line, a control character or a column to text and Markdown."""
    picture = hostile()
    for text in (to_text(picture), outcomes(picture)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", text)
        assert max(map(len, text.splitlines())) < 800
    table = outcomes(picture)
    assert len(table.splitlines()) == 2 + len(picture.edges)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 4 for line in table.splitlines())
    assert not re.search(r"[<>]|://|(?<!\\)[`*]", table)


# -- words and ids -----------------------------------------------------------------------------------------------------------------------


def test_what_is_too_long_is_cut_visibly():
    """A name of a megabyte is shown by its beginning and an ellipsis; one that just fits is shown whole."""
    assert shown("x" * 1_000_000) == "x" * 71 + "…"
    assert shown("x" * 72) == "x" * 72
    assert shown("x" * 73) == "x" * 71 + "…"


def test_what_cannot_be_seen_gets_a_sign():
    """Control characters, overrides and surrogates are shown, not obeyed and not dropped."""
    assert shown("a\nb\x1b[0m\u202ec\ud800\x7f") == "a␊b␛[0m\ufffdc\ufffd\ufffd"
    assert shown(shown("a\nb")) == shown("a\nb")


def test_ids_are_words_and_differ_where_names_differ():
    """Each name has one id, plain where it can be, and no two of the hostile ones share one."""
    assert ident("quick_summary") == "quick_summary"
    names = [*HOSTILE, *(ident(name) for name in HOSTILE if ident(name) != name), "a b", "a_b", "A b", "a__b", "_a", "a_", "1"]
    ids = [ident(name) for name in names]
    assert len(set(ids)) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", one) and "__" not in one for one in ids)


@pytest.mark.parametrize(
    "word", ["end", "Graph", "subgraph", "style", "TB", "constructor", "toString", "direction", "my_direction"]
)
def test_a_word_of_the_formats_is_no_id(word):
    """A name that means something to DOT, Mermaid or JavaScript keeps its letters and gets a digest."""
    assert re.fullmatch(rf"{word}_[0-9a-f]{{12}}", ident(word))


def test_a_name_of_blanks_is_seen():
    """A step whose name shows nothing is called so."""
    assert ways(drawn(step("   "))) == [("start", "", "(blank)"), ("(blank)", "", "completed")]


def test_no_step_takes_the_id_of_a_gate_or_an_end():
    """Names made to look like the ids of other boxes have ids of their own."""
    names = ["run", "start", "a", "a___awaiting_confirmation", "run___completed", "a__b"]
    picture = drawn(*(step(name, requires_confirmation=True) for name in names), Steps("a2", [step("b")]))
    ids = [item.id for item in (*picture.nodes, *picture.clusters)]
    assert len(ids) == len(set(ids))


def test_a_picture_refuses_an_id_that_a_format_could_misread():
    """No writer ever quotes an id: an unsafe one is refused when the picture is made."""
    for wrong in ("a b", 'a"', "1", "", "é"):
        with pytest.raises(ValueError, match="must match regex"):
            Box(wrong, ("x",), "calls")
        with pytest.raises(ValueError, match="must match regex"):
            Arrow("a", wrong)
        with pytest.raises(ValueError, match="must match regex"):
            Cluster(wrong, ("x",), "steps")
        with pytest.raises(ValueError, match="must match regex"):
            Picture(wrong, "t", (), ())


def test_a_mark_added_later_changes_no_word():
    """Marking a picture twice is marking it once: lines that are fit to show stay as they are."""
    for node in hostile().nodes:
        assert evolve(node, marks=("now",)).lines == node.lines


# -- Graphviz ------------------------------------------------------------------------------------------------------------------------------


def test_without_graphviz_the_extra_is_named(monkeypatch):
    """Where no Graphviz is found the error says what to install."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingExtra, match=r"pip install 'statecore\[diagrams\]'"):
        to_svg(drawn(step("a")))


def test_a_system_dot_will_do_unless_the_bytes_matter(monkeypatch):
    """The fallback is the system's `dot`; for pages that are compared byte by byte it is refused."""
    monkeypatch.setattr("shutil.which", lambda name, **_: "/there/dot" if name == "dot" else None)
    assert svg.tool(portable=False) == "/there/dot"
    with pytest.raises(MissingExtra):
        svg.tool(portable=True)


def test_a_graphviz_that_gives_up_is_named():
    """What Graphviz says when it fails is in the error."""
    with pytest.raises(DrawingFailed, match="syntax error") as failed:
        svg.graphviz("digraph {", svg.tool(portable=True))
    assert failed.value.code == "SC601"


def test_a_long_workflow_is_drawn():
    """Three thousand steps in a row draw without deep recursion."""
    picture = drawn(*(step(f"s{number}") for number in range(3000)))
    assert len(picture.edges) == 3001
    assert to_text(picture).count("\n") == 3003
    assert len(read_mermaid(to_mermaid(picture))[1]) == 3002
