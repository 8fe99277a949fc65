"""`statecore worker TARGET...`: several workflows, of one file or of several."""

from __future__ import annotations

import json

import pytest

from statecore.cli import main
from statecore.cli.exits import FINE, USAGE

pytestmark = pytest.mark.spec("RUN-14")

FLOWS = """
from pathlib import Path
from statecore import Step, Workflow

with Path("loaded").open("a") as file:
    file.write("x")
{name}_one = Workflow("{name} one", [Step("a", lambda _: 1)])
{name}_two = Workflow("{name} two", [Step("a", lambda _: 1, requires_confirmation=True)])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two files of two workflows."""
    monkeypatch.chdir(tmp_path)
    for name in ("shop", "bank"):
        (tmp_path / f"{name}_flows.py").write_text(FLOWS.format(name=name), encoding="utf-8")
    return tmp_path


def test_one_command_serves_the_workflows_of_many_targets(folder, capsys):
    """Each submitted run is driven, each line says whose it was, and a file that two targets name is run once."""
    targets = ["shop_flows.py:shop_one", "shop_flows.py:shop_two", "bank_flows.py:bank_one"]
    for target in targets:
        assert main(["run", target, "--submit", "--db", "runs.db"]) == FINE
    capsys.readouterr()
    (folder / "loaded").unlink()
    assert main(["worker", *targets, "--until-idle", "--db", "runs.db", "--json"]) == FINE
    *lines, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert sorted(line["status"] for line in lines) == ["COMPLETED", "COMPLETED", "PAUSED"]
    assert len({line["workflow"] for line in lines}) == len(targets)
    assert last == {"counts": {"COMPLETED": 2, "PAUSED": 1}}
    assert (folder / "loaded").read_text() == "xx"


def test_a_worker_without_a_target_is_a_usage_error(folder, capsys):
    """At least one workflow is named."""
    assert main(["worker", "--until-idle"]) == USAGE
    assert "TARGET" in capsys.readouterr().err


def test_a_temporal_server_takes_one_target(folder, capsys):
    """Several are refused before anything is connected."""
    targets = ["shop_flows.py:shop_one", "bank_flows.py:bank_one"]
    assert main(["worker", *targets, "--temporal", "127.0.0.1:1"]) == USAGE
    assert "one worker for each TARGET" in capsys.readouterr().err
