"""`format()` codes, notebooks, and the `diagram` command: workflows, and runs on them."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from textwrap import dedent

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.cli import main
from statecore.cli.exits import FINE, USAGE
from statecore.draw import Past, draw_workflow, outcomes, to_dot, to_mermaid, to_text
from statecore.errors import MissingExtra, UnknownFormat

FLOW = """
    from statecore import Step, Workflow

    flow = Workflow("flow", [Step("first", lambda _: 1), Step("<gate>", lambda _: 2, requires_confirmation=True)])
"""


def flow() -> Workflow:
    """A step, and a gated one with a hostile name."""
    return Workflow("flow", [Step("first", lambda _: 1), Step("<gate>", lambda _: 2, requires_confirmation=True)])


def test_a_workflow_has_formats():
    """Each code gives what the writer of that format gives; no code gives the plain text."""
    made = flow()
    picture = draw_workflow(made.compiled.program)
    assert f"{made:mermaid}" == to_mermaid(picture)
    assert f"{made:dot}" == to_dot(picture)
    assert f"{made:md}" == outcomes(picture)
    assert f"{made:tree}" == to_text(picture)
    assert ET.fromstring(f"{made:svg}").tag.endswith("svg")  # noqa: S314  # ours
    assert f"{made}" == repr(made)


@pytest.mark.parametrize("spec", ["mermaidd", ">10"])
def test_an_unknown_format_is_named(spec):
    """With the formats that there are."""
    run = flow().run()
    for thing in (run, flow()):
        with pytest.raises(UnknownFormat, match="mermaid, dot, svg, md, tree"):
            format(thing, spec)


def test_a_run_is_drawn_where_it_stands():
    """What is over is marked, the place where it waits is lit; a run that is over lights its end."""
    made = flow()
    run = made.run()
    picture = draw_workflow(made.compiled.program, run._record.state, {"first": Past("completed")})
    assert f"{run:mermaid}" == to_mermaid(picture) != f"{made:mermaid}"
    assert f"{run}" == repr(run)
    run.step_requirements[0].confirm()
    done = made.continue_run(run)
    assert done.status is RunStatus.completed
    assert f"{done:mermaid}" not in (f"{run:mermaid}", f"{made:mermaid}")


def test_a_notebook_shows_a_picture(monkeypatch):
    """SVG, Mermaid and text of a workflow and of a run; without Graphviz the other two."""
    made = flow()
    for thing in (made, made.run()):
        assert set(thing._repr_mimebundle_(include=None, exclude=None)) == {"text/plain", "text/vnd.mermaid", "image/svg+xml"}

    def missing(_picture):
        what = "SVG"
        raise MissingExtra(what, "diagrams")

    monkeypatch.setattr("statecore.output.pictures.to_svg", missing)
    assert set(made._repr_mimebundle_()) == {"text/plain", "text/vnd.mermaid"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with a workflow under a name that no other test imports."""
    (tmp_path / "drawn_flow.py").write_text(dedent(FLOW))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("drawn_flow", None)


def test_the_command_draws_a_workflow_and_a_run(folder, capsys):
    """To the terminal or into a file; a run is drawn from the store alone, without its workflow's code."""
    assert main(["diagram", "drawn_flow.py"]) == FINE
    assert "first" in capsys.readouterr().out
    assert main(["diagram", "drawn_flow.py", "--format", "mermaid", "--out", "flow.mmd"]) == FINE
    assert (folder / "flow.mmd").read_text(encoding="utf-8") == f"{flow():mermaid}"
    main(["run", "drawn_flow.py", "--input", "x", "--run-id", "r1", "--db", "runs.db"])
    (folder / "drawn_flow.py").unlink()
    capsys.readouterr()
    assert main(["diagram", "--run", "r1", "--db", "runs.db", "--format", "mermaid"]) == FINE
    assert "now" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["drawn_flow.py", "--run", "r1"], ["drawn_flow.py", "--format", "png"]])
def test_wrong_usage_is_told(folder, capsys, arguments):
    """Neither or both of a workflow and a run, and a format that there is not."""
    assert main(["diagram", *arguments]) == USAGE
    assert capsys.readouterr().err


def test_who_does_not_draw_does_not_pay():
    """A program that imports and runs a workflow in memory loads no drawing, no database and no asyncio."""
    code = "import sys; from statecore import Step, Workflow; Workflow('f', [Step('a', lambda _: 1)]).run(); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"statecore.draw", "sqlite3", "asyncio", "click", "hypothesis"} & loaded == set()
    assert "statecore.core" in loaded
