"""The guide to Temporal does what it says: its code and its commands run against a real server, with a worker that its own command starts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.cli import main
from statecore.temporal import TemporalDb
from tests.temporal.servers import Server
from tests.temporal.workers import ROOT, until

PAGE = Path(__file__).parents[2] / "specs" / "guide" / "temporal.md"
FLOW = re.compile(r"```python\n(from statecore import Step, Workflow.*?)```", re.DOTALL)
COMMAND = re.compile(r"^    statecore (.*)$", re.MULTILINE)


@pytest.fixture
def page(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page, for this server, in a folder where its `payouts.py` lies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = PAGE.read_text(encoding="utf-8").replace("127.0.0.1:7233", server.target)
    [flow] = FLOW.findall(text)
    (tmp_path / "payouts.py").write_text(flow, encoding="utf-8")
    (tmp_path / "temporal.md").write_text(text, encoding="utf-8")
    return text


@pytest.fixture
def worker(page: str, tmp_path: Path) -> Iterator[None]:
    """A worker, by the command of the page."""
    [words] = [words for words in COMMAND.findall(page) if words.startswith("worker")]
    command = [sys.executable, "-m", "statecore", *shlex.split(words)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline().startswith("Worker ")
        yield
        started.terminate()
        assert started.stdout.read() == "Stopped.\n"
        assert started.wait(30) == 0


def test_the_page_runs_from_top_to_bottom(page: str, worker: None, tmp_path: Path, db: TemporalDb) -> None:
    """Each block of Python runs in the names that those before it left; then each command, about a run that the page has started."""
    document = Sybil(parsers=[PythonCodeBlockParser()]).parse(tmp_path / "temporal.md")
    document.namespace["__name__"] = "payouts"  # its functions are those of the file that the worker loads
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    assert len(examples) == 5
    submit, *others = [shlex.split(words) for words in COMMAND.findall(page) if not words.startswith("worker")]
    assert main(submit) == 0
    assert main([word.replace("payout-19", "payout-20") for word in submit]) == 0
    meant = {"confirm": "payout-18", "show": "payout-18", "reject": "payout-19", "cancel": "payout-20"}
    until(lambda: all(db.rests(run_id) for run_id in meant.values()))
    for words in others:
        if words[0] == "pending":  # other tests leave runs on this server that no worker answers for
            words += ["--run", "payout-18"]
        assert main([meant[words[0]] if word == "RUN" else word for word in words]) == 0
    until(lambda: db.load("payout-18").state.run == "completed")
    until(lambda: [entry.trigger for entry in db.journal("payout-19") if entry.at == "approve"] == ["enter", "reject"])
    assert db.load("payout-20").state.run == "cancelled"
