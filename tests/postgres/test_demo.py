"""The pipeline of the demo, unchanged, in Postgres."""

from __future__ import annotations

from statecore import RunStatus
from statecore.examples import analysis, companion


def test_the_demo_pipeline_unchanged(db, tmp_path):
    """The analysis that ships runs here as it does on any store: a busy server, a retry, a question, a report."""
    flow = analysis.workflow.on(db)
    with companion.serving(1):
        run = flow.run(None, additional_data={"report": str(tmp_path / "report.md")})
        assert [each.step_name for each in run.steps_with_errors] == ["fetch"]
        run.steps_with_errors[0].retry(by="ada")
        run = flow.continue_run(run)
        assert [each.step_name for each in run.steps_requiring_confirmation] == ["deep"]
        run.steps_requiring_confirmation[0].confirm(by="ada")
        run = flow.continue_run(run)
    assert (run.status, run.content) == (RunStatus.completed, str(tmp_path / "report.md"))
    assert "analysis: detailed" in (tmp_path / "report.md").read_text(encoding="utf-8")
