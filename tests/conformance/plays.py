"""How a world answers a random workflow. `play` drives one run with answers from a string of bytes, and keeps what could be seen of it.

Calls of different branches of a Parallel come in any order, so what was seen of such a plan is compared sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from json import loads
from typing import Any

from attrs import field, frozen

from statecore import Workflow, WorkflowRunOutput
from statecore.run.workflow import RunEvent, StepOutputDelta
from statecore.stores import RunReader
from tests.conformance.drive import Calls, Drive
from tests.conformance.plans import Plans, components, has_branches

CANCELS, WAITS = 245, 225  # an answer from here on cancels the run; one from here on is put off, where another is given


@frozen
class Play:
    """A run from its start to its end, and all that could be seen of it; sorted where no order is given."""

    made: Plans
    workflow: Workflow
    calls: Calls
    run: WorkflowRunOutput
    rests: list[WorkflowRunOutput] = field(repr=False)
    raised: list[str]
    events: list[RunEvent] = field(repr=False)

    def ordered(self, found: list[Any]) -> list[Any]:
        """What was found, in an order that every play of this plan has."""
        return sorted(found, key=repr) if has_branches(self.made) else found

    @property
    def history(self) -> list[tuple[Any, ...]]:
        """Its journal, without times; rows that speak of other rows name them by their place."""
        journal = self.workflow.db.journal(self.run.run_id)
        places = {entry.seq: (entry.at, entry.turn, entry.attempt) for entry in journal}

        def said(detail: str) -> Any:
            particulars = loads(detail) if detail else {}
            return particulars | ({"of": placed(places, particulars["of"])} if "of" in particulars else {})

        return self.ordered(
            [(e.machine, e.at, e.turn, e.attempt, e.source, e.trigger, e.dest, said(e.body.detail), e.body.value) for e in journal]
        )

    @property
    def seen(self) -> dict[str, Any]:
        """What has to be the same in every colour and store, beside the journal."""
        return {
            "status": self.run.status,
            "content": self.run.content,
            "session_state": self.run.session_state,
            "results": [untimed(output.to_dict()) for output in self.run.step_results],
            "calls": self.ordered(self.calls.seen),
            "raised": self.raised,
            "questions": [sorted((each.pause_id, each.kind) for each in rest.requirements) for rest in self.rests],
        }

    @property
    def told(self) -> list[dict[str, Any]]:
        """What a stream told, without times and ids; the pieces of branches come as far as they have come when another branch ends the run."""
        own = ("run_id", "session_id", "created_at", "step_results")
        heard = [event for event in self.events if not (has_branches(self.made) and isinstance(event, StepOutputDelta))]
        plain = [event.to_dict() for event in heard]
        results = [[untimed(each) for each in event.get("step_results", ())] for event in plain]
        return self.ordered(
            [
                {k: v for k, v in event.items() if k not in own} | {"results": done}
                for event, done in zip(plain, results, strict=True)
            ]
        )


def untimed(output: dict[str, Any]) -> dict[str, Any]:
    """An output's plain data without the times at which people decided, and that it took."""
    decisions = [{**each, "time": ""} for each in output["decisions"]]
    return {**output, "metrics": {}, "decisions": decisions, "steps": [untimed(each) for each in output["steps"]]}


def placed(places: Mapping[int, Any], rows: Any) -> Any:
    """The places of journal rows, as deep as a Parallel nests them."""
    return {name: placed(places, row) for name, row in rows.items()} if isinstance(rows, dict) else places.get(rows)


def play(made: Plans, script: bytes, drive: Drive, db: RunReader, run_id: str) -> Play:
    """Run a plan; each byte of the script answers one question, and where the script ends the run goes forward."""
    calls = Calls()
    workflow = Workflow("flow", components(calls, "", made), db, session_id=f"session of {run_id}")
    rests: list[WorkflowRunOutput] = []
    raised: list[str] = []
    events: list[RunEvent] = []
    said = iter(script)
    run = step(drive, workflow, run_id, lambda: drive.run(workflow, {"for": "all"}, run_id=run_id), raised)
    while True:
        events += drive.events
        rests.append(run)
        if run.status.value in ("COMPLETED", "CANCELLED"):
            return Play(made, workflow, calls, run, rests, raised, events)
        assert len(rests) < 1_000, "the run does not end"
        again: Callable[[], WorkflowRunOutput]
        if run.is_paused and decide(workflow, run, said):
            again = lambda paused=run: drive.resume(workflow, paused)  # type: ignore[misc]  # noqa: E731
        elif run.is_paused:
            drive.events = []
            again = lambda: workflow.get_run_output(run_id)  # noqa: E731  # it was cancelled
        else:
            failed = run.status.value == "ERROR"
            again = lambda failed=failed: drive.resume(workflow, run_id=run_id, retry_failed=failed)  # type: ignore[misc]  # noqa: E731
        run = step(drive, workflow, run_id, again, raised)


def step(
    drive: Drive, workflow: Workflow, run_id: str, go: Callable[[], WorkflowRunOutput], raised: list[str]
) -> WorkflowRunOutput:
    """Let a run go on to where it rests; what came out of it is remembered by name."""
    try:
        return go()
    except BaseException as error:
        if type(error).__name__ not in (
            "Failure",
            "KeyboardInterrupt",
            "StepFailed",
            "UnstorableValue",
            "InvalidAnswer",
            "NotABool",
        ):
            raise
        raised.append(type(error).__name__)
        return workflow.get_run_output(run_id)


def decide(workflow: Workflow, run: WorkflowRunOutput, said: Iterator[int]) -> bool:
    """Answer what a run asks, on the requirement or in the store; False where it was cancelled instead."""
    decided = False
    open_ones = sorted((each for each in run.requirements if not each.is_resolved), key=lambda each: each.pause_id)
    for index, asked in enumerate(open_ones, 1):
        answer = next(said, 0)
        if answer >= CANCELS:
            assert workflow.cancel_run(run.run_id)
            return False
        if answer >= WAITS and (decided or index < len(open_ones)):
            continue
        word, given = decision(asked, answer)
        decided = True
        if answer % 5 == 1:
            workflow.decide(run.run_id, asked.pause_id, word, value=given, by="ann")
        else:
            asked.decide(word, given, by="ann")
    return True


def decision(asked: Any, answer: int) -> tuple[str, Any]:
    """The word and the value of an answer to one question; 0 goes forward."""
    fitting: list[tuple[str, Any]]
    match asked.kind:
        case "confirmation":
            fitting = [("confirm", None), ("reject", "no")]
        case "user_input":
            fitting = [("input", {"n": answer}), ("reject", None)]
        case "route":
            fitting = [("select", chosen(asked, answer)), ("reject", None)]
        case "output_review":
            fitting = [("confirm", None), ("reject", f"no {answer}"), ("edit", {"edited": answer}), ("edit", None)]
        case "iteration_review":
            fitting = [("confirm", None), ("reject", f"again {answer}")]
        case _:
            fitting = [("retry", None), ("skip", None), *[("provide", {"provided": answer})] * ("provide" in asked.words)]
    return fitting[answer % len(fitting)]


def chosen(asked: Any, answer: int) -> list[str]:
    """A selection: one choice, or all of them backwards where several are allowed."""
    names = list(asked.available_choices)
    return names[::-1] if asked.allow_multiple_selections and answer % 4 else [names[answer % len(names)]]
