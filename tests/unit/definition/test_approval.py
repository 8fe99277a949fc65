"""An `Approval` is checked where it is written, is part of the definition, and is never ignored (AUTH-1, AUTH-5, AUTH-6)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from statecore import (
    Approval,
    Condition,
    Escalate,
    HumanReview,
    InMemoryDb,
    Loop,
    Parallel,
    Person,
    Router,
    RunFilter,
    SqliteDb,
    Step,
    Steps,
    Workflow,
    pause,
    requester,
)
from statecore.core import stored_program
from statecore.core.rule import Escalation, Rule
from statecore.core.weaker import weakened
from statecore.definition.approval import as_person
from statecore.errors import DefinitionError, UnreadableValue, UnsupportedSetting

HOUR = timedelta(hours=1)


def work(_about: object) -> str:
    """Stand for user code."""
    return "done"


def nothing() -> list[str]:
    """Take no argument."""
    return []


def picks(_run_context: object) -> list[str]:
    """Name the people of a run."""
    return ["role:finance"]


def wrong(value: object) -> Any:
    """A value that its parameter does not allow."""
    return value


FULL: dict[str, Any] = {
    "k": 2,
    "of": ["role:finance", "ann"],
    "also": "role:legal",
    "exclude": [requester, "review"],
    "comment": "on_reject",
    "escalate": [Escalate(24 * HOUR, "role:cfo", k=1, instead=True), (48 * HOUR, "dan")],
    "via": {"oidc", "link"},
    "delegate": "role:deputy",
}


def payout(approval: Any, **settings: Any) -> Workflow:
    """A payment behind a review."""
    gate: dict[str, Any] = {"requires_confirmation": True, **settings}
    return Workflow("payout", [Step("review", work, requires_confirmation=True), Step("pay", work, approval=approval, **gate)])


def rule(workflow: Workflow) -> Rule:
    """The rule of the payment."""
    found = workflow.compiled.program["pay"].rule
    assert found is not None
    return found


WRONG: list[tuple[Any, str]] = [
    (lambda: Approval(True), "k must be a whole number of people, from 1, not True. Write k=2"),
    (lambda: Approval(0), "k must be a whole number of people"),
    (lambda: Approval(wrong(1.0)), "k must be a whole number of people"),
    (lambda: Approval(2, of="ann"), "A person fills one seat: name more, or lower k"),
    (lambda: Approval(1, of=["ann"], also=["ann"]), "A person fills one seat"),
    (lambda: Approval(of=[]), "of must be at least one person or role"),
    (lambda: Approval(of=["ann", "ann"]), "of names 'ann' twice"),
    (lambda: Approval(of="role:"), "of must be the name of a person, or role:"),
    (lambda: Approval(of="  "), "of must be the name of a person, or role:"),
    (lambda: Approval(of=7), "of must be the name of a person, or role:"),
    (lambda: Approval(of=nothing), "is called with one argument"),
    (lambda: Approval(also=[3]), "also must be the name of a person"),
    (lambda: Approval(exclude=5), "exclude must be requester, or the name of an earlier gate"),
    (lambda: Approval(exclude=["ok", 5]), "exclude must be requester, or the name of an earlier gate"),
    (lambda: Approval(exclude=[requester, requester]), "twice"),
    (lambda: Approval(comment="always!"), "comment='always!' means nothing. Did you mean 'always'?"),
    (lambda: Approval(escalate=3), "escalate must be a list of Escalate"),
    (lambda: Approval(escalate=["role:cfo"]), "escalate must be a list of Escalate"),
    (lambda: Escalate(0, "dan"), "after must be a positive number of seconds or a timedelta"),
    (lambda: Escalate(None, "dan"), "after must be a positive number of seconds or a timedelta"),
    (lambda: Escalate(HOUR, []), "to must be at least one person or role"),
    (lambda: Escalate(HOUR, "dan", k=True), "k must be a whole number of people"),
    (lambda: Escalate(HOUR, "dan", instead=wrong(1)), "instead must be True or False"),
    (lambda: Approval(via=[]), "via must be one or more ways of authentication"),
    (lambda: Approval(via={"mcp", "oidc"}), "what acts for an agent never decides"),
    (lambda: Approval(delegate=4), "delegate must be the name of a person"),
    (lambda: Person(""), "A Person needs a name that is not blank"),
    (lambda: Person(" \t"), "A Person needs a name that is not blank"),
    (lambda: Person("role:cfo"), "does not begin with role:"),
    (lambda: Person("half\ud800"), "A Person needs a name"),
    (lambda: Person("ada", via=""), "via must be a way of authentication"),
    (lambda: Person("ada", roles=3), "roles must be names of roles"),
    (lambda: Person("ada", roles=["role:cfo"]), "Write 'cfo'"),
    (lambda: Step("pay", work, requires_confirmation=True, approval=wrong(3)), "approval must be an Approval, not 3"),
    (lambda: HumanReview(approval={"k": 2, "off": "x"}), "An Approval has no 'off'. Did you mean 'of'?"),
    (lambda: Workflow("w", [work], people=wrong(3)), "people of Workflow 'w' must be a function"),
    (lambda: Workflow("w", [work], people=wrong(nothing)), "The people of Workflow 'w' is called with one argument"),
    (lambda: Workflow("w", [work], require_identity=wrong("no")), "require_identity of Workflow 'w' must be True or False"),
]


@pytest.mark.spec("AUTH-1", "AUTH-6")
@pytest.mark.parametrize(("made", "says"), WRONG)
def test_a_wrong_approval_is_refused_where_it_is_written(made, says):
    """Each wrong part is refused by its name, with the line to write."""
    with pytest.raises(DefinitionError) as refused:
        made()
    assert says in str(refused.value)


@pytest.mark.spec("AUTH-1", "AUTH-5", "GATE-1")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"requires_confirmation": False}, "approval: it has no effect without requires_confirmation=True"),
        ({"timeout": 60, "on_timeout": "approve"}, "on_timeout='approve': the approval says who decides"),
        ({"timeout": 24 * 3600}, "an escalation: it comes after 172800 s, and the deadline is over after 86400 s"),
        ({"timeout": 49 * 3600}, None),
    ],
)
def test_what_an_approval_needs_beside_it(settings, says):
    """An approval needs a question; silence is no approval; an escalation comes before the deadline."""
    if says is None:
        assert rule(payout(Approval(**FULL), **settings)).k == 2
        return
    with pytest.raises(UnsupportedSetting) as refused:
        payout(Approval(**FULL), **settings)
    assert says in str(refused.value)


def gate(name: str = "review", **settings: Any) -> Step:
    """A step that asks first."""
    return Step(name, work, requires_confirmation=True, **settings)


PAY = gate("pay", approval=Approval(exclude="review"))
LATER = [
    ([gate(), PAY], None),
    ([Steps("group", [gate()]), PAY], None),
    ([Parallel(gate(), Step("other", work)), PAY], None),
    ([Loop("loop", [gate(), PAY])], None),
    ([gate(), Loop("loop", [PAY])], None),
    ([Step("review", work, requires_output_review=True, on_reject="retry"), PAY], None),
    ([PAY], "there is no earlier gate of that name"),
    ([Step("review", work), PAY], "it is not certain that this component asks a person"),
    ([Step("review", work, requires_output_review=bool), PAY], "it is not certain that this component asks a person"),
    ([PAY, gate()], "not every way to this component passes it"),
    ([Parallel(gate(), PAY)], "not every way to this component passes it"),
    ([Condition("maybe", [gate()], evaluator=work), PAY], "not every way to this component passes it"),
    ([Step("review", work, on_error="skip", requires_output_review=True), PAY], "not every way to this component passes it"),
    ([Router("one", [gate(), Step("other", work)], selector=work), PAY], "not every way to this component passes it"),
    ([Loop("loop", [gate()]), PAY], "it is asked in each turn of a Loop that has ended"),
    ([gate(), Steps("group", [gate()]), PAY], "2 components have that name"),
]


@pytest.mark.spec("AUTH-1")
@pytest.mark.parametrize(("steps", "says"), LATER)
def test_an_earlier_gate_is_passed_on_every_way(steps, says):
    """A gate may be named only where every way to the component passes it in the same turn; else the refusal says what is wrong."""
    if says is None:
        program = Workflow("w", steps).compiled.program
        [found] = [node.rule for node in program.nodes.values() if node.rule is not None]
        assert [program[at].name for at in found.gates] == ["review"]
        return
    with pytest.raises(UnsupportedSetting) as refused:
        Workflow("w", steps)
    assert f"exclude='review' of an Approval: {says}" in str(refused.value)


@pytest.mark.spec("AUTH-1")
def test_the_three_spellings_and_plain_data_give_one_rule():
    """Flat, `HumanReview`, `@pause` and what `to_dict` wrote (through JSON, too) give the same program, with the whole rule in it."""
    approval = Approval(**FULL)
    flat = payout(approval)
    review = HumanReview(requires_confirmation=True, approval=approval)
    whole = Workflow("payout", [gate(), Step("pay", work, human_review=review)])
    marked = pause("pay", requires_confirmation=True, approval=approval)(lambda _about: "done")
    decorated = Workflow("payout", [Step("review", work, requires_confirmation=True), marked])
    plain = json.loads(json.dumps(flat.to_dict()))
    again = Workflow.from_dict(plain, {f"{__name__}.work": work})
    programs = [each.compiled.program for each in (flat, whole, decorated, again)]
    assert len({each.fingerprint for each in programs}) == 1
    assert rule(again) == Rule(
        k=2,
        of=("role:finance", "ann"),
        also=("role:legal",),
        requester=True,
        gates=("review",),
        comment="on_reject",
        escalations=(Escalation(86_400_000_000, ("role:cfo",), 1, True), Escalation(172_800_000_000, ("dan",))),
        via=("link", "oidc"),
        delegates=("role:deputy",),
    )
    pay: Any = again.definition.steps[1]
    assert pay.approval == approval


def test_a_callable_of_the_run_is_named_and_brought_along():
    """The people of a callable are computed later; plain data name the callable, and the rule is the same whatever its name."""
    workflow = payout(Approval(of=picks))
    again = Workflow.from_dict(workflow.to_dict(), {f"{__name__}.work": work, f"{__name__}.picks": picks})
    assert (rule(again).is_computed, rule(again).named(["b", "a", "b"]).of) == (True, ("a", "b"))
    with pytest.raises(DefinitionError, match="picks"):
        Workflow.from_dict(workflow.to_dict(), {f"{__name__}.work": work})


@pytest.mark.spec("AUTH-1")
def test_a_rule_is_in_the_fingerprint_and_in_a_stored_program():
    """Each part changes the fingerprint; without an approval nothing does; a stored program has the rule."""
    bare = payout(None).compiled.program
    found = {bare.fingerprint}
    for name, value in FULL.items():
        program = payout(Approval(**{name: value})).compiled.program
        assert stored_program(program.canonical)["pay"].rule == program["pay"].rule
        found.add(program.fingerprint)
    assert len(found) == len(FULL) + 1
    versioned = Workflow("v", [gate("pay", version=3, approval=Approval(2))]).compiled.program
    assert (stored_program(versioned.canonical)["pay"].version, stored_program(versioned.canonical).fingerprint) == (
        3,
        versioned.fingerprint,
    )
    assert bare.fingerprint == "038e09e37edf9679befd3511ebad183d1ff6a5c683db41700b190eb85a8e941e"


@pytest.mark.spec("AUTH-1", "AUTH-6")
def test_require_identity_gives_each_question_a_rule():
    """A workflow that requires identity, or a nested one inside it, has a rule for each component, which refuses declared names."""
    inner = Workflow("inner", [gate("inside")], require_identity=True)
    program = Workflow("outer", [gate("outside"), inner, Step("step", workflow=inner)]).compiled.program
    ruled = {at for at, node in program.nodes.items() if node.rule is not None and node.rule.identified}
    assert ruled == {"inner/inside", "step/inside"}
    whole = Workflow("outer", [gate("outside")], require_identity=True)
    assert whole.compiled.program["outside"].rule == Rule(identified=True)
    assert Workflow.from_dict(whole.to_dict(), {f"{__name__}.work": work}).definition.require_identity


@pytest.mark.spec("AUTH-1")
def test_a_condition_whose_no_leads_on_is_marked():
    """Where a no takes the else branch it needs the rule, too."""
    settings: dict[str, Any] = {"requires_confirmation": True, "approval": Approval(2)}
    forked = Workflow("w", [Condition("fork", [work], [Step("other", work)], **settings)]).compiled.program["fork"].rule
    alone = Workflow("w", [Condition("fork", [work], **settings)]).compiled.program["fork"].rule
    assert (forked, alone) == (Rule(k=2, no_holds=True), Rule(k=2))


@pytest.mark.spec("AUTH-1")
@pytest.mark.parametrize(
    "text", ["", "[]", '{"new":1}', '{"k":true}', '{"k":0}', '{"of":"ann"}', '{"requester":false}', "{" * 9000]
)
def test_an_unknown_rule_is_refused(text):
    """A stored rule with a part that this release does not know is refused, never guessed; a known one comes back equal."""
    with pytest.raises(UnreadableValue, match="who may decide"):
        Rule.read(text)
    whole = rule(payout(Approval(**FULL)))
    assert (Rule.read(whole.text()), Rule.read("{}")) == (whole, Rule())


WEAKER: list[tuple[Approval | None, Approval | None, bool]] = [
    (Approval(2), None, True),
    (None, Approval(2), False),
    (Approval(2), Approval(1), True),
    (Approval(1), Approval(2), False),
    (Approval(also="role:legal"), Approval(), True),
    (Approval(exclude=requester), Approval(), True),
    (Approval(exclude="review"), Approval(), True),
    (Approval(of="role:a"), Approval(of=["role:a", "role:b"]), True),
    (Approval(of=["role:a", "role:b"]), Approval(of="role:a"), False),
    (Approval(of="role:a"), Approval(), True),
    (Approval(of="role:a"), Approval(of=picks), True),
    (Approval(), Approval(of="role:a"), False),
    (Approval(comment="always"), Approval(comment="on_reject"), True),
    (Approval(via="oidc"), Approval(via={"oidc", "link"}), True),
    (Approval(), Approval(delegate="role:deputy"), True),
    (Approval(), Approval(escalate=(60, "role:cfo")), True),
    (Approval(escalate=(60, "role:cfo")), Approval(), False),
    (Approval(2), Approval(2), False),
]


@pytest.mark.spec("AUTH-1", "GATE-8")
@pytest.mark.parametrize(("old", "new", "is_weaker"), WEAKER)
def test_a_weaker_approval_is_a_weaker_gate(old, new, is_weaker):
    """A definition that asks less of those who decide weakens the gate; one that asks more does not."""
    before, after = (payout(each).compiled.program["pay"] for each in (old, new))
    assert ("the approval" in list(weakened(before, after))) is is_weaker


@pytest.mark.spec("AUTH-6")
def test_a_plain_name_is_a_declared_person_in_nfc():
    """Two spellings of one name are one person; via and claims are no part of who it is, as far as the name goes."""
    assert as_person("Ame\u0301lie") == Person("Am\u00e9lie", via="declared")
    known = Person("bob", via="oidc", roles={"finance"}, claims={"sub": 1})
    assert (as_person(known), known.name, known.roles) == (known, "bob", frozenset({"finance"}))
    assert Person("bob", via="oidc", roles=["finance"], claims={"sub": 2}) == known


@pytest.mark.spec("AUTH-1")
@pytest.mark.parametrize("setting", [{"approval": Approval(2)}, {}])
def test_a_store_without_votes_refuses_the_workflow(setting, tmp_path):
    """A store that keeps no votes refuses a start, a submission and a continuation under such a definition, by the component's name."""

    class Voteless(InMemoryDb):
        keeps_votes = False

    class VotelessFile(SqliteDb):
        keeps_votes = False

    for db in (Voteless(), VotelessFile(db_file=str(tmp_path / "runs.db"))):
        made = Workflow("payout", [gate("pay", **setting)], db, require_identity=not setting)
        for begin in (made.run, made.submit):
            with pytest.raises(UnsupportedSetting, match="the approval of 'pay'"):
                begin("x")
        assert db.runs(RunFilter()) == []
        plain = Workflow("payout", [gate("pay")], db)
        run = plain.run("x")
        run.steps_requiring_confirmation[0].confirm()
        with pytest.raises(UnsupportedSetting, match="the approval of 'pay'"):
            made.continue_run(run)
        assert plain.get_run_output(run.run_id).is_paused


def test_an_approval_without_escalations_and_one_with_a_pair():
    """None is none; a pair of a time and people is one escalation; a list of what is neither is refused."""
    assert Approval(escalate=wrong(None)).escalate == ()
    assert Approval(escalate=(60, "role:cfo")) == Approval(escalate=[Escalate(60, "role:cfo")])
    with pytest.raises(DefinitionError, match="escalate must be a list of Escalate"):
        Approval(escalate=wrong(((1, 2, 3),)))


def test_an_approval_that_is_no_plain_data_is_refused_when_it_is_read():
    """Plain data of a component may hold an `Approval` itself; anything else is refused by name."""
    plain, functions = gate(approval=Approval(2)).to_dict(), {f"{__name__}.work": work}
    assert Step.from_dict({**plain, "approval": Approval(2)}, functions).approval == Approval(2)
    with pytest.raises(DefinitionError):
        Step.from_dict({**plain, "approval": 3}, functions)


@pytest.mark.parametrize("parts", [3, [1, ["a"], None], [1, [], None, False], ["1", ["a"], None, False]])
def test_an_escalation_of_another_shape_is_no_rule(parts):
    """A stored rule whose escalation is not time, people, k and a flag is unreadable: the gate stays closed."""
    text = json.dumps({**json.loads(Rule(escalations=(Escalation(1, ("a",)),)).text()), "escalations": [parts]})
    with pytest.raises(UnreadableValue):
        Rule.read(text)
