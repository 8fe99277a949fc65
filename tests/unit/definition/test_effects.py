"""Each setting alone, and each pair, is refused by its name or changes what happens (GATE-1): enumerated from the code, judged by the core.

What happens is everything that a caller, a person or the user's code could see in any run: which situations there are, what is asked in
them and until when, how long a delay is, what each event leads to, and which content the next component sees.
"""

from __future__ import annotations

import inspect
from functools import cache
from itertools import combinations, product
from typing import Any

import pytest

from statecore import Approval, Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.check.advice import advice
from statecore.check.graph import Budget, explore
from statecore.check.world import World
from statecore.core import advance, asks
from statecore.core.owed import timers
from statecore.definition.review import SUPPORTED
from statecore.errors import DefinitionError, UnsupportedSetting


def code(_about):
    """Stand for user code, which the core never calls."""
    raise AssertionError


VALUES: dict[str, tuple[Any, ...]] = {
    "requires_confirmation": (True,),
    "confirmation_message": ("Well?",),
    "allow_edit": (True,),
    "requires_user_input": (True,),
    "user_input_message": ("Well?",),
    "user_input_schema": ([{"name": "n"}],),
    "user_input_check": (code,),
    "allow_multiple_selections": (True,),
    "requires_output_review": (True, code),
    "output_review_message": ("Well?",),
    "requires_iteration_review": (True,),
    "iteration_review_message": ("Well?",),
    "on_reject": ("cancel", "retry"),
    "on_error": ("skip", "pause"),
    "hitl_max_retries": (1,),
    "timeout": (60,),
    "on_timeout": ("skip", "approve"),
    "dangerous": (True,),
    "approval": (Approval(2), Approval(of="role:finance")),
    "max_retries": (1, 2),
    "retry_delay": (5,),
    "backoff": (2,),
    "execution_timeout": (30,),
    "skip_on_failure": (True,),
    "on_interrupt": ("pause", "fail"),
    "step_id": ("id",),
    "evaluator": (code, False),
    "end_condition": (code, False),
    "forward_iteration_output": (True,),
    "max_iterations": (1, 2),
    "max_concurrency": (1,),
    "version": (1,),
    "may_ask": (1, 2),
}
"""Values that are not the default; a new setting needs a line."""
STRUCTURE = {
    "self",
    "name",
    "executor",
    "workflow",
    "agent",
    "team",
    "steps",
    "else_steps",
    "choices",
    "selector",
    "human_review",
    "settings",
}
SHOWN = {"description"}
"""It is documentation: it is in the plain form and decides nothing."""
CLASSES: dict[str, Any] = {
    "Step": Step,
    "Step(workflow)": Step,
    "Steps": Steps,
    "Condition": Condition,
    "Loop": Loop,
    "Router": Router,
    "Parallel": Parallel,
}
SAME = {
    frozenset({"skip_on_failure", "on_error"}): "two words for one policy",
    frozenset({"requires_confirmation", "requires_user_input"}): "INPUT-3: the two are one pause of a Step",
    frozenset({"on_interrupt", "on_error"}): "on_interrupt='pause' is the default beside on_error='pause'",
    frozenset(
        {"max_iterations", "requires_iteration_review"}
    ): "a bound that is not reached: without a retry, the review ends the loop",
    frozenset({"dangerous", "requires_confirmation"}): "a mark; a component that asks first itself is named behind no other gate",
    frozenset({"dangerous", "requires_user_input"}): "the same",
}
"""Pairs that may say the same; the second word is no wrong expectation."""


def settings_of(kind: str) -> list[str]:
    """The settings of a kind of component: of its constructor, and of a review."""
    own = set(inspect.signature(CLASSES[kind].__init__).parameters) - STRUCTURE - SHOWN
    flat = {{"max_retries": "hitl_max_retries"}.get(name, name) for name in SUPPORTED[kind]}
    return sorted(own | flat)


def made(kind: str, settings: dict[str, Any]) -> Any:
    """A component of a kind under these settings."""
    inside = [Step("a", code), Step("b", code)]
    makers: dict[str, Any] = {
        "Step": lambda: Step("it", code, **settings),
        "Step(workflow)": lambda: Step("it", workflow=Workflow("inner", inside), **settings),
        "Steps": lambda: Steps("it", inside, **settings),
        "Condition": lambda: Condition("it", inside[:1], inside[1:], **settings),
        "Loop": lambda: Loop("it", inside, **settings),
        "Router": lambda: Router("it", inside, None if settings.get("requires_user_input") else code, **settings),
        "Parallel": lambda: Parallel(*inside, name="it", **settings),
    }
    return makers[kind]()


Setting = tuple[str, int]
"""A setting, and which of its values."""


@cache
def behaviour(kind: str, chosen: frozenset[Setting]) -> Any:
    """What happens in all runs of a workflow with such a component; the error where it is refused."""
    try:
        component = made(kind, {name: VALUES[name][which] for name, which in chosen})
        compiled = Workflow("flow", [Step("before", code, requires_confirmation=True), component, Step("after", code)]).compiled
    except DefinitionError as refused:
        return refused
    graph = explore(World(compiled, crashes=True), Budget(50_000, 60))
    assert graph.complete
    labels = [(node.step_id, node.name, node.version, node.rule) for node in compiled.program.nodes.values()]
    limits = [getattr(each, "execution_timeout", None) for each in compiled.components.values()]  # a driver keeps them (RUN-11)
    limits += [each.human_review.user_input_check for each in compiled.components.values() if hasattr(each, "human_review")]
    return labels, limits, advice(compiled), [situation(compiled, state, graph.out[n]) for n, state in enumerate(graph.states)]


def situation(compiled: Any, state: Any, edges: Any) -> Any:
    """What is seen in a situation, and what each event leads to."""
    program, seen = compiled.program, []
    for ask in asks(program, state):
        node = program.nodes[ask.at]
        form = node.form if ask.kind == "user_input" else node.multiple if ask.kind == "route" else None
        due = node.limits.timeout if ask.due is not None else None
        seen.append((ask.kind, ask.at, node.asks.get(ask.kind), form, due))
    led = []
    for edge in edges:
        after = advance(program, state, edge.event)
        contents = [(each.at, each.phase, getattr(each.prev, "at", None)) for each in after.state.cursors]
        waits = [(timer.at, timer.due) for timer in timers(program, after.state)]
        led.append((edge.event.trigger, edge.event.at, edge.event.choices, edge.target, after.moves, contents, waits))
    return seen, led


def named_in(error: DefinitionError, names: set[str]) -> bool:
    """Whether a refusal names one of the settings."""
    return any(name in str(error) for name in names)


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("kind", list(CLASSES))
def test_each_setting_alone_is_refused_or_seen(kind):
    """A component with one setting is refused by the setting's name, or differs from the plain one in what happens."""
    plain = behaviour(kind, frozenset())
    silent: list[Any] = []
    for name in settings_of(kind):
        for which in range(len(VALUES[name])):
            found = behaviour(kind, frozenset({(name, which)}))
            if named_in(found, {name}) if isinstance(found, DefinitionError) else found != plain:
                continue
            silent.append((name, VALUES[name][which], found if isinstance(found, DefinitionError) else "accepted and ignored"))
    assert silent == []


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("kind", list(CLASSES))
def test_each_pair_of_settings_is_refused_or_seen(kind):
    """Beside any other setting, too: a pair is refused by a name, or each of the two changes what happens under the other one."""
    silent: list[Any] = []
    for one, other in combinations(settings_of(kind), 2):
        if frozenset({one, other}) in SAME:
            continue
        for which in product(range(len(VALUES[one])), range(len(VALUES[other]))):
            pair = frozenset({(one, which[0]), (other, which[1])})
            found = behaviour(kind, pair)
            if isinstance(found, DefinitionError):
                if not named_in(found, {one, other}):
                    silent.append((one, other, found))
                continue
            for each in pair:
                alone = behaviour(kind, pair - {each})
                if not isinstance(alone, DefinitionError) and found == alone:
                    silent.append((each[0], VALUES[each[0]][each[1]], "is ignored beside", next(iter(pair - {each}))))
    assert silent == []


def test_the_refusals_are_unsupported_settings():
    """The refusals of lone settings are those of the table."""
    found = behaviour("Step", frozenset({("timeout", 0)}))
    assert isinstance(found, UnsupportedSetting)
