"""agno: `Workflow` with function steps; it stores a run where it pauses or ends, and journals nothing between."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from agno.db.sqlite import SqliteDb
from agno.workflow import Step, Workflow
from agno.workflow.types import HumanReview, StepInput, StepOutput

from tests.bench.peers.timing import Work, asked, different, reviews, steps, tell


def trivial(_: StepInput) -> StepOutput:
    """Do next to nothing."""
    return StepOutput(content=different())


def running(length: int, db: Any = None) -> Work:
    """A run of so many trivial steps, in a session of its own: a session's row grows with its runs."""
    workflow = Workflow(name="linear", steps=[Step(name=f"s{n}", executor=trivial) for n in range(length)], db=db, telemetry=False)
    return lambda: workflow.run(input="x", session_id=str(uuid4()))


def reviewing(db: Any, *, own_session: bool) -> Work:
    """A pause before the second of three steps, a yes, and the rest; each in one session, or in a session of its own."""
    gate = Step(name="b", executor=trivial, human_review=HumanReview(requires_confirmation=True))
    three = [Step(name="a", executor=trivial), gate, Step(name="c", executor=trivial)]
    workflow = Workflow(name="gated", steps=three, db=db, telemetry=False)

    def work() -> None:
        output = workflow.run(input="x", session_id=str(uuid4()) if own_session else None)
        for requirement in output.steps_requiring_confirmation:
            requirement.confirm()
        ended = workflow.continue_run(output)
        if str(ended.status.value).lower() != "completed":
            raise AssertionError(ended.status)

    return work


def main() -> None:
    """Measure and print."""
    lengths, runs, folder = asked()
    tell(
        ["agno", "sqlalchemy"],
        memory=steps(running, lengths),
        durable=steps(lambda length: running(length, SqliteDb(db_file=str(folder / f"steps-{length}.db"))), lengths),
        reviews=reviews(reviewing(SqliteDb(db_file=str(folder / "reviews.db")), own_session=True), runs),
        reviews_one_session=reviews(reviewing(SqliteDb(db_file=str(folder / "session.db")), own_session=False), runs),
        setting="stores at a pause and at the end only; telemetry off",
    )


if __name__ == "__main__":
    main()
