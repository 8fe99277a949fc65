"""Pictures of the whole family: loops, routers, parallels, inputs, reviews, deadlines and retries, with every outcome to be read."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from specs.tools.floors import draw_floors, imports, layers, reduced
from specs.tools.pages import examples
from statecore.core import BEGINNING, ROOT, Cursor, Event, State, advance, compile_definition, owed
from statecore.core.state import START, Marks
from statecore.definition import Condition, Definition, Loop, Parallel, Router, Step, Steps
from statecore.draw import draw_workflow, outcomes, place, to_dot, to_svg, to_text
from statecore.draw.boxes import duration
from statecore.draw.picture import LOOKS
from statecore.lifecycles import TABLES


def step(name, **settings):
    """A step that would print."""
    return Step(name, print, **settings)


def program(*steps, name="flow"):
    """The program of a workflow of these steps."""
    return compile_definition(Definition(name, steps)).program


def drawn(*steps, **more):
    """The picture of a workflow of these steps."""
    return draw_workflow(program(*steps), **more)


def ways(picture):
    """The arrows of a picture, with their boxes called as a text would call them."""
    names = picture.names()
    return [(names[edge.source], ", ".join(edge.lines), names[edge.target]) for edge in picture.edges]


def says(picture, name):
    """The lines of the first box with this name."""
    return next(node.lines[1:] for node in picture.nodes if node.lines[0] == name)


def marked(picture):
    """The marks of boxes that have any from a run."""
    return {node.id: node.marks for node in picture.nodes if "now" in node.marks}


# -- loops ---------------------------------------------------------------------------------------------------------------------------


def test_a_loop_goes_round_and_ends():
    """Without a condition the last component leads back to the first, and out of the Loop when the iterations are spent."""
    picture = drawn(Loop("l", [step("a"), step("b")], max_iterations=3), step("c"))
    assert ways(picture) == [
        ("start", "", "a"),
        ("a", "", "b"),
        ("b", "again", "a"),
        ("b", "after 3 times", "c"),
        ("c", "", "completed"),
    ]
    assert picture.clusters[0].lines == ("Loop: l, at most 3 times",)


def test_a_loop_of_one_iteration_does_not_go_round():
    """The picture of a Loop that runs once has no way back."""
    picture = drawn(Loop("l", [step("a")], max_iterations=1), step("c"))
    assert ways(picture) == [("start", "", "a"), ("a", "", "c"), ("c", "", "completed")]
    assert picture.clusters[0].lines == ("Loop: l, at most once",)


def test_a_tested_and_reviewed_loop_shows_every_way_out():
    """The end condition ends it or leads to the review, the review ends it or leads back, the last iteration skips both."""
    loop = Loop(
        "l",
        [step("a")],
        max_iterations=4,
        end_condition=bool,
        requires_iteration_review=True,
        iteration_review_message="Good?",
        on_reject="retry",
    )
    picture = drawn(loop, step("c"))
    assert ways(picture) == [
        ("start", "", "a"),
        ("a", "", "l"),
        ("a", "after 4 times", "c"),
        ("l", "true: over", "c"),
        ("l", "false: again", "l?"),
        ("l?", "confirm", "c"),
        ("l?", "reject: again", "a"),
        ("c", "", "completed"),
    ]
    assert says(picture, "l") == ("its end condition is called", "error → fail", "interrupt → retry")
    assert says(picture, "l?") == ("awaiting review", "“Good?”")


# -- routers -------------------------------------------------------------------------------------------------------------------------


def test_a_persons_choices_are_arrows_by_name():
    """Each choice is an arrow with its name into what it runs; a rejection goes past the Router."""
    router = Router(
        "r", [step("p"), Steps("q", [step("q1"), step("q2")])], requires_user_input=True, user_input_message="Which?", timeout=7200
    )
    picture = drawn(router, step("c"))
    assert ways(picture) == [
        ("start", "", "r?"),
        ("r?", "select p", "p"),
        ("r?", "select q", "q1"),
        ("r?", "reject: skipped", "c"),
        ("p", "", "c"),
        ("q1", "", "q2"),
        ("q2", "", "c"),
        ("c", "", "completed"),
    ]
    assert says(picture, "r?") == ("awaiting route", "“Which?”", "timeout 2 h → cancel")


def test_a_selector_is_a_fork_with_a_way_past():
    """Code that chooses is a box from which each choice is an arrow, and one for choosing nothing."""
    picture = drawn(Router("r", [step("p"), step("q")], selector=print), step("c"))
    assert ways(picture)[:4] == [
        ("start", "", "r"),
        ("r", "choose p", "p"),
        ("r", "choose q", "q"),
        ("r", "choose nothing: skipped", "c"),
    ]
    assert next(node.kind for node in picture.nodes if node.lines[0] == "r") == "forks"


def test_the_gates_of_one_router_are_told_apart():
    """Confirmation, route and review of one component are three boxes; a text calls them by what they wait for."""
    router = Router(
        "r",
        [step("p")],
        requires_user_input=True,
        requires_confirmation=True,
        requires_output_review=True,
        on_reject="retry",
        hitl_max_retries=1,
    )
    picture = drawn(router)
    assert ways(picture) == [
        ("start", "", "r? (awaiting confirmation)"),
        ("r? (awaiting confirmation)", "confirm", "r? (awaiting route)"),
        ("r? (awaiting confirmation)", "reject: skipped", "completed"),
        ("r? (awaiting route)", "select p", "p"),
        ("r? (awaiting route)", "reject: skipped", "completed"),
        ("p", "", "r? (awaiting review)"),
        ("r? (awaiting review)", "confirm", "completed"),
        ("r? (awaiting review)", "edit", "completed"),
        ("r? (awaiting review)", "reject", "r? (awaiting route)"),
    ]
    review = next(node for node in picture.nodes if node.id == "r___awaiting_review")
    assert review.lines == ("r?", "awaiting review", "reject → again, at most once, then cancel")


# -- parallels -----------------------------------------------------------------------------------------------------------------------


def test_branches_part_and_meet_in_boxes_of_their_own():
    """A Parallel begins in one box and ends in one, so what is around it has one arrow to it and one from it."""
    router = Router("r", [step("p"), step("q")], selector=print)
    parallel = Parallel(step("a", requires_confirmation=True), step("b"), name="par", max_concurrency=2)
    picture = drawn(router, parallel)
    assert ways(picture)[3:] == [
        ("r", "choose nothing: skipped", "par: side by side"),
        ("p", "", "par: side by side"),
        ("q", "", "par: side by side"),
        ("par: side by side", "", "a?"),
        ("par: side by side", "", "b"),
        ("a?", "confirm", "a"),
        ("a?", "reject: skipped", "par: all are over"),
        ("a", "", "par: all are over"),
        ("b", "", "par: all are over"),
        ("par: all are over", "", "completed"),
    ]
    assert says(picture, "par: side by side") == ("at most 2 at once",)
    assert [node.lines[0] for node in picture.within("par")] == ["par: side by side", "a?", "a", "b", "par: all are over"]


def test_a_branch_that_fails_meets_the_others():
    """Where a Parallel skips errors, the failed branch is left alone: its arrow leads to where the branches meet."""
    picture = drawn(Parallel(Steps("s", [step("a"), step("b")]), step("c"), name="par", on_error="skip"), step("d"))
    assert ("a", "error: skip", "par: all are over") in ways(picture)
    assert says(picture, "a") == ("error → skip (leaves s)", "interrupt → retry")
    assert says(picture, "c") == ("error → skip", "interrupt → retry")


def test_parallels_may_stand_in_loops_and_in_each_other():
    """What comes after the children of a component stands behind all of them, the inner before the outer."""
    inner = Parallel(step("a"), step("b"), name="in")
    picture = drawn(Loop("l", [Parallel(inner, step("c"), name="out")], max_iterations=2, end_condition=bool))
    assert [node.lines[0] for node in picture.nodes] == [
        "start",
        "out: side by side",
        "in: side by side",
        "a",
        "b",
        "in: all are over",
        "c",
        "out: all are over",
        "l",
        "completed",
    ]
    assert ("out: all are over", "after 2 times", "completed") in ways(picture)
    assert ("l", "false: again", "out: side by side") in ways(picture)


def test_components_of_one_name_are_told_apart_by_their_frames():
    """What stands in two frames under one name is called with its frame in a text."""
    picture = drawn(*(Steps(name, [step("check"), step("go", requires_confirmation=True)]) for name in ("x", "y")))
    assert ways(picture)[:4] == [
        ("start", "", "check (Steps: x)"),
        ("check (Steps: x)", "", "go? (awaiting confirmation) (Steps: x)"),
        ("go? (awaiting confirmation) (Steps: x)", "confirm", "go (Steps: x)"),
        ("go? (awaiting confirmation) (Steps: x)", "reject: skipped", "check (Steps: y)"),
    ]
    assert drawn(step("a")).names() == {"run___pending": "start", "a": "a", "run___completed": "completed"}


# -- gates and policies ----------------------------------------------------------------------------------------------------------------


def test_an_input_is_a_gate():
    """What a person gives leads into the step, a rejection where the policy says."""
    picture = drawn(
        step("form", requires_user_input=True, user_input_schema=[{"name": "n"}], user_input_message="Fill in.", on_reject="cancel")
    )
    assert ("form?", "input", "form") in ways(picture)
    assert ("form?", "reject", "cancelled") in ways(picture)
    assert says(picture, "form?") == ("awaiting input", "“Fill in.”")


@pytest.mark.parametrize(
    ("policy", "arrow", "line"),
    [
        ({"on_reject": "skip"}, ("a?", "reject: skipped", "b"), ()),
        ({"on_reject": "cancel"}, ("a?", "reject", "cancelled"), ()),
        (
            {"on_reject": "retry", "hitl_max_retries": 3},
            ("a?", "reject", "a"),
            ("reject → again, at most 3 times, then cancel",),
        ),
    ],
)
def test_a_review_says_what_a_rejection_leads_to(policy, arrow, line):
    """Keeping, editing and rejecting are arrows; how often an output may be rejected is in the box."""
    picture = drawn(step("a", requires_output_review=True, output_review_message="Send?", **policy), step("b"))
    assert {("a", "", "a?"), ("a?", "confirm", "b"), ("a?", "edit", "b"), arrow} <= set(ways(picture))
    assert says(picture, "a?") == ("awaiting review", "“Send?”", *line)


def test_a_judged_output_has_a_box_beside_the_step():
    """The predicate is a call of its own, with its own ways and policies, and not the step's box twice."""
    picture = drawn(step("a", requires_output_review=bool, on_error="pause"), step("b"))
    assert [node.id for node in picture.nodes] == [
        "run___pending",
        "a",
        "a___judging",
        "a___awaiting_review",
        "b",
        "run___completed",
    ]
    judging = picture.nodes[2]
    assert judging.lines[:2] == ("a", "does a person have to see it?")
    assert [(edge.lines, edge.target) for edge in picture.edges if edge.source == judging.id] == [
        (("true",), "a___awaiting_review"),
        (("false",), "b"),
    ]


@pytest.mark.parametrize(("policy", "becomes"), [("cancel", "cancel"), ("skip", "skip"), ("approve", "approve")])
def test_a_deadline_says_what_silence_leads_to(policy, becomes):
    """Each gate with a deadline says in its box when it expires and what then."""
    picture = drawn(step("a", requires_confirmation=True, timeout=5400, on_timeout=policy))
    assert says(picture, "a?") == ("awaiting confirmation", f"timeout 90 min → {becomes}")


def test_a_pause_after_an_error_has_the_deadline_too():
    """A step without a gate that pauses on errors says when that pause expires."""
    picture = drawn(step("a", on_error="pause", timeout=60, on_timeout="skip"))
    assert says(picture, "a")[-1] == "pause: timeout 1 min → skip"
    for without in (step("a", on_error="pause"), step("a", on_error="skip", requires_confirmation=True, timeout=60)):
        assert not [line for line in says(drawn(without), "a") if "timeout" in line]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"max_retries": 1}, "error → again, at most once"),
        ({"max_retries": 3, "retry_delay": 2}, "error → again, at most 3 times, after 2 s"),
        ({"max_retries": 3, "retry_delay": 0.5, "backoff": 1.5}, "error → again, at most 3 times, after 0.5 s, each time 1.5-fold"),
    ],
)
def test_automatic_retries_come_before_the_policy(settings, line):
    """How often and how late a step is tried again stands in its box, and what comes then."""
    picture = drawn(step("a", on_error="skip", **settings))
    assert says(picture, "a") == (line, "then error → skip", "interrupt → retry")


@pytest.mark.parametrize(
    ("micros", "text"),
    [(1, "1e-06 s"), (1_500_000, "1.5 s"), (90_000_000, "90 s"), (7_200_000_000, "2 h"), (86_400_000_000, "1 d"), (0, "0 s")],
)
def test_a_time_is_told_in_the_largest_whole_unit(micros, text):
    """Nobody has to divide by 3600."""
    assert duration(micros) == text


def test_a_gate_that_asks_already_gets_no_second_mark():
    """A name that ends in a question mark is the question."""
    assert [node.lines[0] for node in drawn(step("sure?", requires_confirmation=True)).nodes[1:3]] == ["sure?", "sure?"]


def test_an_arrow_back_is_seen_beside_the_thick_one():
    """Where a rejection leads straight back against the happy path, its arrow bends out to the side; no other does."""
    lines = to_dot(drawn(step("a", requires_output_review=True, on_reject="retry"))).splitlines()
    sideways = [line for line in lines if 'headport="e", tailport="e"' in line]
    assert len(sideways) == 1
    assert '"a___awaiting_review" -> "a"' in sideways[0]


# -- every row that a run can take without a fault has an arrow ----------------------------------------------------------------------


def everything():
    """One workflow of every kind of component and gate."""
    return (
        step("form", requires_user_input=True, user_input_schema=[{"name": "n"}]),
        Loop("l", [step("x")], max_iterations=3, end_condition=bool, requires_iteration_review=True, on_reject="retry"),
        Router("r", [step("p"), step("q")], requires_user_input=True, requires_confirmation=True, requires_output_review=bool),
        Router("s", [step("p"), step("q")], selector=print),
        Parallel(step("b1", requires_confirmation=True), step("b2", max_retries=1), Condition("c", [step("y")], evaluator=bool)),
        step("edit", requires_output_review=bool, on_reject="retry"),
    )


def test_every_question_and_call_of_a_run_has_its_box_and_every_answer_its_arrow():
    """Along every way of many runs: what is owed is a box that is lit, and what is answered is an arrow out of it."""
    flow = program(*everything())
    picture = draw_workflow(flow)
    leaving = {(edge.source, line.split(":")[0].split(" ")[0]) for edge in picture.edges for line in edge.lines or ("",)}
    leaving |= {(edge.source, "") for edge in picture.edges}
    words = {"hold": "true", "refute": "false", "succeed": ""}
    waiting, seen = [advance(flow, BEGINNING, START).state], set[State]()
    while waiting:
        state = waiting.pop()
        if state in seen or len(seen) > 600:
            continue
        seen.add(state)
        lit = marked(draw_workflow(flow, state))
        for item in owed(flow, state):
            node = flow[item.at]
            cursor = next(each for each in state.cursors if (each.at, each.turn) == (item.at, item.turn))
            box = place(item.at) if cursor.phase == "running" else f"{place(item.at)}___{cursor.phase}"
            assert box in lit
            table = TABLES[node.machine]
            for trigger in dict.fromkeys(row.on for row in table.rows if row.source == cursor.phase):
                if trigger in ("cancel", "expire", "fail", "interrupt", "renew", "stop", "ask", "amend"):
                    continue
                choices = (next(iter(node.exits.values())),) if trigger in ("select", "choose") else ()
                word = {("s", "refute"): "choose"}.get((item.at, trigger), words.get(trigger, trigger))
                assert (box, word) in leaving
                event = Event(trigger, item.at, item.turn, item.attempt, choices=choices)
                waiting.append(advance(flow, state, event).state)
    assert {"paused", "completed"} <= {state.run for state in seen}


def test_every_format_draws_the_whole_family():
    """The picture of everything is written as text, table and SVG with every box in it."""
    picture = drawn(*everything())
    svg, text = to_svg(picture), to_text(picture)
    for node in picture.nodes:
        assert f'id="flow-{node.id}"' in svg
        assert node.lines[0] in text
    assert len(outcomes(picture).splitlines()) == 2 + len(picture.edges)


# -- runs ------------------------------------------------------------------------------------------------------------------------------


def test_a_delay_lights_the_step_that_is_tried_again():
    """A step that waits for its next try is lit, and is not taken for one that waits for a person."""
    state = State("running", (Cursor("a", "backing_off", marks=Marks(due=5)),))
    assert marked(drawn(step("a", max_retries=1), state=state)) == {"a": ("now", "sleeps")}


def test_a_branch_that_has_not_begun_is_not_lit():
    """A branch that waits for a place is not where the run is."""
    state = State("running", (Cursor("par/a", "running"), Cursor("par/b", "pending")))
    assert marked(drawn(Parallel(step("a"), step("b"), name="par"), state=state)) == {"par__a": ("now", "runs")}


def test_a_component_that_failed_is_lit_where_it_is_called_again():
    """A Loop or Router whose code failed is lit at the call that a retry repeats, not at its last gate."""
    router = Router("r", [step("p")], selector=print, requires_output_review=True, on_error="pause")
    loop = Loop("l", [step("a")], end_condition=bool, requires_iteration_review=True, on_error="pause")
    for each, at in ((router, "r"), (loop, "l")):
        picture = drawn(each, state=State("paused", (Cursor(at, "errored_paused"),)))
        assert marked(picture) == {f"{at}___evaluating": ("pauses", "now", "waits")}


def test_no_mark_of_a_run_is_a_kind():
    """A question that is waited for keeps the colours of a question: what a run marks never names a kind of box."""
    assert not set(LOOKS) & {"waits", "runs", "sleeps", "now", "past", "goal", "pauses"}


# -- floors and examples -----------------------------------------------------------------------------------------------------------------


def test_every_import_of_the_package_leads_down_in_the_picture():
    """Of the picture's arrows none leads up, and whatever one part imports is reached along them."""
    picture = draw_floors()
    height = {node.id: int(str(node.cluster).removeprefix("floor_")) for node in picture.nodes}
    assert all(height[edge.source] >= height[edge.target] for edge in picture.edges)
    package = Path(__file__).parents[3] / "statecore"
    below: dict[str, set[str]] = {}
    for node in sorted(picture.nodes, key=lambda each: height[each.id]):
        below[node.id] = set()
    for _ in picture.nodes:
        for edge in picture.edges:
            below[edge.source] |= {edge.target} | below[edge.target]
    names = {node.lines[0]: node.id for node in picture.nodes}
    for name, start in names.items():
        assert {names[other] for other in imports(package, name) & set(names) - {name}} <= below[start]


def test_every_part_of_the_package_is_on_a_floor():
    """No module or subpackage is left out of the picture but the names on top, which have no code of their own."""
    package = Path(__file__).parents[3] / "statecore"
    there = {path.stem for path in package.iterdir() if path.suffix == ".py"} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert {name for floor in layers(package) for name in floor} == there - {"__init__"}


def test_only_what_no_chain_implies_is_drawn():
    """An import that a chain of others implies has no arrow of its own."""
    graph = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset[str](), "d": frozenset("ac")}
    assert reduced(graph) == {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset(), "d": frozenset("a")}


def test_imports_are_read_as_python_reads_them(tmp_path):
    """Relative and absolute imports, of modules and of names, anywhere in a file; other packages' are nobody's business."""
    package = tmp_path / "house"
    (package / "low").mkdir(parents=True)
    (package / "low" / "deep.py").write_text("from .. import attic\nfrom ..cellar.box import x\nfrom . import near\n")
    (package / "low" / "__init__.py").write_text(
        "def f():\n    import house.roof.tiles, os, house\n    from house import door\n    from json import loads\n"
    )
    assert imports(package, "low") == {"attic", "cellar", "low", "roof", "door"}


def test_every_example_is_drawn():
    """Each module of the examples that has a workflow is found, with its first paragraph, in order of their names."""
    folder = Path(__file__).parents[3] / "statecore" / "examples"
    having = {
        path.stem
        for path in folder.glob("*.py")
        if any(
            isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "workflow"
            for node in ast.parse(path.read_text()).body
        )
    }
    found = examples()
    assert list(found) == sorted(having)
    assert all(each.says and each.says[-1] == "." for each in found.values())
    assert found["timeout"].program.nodes[ROOT].name == "reservation"


def test_drawing_a_workflow_loads_no_example():
    """Who draws a workflow of their own gets none of the package's examples, nor the facade above."""
    script = (
        "import sys, statecore.draw; print([n for n in sys.modules if n.startswith(('statecore.examples', 'statecore.workflow'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
