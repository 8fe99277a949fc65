"""`statecore export --tla`: a user's own workflow, checked by TLC."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from specs.model import tlc
from statecore.check.tla import BY_HAND, by_hand
from statecore.cli import main
from statecore.cli.exits import FINE, USAGE

FLOW = """
    from statecore import Condition, Loop, Step, Workflow

    def work(step_input):
        raise SystemExit("user code was called")

    steps = [
        Step("ask", work, requires_confirmation=True, on_reject="cancel"),
        Condition("fork", [Step("charge", work, on_error="pause")], [Step("other", work)], evaluator=work),
        Loop("again", [Step("mail", work)], 2, requires_iteration_review=True, on_reject="retry"),
    ]
    flow = Workflow("flow", steps)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with a workflow under a name that no other test imports."""
    (tmp_path / "exported_flow.py").write_text(dedent(FLOW))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("exported_flow", None)


def test_a_workflow_of_ones_own_is_proved_by_tlc(folder, capsys):
    """The files that are written are all that TLC needs; it finds the invariants and the termination of that workflow true."""
    assert main(["export", "--tla", "exported_flow.py", "--out", "model"]) == FINE
    assert "Properties.cfg Properties.tla" in capsys.readouterr().out
    model = {path.name: path.read_text(encoding="utf-8") for path in (folder / "model").iterdir()}
    assert set(model) == {"Lifecycle.tla", "Program.tla", *BY_HAND}
    (folder / "tlc").mkdir()
    verdict = tlc.check(folder / "tlc", "Properties.tla", "Properties.cfg", modules=model)
    assert verdict.holds, verdict.text
    broken = model["Lifecycle.tla"].replace(
        'dest |-> "cancelled", when |-> "reject_cancels"', 'dest |-> "running", when |-> "reject_cancels"'
    )
    assert broken != model["Lifecycle.tla"]
    (folder / "broken").mkdir()
    assert not tlc.check(folder / "broken", "Properties.tla", "Properties.cfg", modules={**model, "Lifecycle.tla": broken}).holds


def test_what_to_write_has_to_be_said(folder, capsys):
    """Without `--tla` nothing is written, and the message says what to say."""
    assert main(["export", "exported_flow.py"]) == USAGE
    assert "--tla" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["exported_flow.py"]


def test_a_wheel_takes_the_modules_along(folder, monkeypatch):
    """What is written by hand is read from beside the package where it was installed from a wheel, and from `specs/` in a checkout."""
    monkeypatch.setattr("statecore.check.tla.__file__", str(folder / "statecore" / "check" / "tla.py"))
    for name in BY_HAND:
        place = folder / "statecore" / "check" / "tla" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    assert [by_hand(name) for name in BY_HAND] == list(BY_HAND)


def test_every_module_by_hand_is_shipped():
    """The build takes along each module that an export reads, from where it is written."""
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {f"specs/model/{name}": f"statecore/check/tla/{name}" for name in BY_HAND}
