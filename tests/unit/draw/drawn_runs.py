"""A run with something of everything, for tests that draw it."""

from __future__ import annotations

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow


def work(step_input):
    """A step."""
    return step_input.step_name


def publishing(db=None):
    """A workflow whose first step fails twice, with a Parallel in a Loop in which one branch asks and one fails."""
    failures = [OSError("busy"), OSError("busy")]

    def fetch(_step_input):
        if failures:
            raise failures.pop()
        return "data"

    def fraud(_step_input):
        raise ValueError("no")

    legal = Steps("legal", [Step("read", work), Step("sign", work, requires_confirmation=True, timeout=7200, on_timeout="skip")])
    return Workflow(
        "publish",
        [
            Step("fetch", fetch, on_error="pause"),
            Condition("depth", [Step("detailed", work)], [Step("quick", work)], requires_confirmation=True),
            Loop(
                "rounds",
                [
                    Step("draft", work, requires_output_review=True, on_reject="retry"),
                    Parallel(legal, Step("price", work), Step("fraud", fraud, on_error="pause"), name="reviews"),
                ],
                max_iterations=3,
                end_condition=lambda _: False,
            ),
            Router("channel", [Step("mail", work), Step("print", work)], requires_user_input=True),
        ],
        db,
    )


def paused_in_a_loop():
    """The run of it that waits in the second iteration: for an answer of two questions, of which one is decided and not applied yet."""
    workflow = publishing()
    run = workflow.run()
    for _ in range(2):
        run.steps_with_errors[0].retry(by="ada")
        run = workflow.continue_run(run)
    run.steps_requiring_confirmation[0].reject(by="bob")
    run = workflow.continue_run(run)
    run.steps_requiring_output_review[0].confirm(by="carol")
    run = workflow.continue_run(run)
    run.steps_requiring_confirmation[0].confirm(by="dora")
    run.steps_with_errors[0].skip(by="ada")
    run = workflow.continue_run(run)
    run.steps_requiring_output_review[0].reject("too long", by="carol")
    run = workflow.continue_run(run)
    run.steps_requiring_output_review[0].confirm(by="carol")
    run = workflow.continue_run(run)
    workflow.decide(run.run_id, run.steps_requiring_confirmation[0].pause_id, "confirm", by="dora")
    return workflow.get_run_output(run.run_id)
