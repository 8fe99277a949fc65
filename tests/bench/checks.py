"""How fast `check` draws the graph of a workflow: a product of small parallel branches, and the 22 components of the guide."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from statecore import Condition, Loop, Parallel, Step, Steps, Workflow
from statecore.check import Verdict, check, confirmed, never, ran
from statecore.check.graph import Budget, explore
from statecore.check.search import decide
from statecore.check.world import World
from tests.bench.measure import Row, Scale, at_most


def order() -> Workflow:
    """The workflow of specs/guide/checking.md: gates, two conditions, a bounded loop and three parallel branches."""
    return Workflow(
        "order",
        [
            Step("receive", len),
            Step("parse", len, max_retries=1),
            Condition(
                "known customer",
                [Step("look up", len)],
                [Step("register", len), Step("welcome", len, requires_confirmation=True)],
                evaluator=bool,
            ),
            Parallel(
                Steps("stock", [Step("count", len), Step("reserve", len, on_error="pause")]),
                Step("price", len, on_error="skip"),
                Step("fraud", len, requires_output_review=True, on_reject="skip"),
                name="inquiries",
            ),
            Loop(
                "negotiation",
                [Step("offer", len), Step("answer", len, requires_user_input=True)],
                max_iterations=3,
                end_condition=bool,
            ),
            Condition("large", [Step("manager", len, requires_confirmation=True)], evaluator=bool),
            Step("approve", len, requires_confirmation=True, on_reject="cancel"),
            Step("charge_card", len, on_error="pause"),
            Step("ship", len),
            Step("thank", len, on_error="skip"),
            Step("archive", len, max_retries=2),
        ],
    )


def product(branches: int) -> Workflow:
    """Parallel branches of gated steps that may fail: their situations multiply."""
    made = [
        Steps(f"b{n}", [Step(f"a{n}", len, requires_confirmation=True), Step(f"c{n}", len, on_error="pause")])
        for n in range(branches)
    ]
    return Workflow("product", [Parallel(*made, name="all")])


def checks(scale: Scale, folder: Path) -> list[Row]:
    """Seconds of the guide's check, and situations and events a second of a large one."""
    del folder
    took = []
    for _ in range(max(1, scale.rounds // 2)):
        begun = time.process_time()
        report = check(order(), [never(ran("charge_card")).unless(confirmed("approve"))])
        took.append(time.process_time() - begun)
        if report.findings[-1].verdict is not Verdict.proved:
            raise AssertionError("the gate of the guide's workflow holds")
    seconds = round(median(took), 3)
    rows = [
        Row(
            "check of the 22-component example",
            "s CPU",
            cpu=seconds,
            more={"situations": report.situations},
            **at_most(seconds, 0.5, "s"),
        )
    ]
    return [*rows, *rates(product(5 if scale.rounds > 1 else 2))]


def rates(workflow: Workflow) -> list[Row]:
    """How many situations a second are drawn, asking the core, and how many pairs a second a property is then walked over."""
    begun = time.process_time()
    graph = explore(World(workflow.compiled, crashes=False), Budget(1_000_000, 300))
    drawn = time.process_time() - begun
    wanted = never(ran("a0")).unless(confirmed("a0"))
    begun = time.process_time()
    walked = decide(graph, wanted, (), Budget(1_000_000, 300))
    spent = time.process_time() - begun
    if walked.verdict is not Verdict.proved:
        raise AssertionError("the gate of the product holds")
    pairs, events = round(len(graph.states) / spent), sum(map(len, graph.out))
    more = {"situations": len(graph.states), "events": events}
    return [
        Row("check, situations drawn, each event asked of the core", "1/s CPU", count=round(len(graph.states) / drawn), more=more),
        Row("check, events drawn", "1/s CPU", count=round(events / drawn)),
        Row("check, situations that a property walks over", "1/s CPU", count=pairs, target=">= 100000 /s", met=pairs >= 100_000),
    ]
