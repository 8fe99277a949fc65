"""`check`: what is proved, what is refuted and by which run, and that forgetting the past changes no verdict."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.check import (
    after,
    always_can_reach,
    asked,
    at_most,
    atoms,
    check,
    completed,
    confirmed,
    dies,
    document,
    ended,
    errored,
    expired,
    fails,
    given,
    holds,
    junit,
    mermaid,
    mutually_exclusive,
    never,
    parse,
    precedes,
    pytest_file,
    ran,
    reachable,
    rejected,
    responds,
    retried,
    run_failed,
    sarif,
    selected,
    skipped,
    stops,
    story,
)
from statecore.check.atoms import RUNS, VERBS
from statecore.check.graph import Budget, explore
from statecore.check.properties import BAD, Shape
from statecore.check.search import Automaton, automaton, decide
from statecore.check.story import beats
from statecore.check.symmetry import canonical
from statecore.check.wording import Verdict, parse_assumption, parse_lines
from statecore.check.world import World
from statecore.core import CANCEL, Compiled
from statecore.core.facts import MAX_INTERRUPTS
from statecore.errors import InvalidProperty, UnknownStep
from statecore.lifecycles import words as w
from tests.model.explore import explore as explore_with_past
from tests.model.models import deaths_in, models

PROVED, REFUTED, VACUOUS, UNDETERMINED = Verdict.proved, Verdict.refuted, Verdict.vacuous, Verdict.undetermined


def work(step_input):
    """Stand for user code."""
    raise AssertionError("a check calls no user code")


def say(name, **settings: Any):
    """A step."""
    return Step(name, work, **settings)


def pay(**settings: Any):
    """A gate before a charge."""
    return Workflow("pay", [say("ask", requires_confirmation=True, **settings), say("charge", on_error="pause"), say("mail")])


def verdict(workflow, found, **options: Any):
    """The verdict about one property."""
    return check(workflow, [found], **options).findings[-1].verdict


# -- sentences -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "found", "expected"),
    [
        ({"on_reject": "cancel"}, never(ran("charge")).unless(confirmed("ask")), PROVED),
        ({"on_reject": "skip"}, never(ran("charge")).unless(confirmed("ask")), REFUTED),
        ({"on_reject": "skip"}, never(ran("charge")).unless(confirmed("ask"), rejected("ask")), PROVED),
        ({"on_reject": "cancel"}, precedes(confirmed("ask"), ran("charge")), PROVED),
        ({}, precedes(ran("charge"), confirmed("ask")), REFUTED),
        ({"on_reject": "cancel"}, after(rejected("ask")).never(ran("charge")), PROVED),
        ({"on_reject": "skip"}, after(rejected("ask")).never(ran("charge")), REFUTED),
        ({}, after(errored("charge")).never(ran("charge")).unless(retried("charge")), PROVED),
        ({}, never(ran("ask")).unless(confirmed("ask")), PROVED),
        ({}, never(confirmed("ask")).unless(ran("ask")), REFUTED),
        ({}, mutually_exclusive(rejected("ask"), confirmed("ask")), PROVED),
        ({}, mutually_exclusive(ran("charge"), confirmed("ask")), REFUTED),
        ({}, at_most(1).times(confirmed("ask")), PROVED),
        ({}, at_most(1).attempts("ask"), REFUTED),
        ({}, at_most(3).attempts("charge"), REFUTED),
        ({}, reachable(skipped("charge")), PROVED),
        ({"on_reject": "cancel"}, reachable(skipped("ask")), REFUTED),
        ({}, always_can_reach(ended()), PROVED),
        ({}, always_can_reach(ran("mail")), REFUTED),
        ({}, responds(asked("ask"), ended()), PROVED),
        ({}, responds(ran("charge"), completed("mail")), REFUTED),
        ({}, after(fails("charge")).eventually(errored("charge")), PROVED),
        ({}, after(given("ask")).never(ran("mail")), VACUOUS),
        ({}, never(expired("ask")), PROVED),
        ({"timeout": 5, "on_timeout": "approve", "on_reject": "cancel"}, never(ran("charge")).unless(confirmed("ask")), REFUTED),
        ({"timeout": 5, "on_timeout": "cancel", "on_reject": "cancel"}, never(ran("charge")).unless(confirmed("ask")), PROVED),
        ({}, never(stops("mail")).unless(selected("ask")), REFUTED),
    ],
)
def test_a_sentence_means_what_it_says(settings, found, expected):
    """Each kind of property is proved of one workflow and refuted of another; one without an antecedent is vacuous."""
    assert verdict(pay(**settings), found) is expected


def test_a_gate_is_fresh_in_every_iteration():
    """A step in a loop is confirmed each time: two runnings need two confirmations in between."""
    flow = Workflow("loop", [Loop("again", [say("sign", requires_confirmation=True, on_error="skip")], 3, work)])
    assert verdict(flow, after(completed("sign")).never(ran("sign")).unless(confirmed("sign"))) is PROVED
    assert verdict(flow, at_most(3).attempts("sign")) is PROVED
    assert verdict(flow, at_most(2).attempts("sign")) is REFUTED


def test_automatic_retries_are_counted():
    """A step that is tried again twice begins three times and not a fourth."""
    flow = Workflow("tries", [say("call", max_retries=2)])
    assume = [never(run_failed())]
    assert verdict(flow, at_most(3).attempts("call"), assume=assume) is PROVED
    assert verdict(flow, at_most(2).attempts("call")) is REFUTED
    assert verdict(flow, at_most(3).attempts("call")) is REFUTED, "a person may reopen the failed run"


def test_a_selector_may_choose_anything():
    """Each choice alone, both in each order; a person who may choose one chooses one."""
    both = mutually_exclusive(ran("a"), ran("b"))
    assert verdict(Workflow("r", [Router("way", [say("a"), say("b")], work)]), both) is REFUTED
    assert verdict(Workflow("r", [Router("way", [say("a"), say("b")], work)]), precedes(ran("a"), ran("b"))) is REFUTED
    person = [say("a"), say("b")]
    assert verdict(Workflow("r", [Router("way", person, requires_user_input=True)]), both) is PROVED
    several = Router("way", person, requires_user_input=True, allow_multiple_selections=True)
    assert verdict(Workflow("r", [several]), both) is REFUTED


def test_constants_are_known():
    """A branch that the definition itself rules out is dead, and no run goes through it."""
    flow = Workflow("c", [Condition("always", [say("then")], [say("never")], evaluator=True)])
    report = check(flow, [never(ran("never"))])
    dead = report["no step and no branch is dead"]
    assert (dead.verdict, dead.why) == (REFUTED, "can never begin: always/else/never")
    assert report.findings[-1].verdict is PROVED
    open_fork = Workflow("c", [Condition("open", [say("then")], [say("else")], evaluator=work)])
    assert check(open_fork).exit_code == 0


def test_a_branch_that_no_answer_leads_to_is_dead():
    """A gate whose "no" skips makes the else branch unreachable."""
    fork = Condition("c", [say("a")], [say("b")], requires_confirmation=True, on_reject="skip")
    assert "c/else/b" in check(Workflow("w", [fork]))["no step and no branch is dead"].why


def test_a_name_means_all_that_bear_it_and_an_address_one():
    """An ambiguous name stands for each; the address picks one out."""
    flow = Workflow("w", [Steps("one", [say("x")]), Steps("two", [say("x", requires_confirmation=True)])])
    assert verdict(flow, never(ran("x")).unless(confirmed("x"))) is REFUTED
    assert verdict(flow, never(ran("two/x")).unless(confirmed("two/x"))) is PROVED


def test_an_unknown_step_is_refused_with_a_suggestion():
    """A misspelt name is named, with what is near, before anything is explored; the workflow's own name is no step."""
    with pytest.raises(UnknownStep, match="Did you mean 'charge'"):
        check(pay(), [never(ran("chage"))])
    with pytest.raises(UnknownStep):
        check(pay(), assume=[never(ran("pay"))])


@pytest.mark.parametrize("verb", VERBS)
def test_an_atom_is_its_verb_and_a_name(verb):
    """Each verb is a function of a step's name, and the same as its text."""
    assert getattr(atoms, verb)("a step") == atoms.Atom(verb, "a step") == parse(f"never {verb}(a step)").atoms[0]


@pytest.mark.parametrize("verb", RUNS)
def test_a_run_has_verbs_of_its_own(verb):
    """They take no name."""
    assert getattr(atoms, verb)() == atoms.Atom(verb) == parse(f"never {verb}()").atoms[0]


def test_what_runs_is_what_begins():
    """A loop runs once however often it goes round, a step as often as it is called, a fork when its branch is entered."""
    flow = Workflow("w", [Loop("l", [Condition("c", [say("a", on_error="skip")], evaluator=work)], 3, work)])
    assume = [never(run_failed())]
    assert verdict(flow, at_most(1).attempts("l"), assume=assume) is PROVED
    assert verdict(flow, at_most(3).attempts("c"), assume=assume) is PROVED
    assert verdict(flow, at_most(2).attempts("a"), assume=assume) is REFUTED
    assert verdict(flow, never(ran("a")).unless(holds("c")), assume=assume) is PROVED


# -- assumptions -----------------------------------------------------------------------------------------------------------------


def test_an_assumption_narrows():
    """Runs that break it are left out, of the antecedent too."""
    found = after(rejected("ask")).never(ran("charge"))
    assert verdict(pay(), found) is REFUTED
    assert verdict(pay(), never(run_failed()), assume=["assume never fails(ask)"]) is REFUTED
    assert verdict(pay(), never(run_failed()), assume=["assume never fails(ask)", never(fails("mail"))]) is PROVED
    assert verdict(pay(), found, assume=["never rejected(ask)"]) is VACUOUS
    assert check(pay(), [found], assume=["never rejected(ask)"], allow_vacuous=True).exit_code == 0
    assert check(pay(), [found], assume=["never rejected(ask)"]).exit_code == 1


def test_only_what_a_moment_breaks_can_be_assumed():
    """Possibility and response are refused as assumptions, as text and as objects."""
    wrongs: list[Any] = ["assume reachable ended()", responds(ran("ask"), ended())]
    for wrong in wrongs:
        with pytest.raises(InvalidProperty, match="can be assumed"):
            check(pay(), assume=[wrong])


# -- what is looked at -----------------------------------------------------------------------------------------------------------


def test_a_cap_is_never_a_pass():
    """Beyond its states or its time a check is undetermined and says how far it came; what it refutes by then is refuted."""
    branches = [say(f"s{n}", requires_confirmation=True, on_error="pause") for n in range(6)]
    wide = Workflow("wide", [Parallel(*branches), say("last")])
    held = never(ran("s5")).unless(confirmed("s5"))
    few = check(wide, [held, always_can_reach(ended()), reachable(ran("s0")), reachable(ran("last"))], max_states=50)
    assert not few.complete
    assert [each.verdict for each in few.findings[-4:]] == [UNDETERMINED, UNDETERMINED, PROVED, UNDETERMINED]
    assert few["no step and no branch is dead"].verdict is UNDETERMINED
    assert few["an end can be reached from everywhere"].verdict is UNDETERMINED
    assert few["no situation is a deadlock"].verdict is UNDETERMINED
    assert few.exit_code == 3
    assert few.situations > 50
    assert check(wide, [never(ran("s0"))], max_states=50).exit_code == 1
    assert check(wide, [held], seconds=0).exit_code == 3


def test_a_walk_has_a_cap_too():
    """A property whose pairs exceed the states that are allowed is undetermined, though the graph is whole."""
    flow = pay()
    graph = explore(World(flow.compiled), Budget())
    found = decide(graph, never(ran("mail")).unless(completed("charge"), rejected("ask"), skipped("charge")), (), Budget(2))
    assert found.verdict is UNDETERMINED
    assert "there are more" in found.why


def test_a_graph_that_is_not_whole_proves_nothing():
    """Where situations are missing, a walk that found all that there is is undetermined."""
    graph = explore(World(pay().compiled), Budget(states=3))
    for found in (never(ran("mail")), reachable(ran("mail")), always_can_reach(ended())):
        assert decide(graph, found, (), Budget()).verdict is UNDETERMINED


def test_a_hundred_gates_are_a_few_hundred_situations():
    """Finished steps are forgotten, so the situations grow with the length, not with the histories."""
    flow = Workflow("gates", [say(f"g{n}", requires_confirmation=True, on_error="pause") for n in range(100)])
    report = check(flow, [never(ran("g99")).unless(confirmed("g99")), at_most(1).times(rejected("g50"))])
    assert report.exit_code == 0
    assert report.situations == 302


SMALL = [name for name, program in sorted(models().items()) if deaths_in(program) == MAX_INTERRUPTS]
"""The models in which deaths do not multiply with branches, iterations and routes."""


@pytest.fixture
def same_routes(monkeypatch):
    """The routes that the explorer with the past tries: each choice alone, and the first two in reverse order."""

    def routes(world, at, trigger):
        exits = tuple(world.compiled.program[at].exits.values())
        several = [tuple(reversed(exits[:2]))] if len(exits) > 1 else []
        return [(each,) for each in exits] + several if trigger in (w.select, w.choose) else [()]

    monkeypatch.setattr(World, "routes", routes)


def forgotten(program, state):
    """A state without its past; a Router's turn says how often it has chosen, which is past too."""

    def turned(each):
        routers = {node.depth for node in program.ancestors(each.at) if node.kind == "router"}
        return evolve(each, turn=tuple(0 if place in routers else number for place, number in enumerate(each.turn)))

    parts = {name: tuple(map(turned, getattr(state, name))) for name in ("cursors", "frames", "endings")}
    return canonical(program, evolve(state, **parts))


@pytest.mark.usefixtures("same_routes")
@pytest.mark.parametrize(("name", "crashes"), [(n, False) for n in sorted(models())] + [(n, True) for n in SMALL])
def test_forgetting_the_past_loses_no_situation(name, crashes):
    """The situations are exactly the reachable states without their past, and so is what each event leads to.

    A question that is put again leads back to its situation, so the graph has no edge for it.
    """
    program = models()[name]
    graph = explore(World(Compiled(program, {}), crashes), Budget(), cancels=True)
    whole = explore_with_past(program, deaths=MAX_INTERRUPTS if crashes else 0)
    assert {forgotten(program, state) for state in whole.edges} == set(graph.states)
    alone = [(was, label[0], step.state) for was, label, step in whole.steps() if len(label) == 1]
    again = [(was, now) for was, event, now in alone if event.trigger == w.renew]
    assert all(forgotten(program, was) == forgotten(program, now) for was, now in again)
    single = [(was, event, now) for was, event, now in alone if event.trigger != w.renew]
    seen = {(forgotten(program, was), said(event), forgotten(program, now)) for was, event, now in single}
    edges = [(graph.states[number], edge) for number, out in enumerate(graph.out) for edge in out]
    assert seen == {(was, said(edge.event), graph.states[edge.target]) for was, edge in edges}


def said(event):
    """What happened where, without the turn and attempt."""
    return event.trigger, event.at, event.choices


@pytest.mark.usefixtures("same_routes")
@pytest.mark.parametrize(
    "name", ["two gated pausing steps", "a reviewed loop of gates", "a router in a loop", "a parallel in a loop"]
)
def test_forgetting_the_past_changes_no_verdict(name):
    """Each property of each pair of steps has the verdict that the whole history gives it."""
    program = models()[name]
    graph, whole = explore(World(Compiled(program, {})), Budget()), explore_with_past(program, deaths=0)
    steps = [node.at for node in program.nodes.values() if node.machine == "step"]
    for one, other in permutations(steps, 2):
        for found in (
            never(ran(one)).unless(completed(other)),
            never(ran(one)).unless(confirmed(one)),
            mutually_exclusive(ran(one), skipped(other)),
            after(skipped(one)).never(ran(other)),
            responds(ran(one), ran(other)),
        ):
            expected = REFUTED if is_broken(whole, found, automaton(graph, found, ())) else PROVED
            assert decide(graph, found, (), Budget()).verdict in (expected, VACUOUS if expected is PROVED else expected), str(found)


def is_broken(whole, found, made: Automaton):
    """Whether some run of a graph with its whole past breaks a property."""
    start = next(iter(whole.edges)), 0
    seen, queue = {start}, [start]
    while queue:
        state, memory = queue.pop()
        if memory == BAD or (found.shape is Shape.response and memory == 1 and state.run in (w.completed, w.cancelled, w.failed)):
            return True
        for label, step in whole.edges[state].items():
            after_it = memory
            for moment in made.read(step.moves) if CANCEL not in label else ():
                after_it = after_it if after_it == BAD else found.step(after_it, moment)
            new = step.state, after_it
            if CANCEL not in label and new not in seen:
                seen.add(new)
                queue.append(new)
    return False


@pytest.mark.parametrize("name", sorted(models()))
def test_the_engine_keeps_its_laws_in_every_model(name):
    """No built-in property is refuted of any model, with crashes and cancellations, but for what its own settings make dead."""
    report = check(_Has(models()[name]), crashes=True, cancels=True)
    assert [each for each in report.findings if each.verdict is not PROVED and "dead" not in each.text] == []


class _Has:
    """A program without its components, as something that was compiled."""

    def __init__(self, program):
        self.compiled = Compiled(program, {})


def test_crashes_and_cancellations_are_tried_when_asked_for():
    """A process dies only with `crashes`, an operator cancels only with `cancels`; the report says what was left out."""
    found: list[Any] = [never(dies("charge")), responds(confirmed("ask"), ran("charge"))]
    calm = check(pay(), found[:1])
    assert calm.exit_code == 0
    assert [said.split("(")[0].strip() for said in calm.bounds] == ["processes do not die", "nobody orders a cancellation"]
    assert verdict(pay(), found[0], crashes=True) is REFUTED
    assume = ["never run_failed()", "never stops(ask)"]
    assert verdict(pay(), found[1], assume=assume) is PROVED
    assert verdict(pay(), found[1], assume=assume, cancels=True) is REFUTED


def test_a_wide_router_says_what_was_left_out():
    """Of more than four choices single ones and ordered pairs are tried, and the report says so."""
    flow = Workflow("r", [Router("way", [say(f"c{n}") for n in range(5)], work)])
    assert "way has more than 4 choices" in check(flow).bounds[0]
    assert check(flow, [reachable(ran("c4")), precedes(ran("c4"), ran("c0"))]).findings[-1].verdict is REFUTED


def test_progress_is_heard():
    """Whoever listens hears of the graph while it is drawn."""
    heard = []
    check(pay(), progress=lambda graph, seconds: heard.append((len(graph.states), seconds)))
    assert heard[0][0] == 1


# -- texts -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "never ran(charge) unless confirmed(ask) or expired(ask)",
        "never ran(charge) unless confirmed(ada) and confirmed(bob) or expired(ask)",
        "after rejected(ask) never ran(charge) unless confirmed(ada) and confirmed(bob)",
        "after rejected(ask) never ran(charge) unless confirmed(a step/with a slash)",
        "responds ran(charge) ended()",
        "mutually_exclusive ran(a) ran(b)",
        "at_most 3 ran(call)",
        "reachable run_failed()",
        "always_can_reach ended()",
        "never ran(a)",
    ],
)
def test_a_property_is_its_text(text):
    """What is read is written again as it was."""
    assert str(parse(text)) == text


def test_some_sentences_have_two_texts():
    """Precedes and eventually are other words for never unless and responds; quotes around a name are optional."""
    assert parse("precedes confirmed('ask') ran(\"charge\")") == never(ran("charge")).unless(confirmed("ask"))
    assert parse("after ran(a) eventually ran(b)") == responds(ran("a"), ran("b"))
    assert parse_assumption("assume never fails(a)") == parse_assumption("never fails(a)") == never(fails("a"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a first word like never is missing at its end"),
        ("nevr ran(a)", "Did you mean 'never'"),
        ("never ran(a) unless", "something like ran"),
        ("never rann(a)", "Did you mean 'ran'"),
        ("never ran()", "needs the name of a step"),
        ("never ran(a) ran(b)", "comes after its end"),
        ("never ran(a) & ran(b)", "'&' means nothing here"),
        ("never 3", "is missing before '3'"),
        ("after ran(a) ran(b)", "never or eventually is missing"),
        ("at_most ran(a)", "a number is missing"),
        ("__import__('os')", "there is no __import__"),
    ],
)
def test_a_wrong_text_is_refused_by_name(text, why):
    """What cannot be read is an `InvalidProperty` that says where; nothing of it is evaluated."""
    with pytest.raises(InvalidProperty, match=why.replace("(", r"\(")):
        parse(text)


def test_a_file_holds_properties_and_assumptions():
    """One a line; comments and empty lines are left out."""
    lines = ["# ours", "", "never ran(a)  # really", "assume never fails(b)"]
    assert parse_lines(lines) == ([never(ran("a"))], [never(fails("b"))])


# -- counterexamples -------------------------------------------------------------------------------------------------------------


def leaks():
    """Workflows of every kind, each with a property that it breaks."""
    gate: dict[str, Any] = {"requires_confirmation": True}
    pausing: dict[str, Any] = {"on_error": "pause"}
    return {
        "a skipped gate": (pay(on_reject="skip"), "never ran(charge) unless confirmed(ask)"),
        "a retried error": (pay(), "at_most 2 ran(charge)"),
        "an error that is skipped": (pay(), "never skipped(charge)"),
        "a failed run that is reopened": (Workflow("f", [say("a"), say("b")]), "at_most 1 ran(b)"),
        "an automatic retry": (Workflow("t", [say("a", max_retries=2)]), "at_most 2 ran(a)"),
        "a stop": (Workflow("s", [say("a"), say("b")]), "responds ran(a) ran(b)"),
        "an expired gate": (pay(timeout=60, on_timeout="approve"), "never ran(charge) unless confirmed(ask) or rejected(ask)"),
        "a deadline that cancels": (pay(timeout=60, on_timeout="cancel"), "never run_cancelled()"),
        "an input": (Workflow("i", [say("a", requires_user_input=True), say("b")]), "never ran(b) unless given(a)"),
        "a condition": (
            Workflow("c", [Condition("c", [say("a")], [say("b", **gate)], work), say("d")]),
            "never ran(d) unless ran(a)",
        ),
        "a gated condition": (Workflow("c", [Condition("c", [say("a")], [say("b")], **gate)]), "never ran(b)"),
        "a loop": (Workflow("l", [Loop("l", [say("a", **gate)], 3, work)]), "at_most 2 ran(a)"),
        "a reviewed loop": (
            Workflow("l", [Loop("l", [say("a")], 3, requires_iteration_review=True, on_reject="retry")]),
            "at_most 2 ran(a)",
        ),
        "a review": (
            Workflow("v", [say("a", requires_output_review=True, on_reject="retry", hitl_max_retries=2)]),
            "at_most 2 ran(a)",
        ),
        "an edit": (Workflow("v", [say("a", requires_output_review=True)]), "never edited(a)"),
        "a judged output": (Workflow("v", [say("a", requires_output_review=work), say("b")]), "never rejected(a)"),
        "a selector": (Workflow("r", [Router("r", [say("a"), say("b")], work)]), "precedes ran(a) ran(b)"),
        "a router that runs nothing": (Workflow("r", [Router("r", [say("a")], work), say("c")]), "never ran(c) unless ran(a)"),
        "a route that a person chooses": (
            Workflow("r", [Router("r", [say("a"), say("b")], requires_user_input=True, allow_multiple_selections=True)]),
            "precedes ran(b) ran(a)",
        ),
        "branches": (
            Workflow("p", [Parallel(Steps("x", [say("a", **gate), say("b", **pausing)]), say("c", **pausing), name="p"), say("d")]),
            "at_most 1 ran(b)",
        ),
        "nested workflows": (
            Workflow("o", [Workflow("n", [say("a")]), Step("s", workflow=Workflow("m", [say("b", **gate)])), say("z")]),
            "never ran(z) unless confirmed(b)",
        ),
        "a broken evaluator": (Workflow("c", [Condition("c", [say("a")], evaluator=work, on_error="pause")]), "never retried(c)"),
    }


@pytest.mark.parametrize("name", leaks())
def test_a_counterexample_proves_itself(name):
    """The test that is written of a refutation passes on the real engine, and fails where the engine does not do what it says."""
    flow, text = leaks()[name]
    found = check(flow, [text]).findings[-1]
    assert found.verdict is REFUTED
    source = pytest_file(flow.compiled, flow.definition, found.events, text)
    run_test(source)
    with pytest.raises((AssertionError, ValueError)):
        run_test(source.replace("    begun = [", "    begun = ['nothing of that name', "))


def run_test(source):
    """Run the file that was written."""
    names: dict = {}
    exec(compile(source, "counterexample", "exec"), names)  # noqa: S102  # the file that was just written
    names["test_counterexample"]()


def test_a_replayed_test_needs_the_leak():
    """The test that a leak wrote fails on the workflow without it."""
    flow = pay(on_reject="skip")
    text = "never ran(charge) unless confirmed(ask)"
    source = pytest_file(flow.compiled, flow.definition, check(flow, [text]).findings[-1].events, text)
    assert "on_reject='skip'" in source
    with pytest.raises(AssertionError):
        run_test(source.replace("on_reject='skip'", "on_reject='cancel'"))


def test_a_counterexample_is_the_shortest():
    """No run with fewer events breaks it: the person rejects at once."""
    found = check(pay(), [never(ran("charge")).unless(confirmed("ask"))]).findings[-1]
    assert [(event.at, event.trigger) for event in found.events] == [("", "start"), ("ask", "reject")]


def test_a_story_says_who_decided_what():
    """Each event is a line with what became of each component; at the end stand the phases."""
    flow = pay()
    found = check(flow, ["at_most 1 ran(charge)"]).findings[-1]
    assert story(flow.compiled.program, found.events) == [
        "  1. the run starts: ask awaiting confirmation",
        "  2. a person rejects ask (confirmation): ask skipped, charge running",
        "  3. charge fails: charge errored paused",
        "  4. a person says retry to the error of charge: charge running",
        "     then: the run is running; ask skipped, charge running",
    ]


def test_real_attempts_and_turns_are_told():
    """Situations forget attempts and how often a Router has chosen; a story has them."""
    flow = Workflow("w", [say("a", on_error="pause")])
    told = beats(flow.compiled.program, check(flow, ["at_most 3 ran(a)"]).findings[-1].events)
    assert [beat.event.attempt for beat in told[1:]] == [0, 0, 1, 1, 2, 2]
    router = Router("r", [say("a")], work, requires_output_review=True, on_reject="retry", hitl_max_retries=2)
    steered = Workflow("w", [router])
    told = beats(steered.compiled.program, check(steered, ["at_most 2 ran(a)"], assume=["never fails(a)"]).findings[-1].events)
    assert [beat.event.turn for beat in told if beat.event.at == "r/a"] == [(0,), (1,)]


def test_a_diagram_says_what_the_story_says():
    """The sequence diagram has a line for each event, from whoever did it; characters that Mermaid reads are written as codes."""
    flow = Workflow("w", [say("a;b", requires_confirmation=True)])
    drawn = mermaid(flow.compiled.program, check(flow, ["never ran(a;b)"]).findings[-1].events)
    assert "  P->>E: a person confirms a#59;b (confirmation)\n  E->>C: a#59;b running\n" in drawn
    assert "  E-->>P: a#59;b awaiting confirmation\n" in drawn


def test_two_words_together_allow_what_one_does_not():
    """`and`: nothing is allowed before both have happened, in whichever order; one of them alone refutes, and later words begin anew."""
    gates = [say("ada", requires_confirmation=True), say("bob", requires_confirmation=True)]
    for beside in (gates, gates[::-1]):
        flow = Workflow("w", [Parallel(*beside, name="both"), say("wire")])
        both = never(ran("wire")).unless(confirmed("ada") & confirmed("bob"))
        found = check(flow, [both, str(both)])[str(both)]
        assert found.verdict is REFUTED  # each of them may be rejected, which skips it
        assert {event.trigger for event in found.events if event.at.startswith("both/")} >= {"reject"}
        strict = [say(name, requires_confirmation=True, on_reject="cancel") for name in ("ada", "bob")]
        assert verdict(Workflow("w", [Parallel(*strict, name="both"), say("wire")]), both) is PROVED
    flow = Workflow("w", [say("a"), say("b"), say("c")])
    assert verdict(flow, after(ran("a")).never(ran("c")).unless(completed("a") & ran("b"))) is PROVED
    assert verdict(flow, after(ran("a")).never(ran("c")).unless(completed("a") & fails("b"))) is REFUTED
    assert verdict(flow, never(ran("c")).unless(completed("a") & completed("b") & ran("b"))) is PROVED


def test_a_star_means_every_component():
    """`never stops(*)` leaves out every run in which any step says stop; where a component is called so, it means that one."""
    flow = Workflow("w", [Parallel(say("a"), say("b"), name="p"), Steps("s", [say("c")]), say("d")])
    end = responds(ran("p"), ran("d"))
    calm = [never(fails("*")), "assume never stops(*)"]
    assert verdict(flow, end) is REFUTED
    assert verdict(flow, end, assume=calm[:1]) is REFUTED
    assert verdict(flow, end, assume=calm) is PROVED
    named = Workflow("w", [say("*"), say("d")])
    assert verdict(named, responds(ran("*"), ran("d")), assume=[never(fails("*")), never(stops("*"))]) is PROVED
    assert verdict(named, responds(ran("d"), completed("d")), assume=[never(fails("*")), never(stops("*"))]) is REFUTED


# -- for machines ----------------------------------------------------------------------------------------------------------------


def test_reports_for_machines_agree():
    """JSON, SARIF and JUnit say the same verdicts, and can be read by those who read them."""
    flow = pay()
    report = check(flow, ["never ran(charge) unless confirmed(ask)", "after given(ask) never ran(mail)", "never expired(ask)"])
    program = flow.compiled.program
    plain = json.loads(json.dumps(document(report, program)))
    assert [each["verdict"] for each in plain["findings"][-3:]] == ["REFUTED", "VACUOUS", "PROVED"]
    assert plain["findings"][-3]["run"][-1]["said"] == "a person rejects ask (confirmation)"
    assert plain["findings"][-3]["phases"] == {"ask": "skipped", "charge": "running", "mail": "pending"}
    assert plain["exit_code"] == 1
    scan = json.loads(json.dumps(sarif(report, program, "pay.py")))["runs"][0]
    assert [each["level"] for each in scan["results"][-3:]] == ["error", "error", "none"]
    assert len({rule["id"] for rule in scan["tool"]["driver"]["rules"]}) == len(report.findings)
    suite = ET.fromstring(junit(report, program))  # noqa: S314  # what was just written
    assert (suite.get("failures"), suite.get("errors")) == ("2", "0")
    assert [len(case) for case in suite][-3:] == [1, 1, 0]


def test_a_rule_of_sarif_is_that_of_one_property_and_open_is_no_failure():
    """Properties whose texts differ in signs alone have different rules; what was not decided is open, without a level."""
    flow = Workflow("w", [say("a b"), say("a-b"), say("a.b")])
    report = check(flow, [f"never ran({name})" for name in ("a b", "a-b", "a.b")], max_states=1)
    scan = sarif(report, flow.compiled.program, "w.py")["runs"][0]
    rules = [rule["id"] for rule in scan["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules) == len(report.findings)
    assert [result["ruleId"] for result in scan["results"]] == rules
    said = {
        (found.verdict.value, each["kind"], each["level"]) for found, each in zip(report.findings, scan["results"], strict=True)
    }
    assert said == {("UNDETERMINED", "open", "none"), ("PROVED", "pass", "none"), ("REFUTED", "fail", "error")}


def test_an_undetermined_case_is_an_error_for_junit():
    """A cap is an error there, not a pass and not a failure."""
    flow = pay()
    suite = ET.fromstring(junit(check(flow, max_states=1), flow.compiled.program))  # noqa: S314  # what was just written
    assert suite.get("failures") == "0"
    assert int(suite.get("errors") or 0) > 0
