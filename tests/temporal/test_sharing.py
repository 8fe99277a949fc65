"""The pipeline of the demo, unchanged; and a small campaign, as `python -m tests.temporal.campaign` does a large one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from statecore.examples import analysis, companion
from statecore.temporal import TemporalDb, TemporalWorkflows
from tests.temporal.campaign import shared
from tests.temporal.servers import Server


def test_the_demo_pipeline_unchanged(serve: Callable[..., TemporalWorkflows], tmp_path: Path) -> None:
    """The analysis that ships runs here as it does on any store: a busy server, a retry, a question, a report."""
    runs = serve(analysis.workflow)
    with companion.serving(1):
        run = runs.run(None, additional_data={"report": str(tmp_path / "report.md")}, timeout=30)
        assert run.steps_with_errors[0].step_name == "fetch"
        run.steps_with_errors[0].retry(by="ada")
        run = runs.continue_run(run, timeout=30)
        assert [each.step_name for each in run.steps_requiring_confirmation] == ["deep"]
        run.steps_requiring_confirmation[0].confirm(by="ada")
        run = runs.continue_run(run, timeout=30)
    assert run.content == str(tmp_path / "report.md")
    assert "analysis: detailed" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_two_workers_share_the_steps(server: Server, db: TemporalDb, tmp_path: Path) -> None:
    """Both have some of them; how evenly, the large campaign says."""
    counts = shared(server, db, tmp_path, 45)
    assert len(counts) == 2
    assert sum(counts.values()) == 45
