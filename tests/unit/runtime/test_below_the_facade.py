"""The runtime stands below the facade: it runs, hands out and examines anything that is a `Runnable`, and no `Workflow` is loaded."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from attrs import define
from statecore.core import compile_definition
from statecore.definition import Step
from statecore.definition.components import Definition, as_components
from statecore.runtime import Host
from statecore.runtime.doctor import examine
from statecore.runtime.launching import launch, submit
from statecore.runtime.sync import drive
from statecore.runtime.worker import Worker
from statecore.stores import Decided, PauseFilter
from statecore.stores.memory import InMemoryDb

@define
class Bare:
    id: str
    name: str
    compiled: object
    host: Host
    db: object
    input_schema: object = None
    session_id: str = "s"
    session_state: dict = {}
    user_id: str | None = None
    metadata: dict = {}

    def on(self, db):
        return self

def bare(db, *steps):
    compiled = compile_definition(Definition("bare", as_components("bare", list(steps)), None))
    return Bare("bare", "bare", compiled, Host(db), db)

called = []
db = InMemoryDb()
flow = bare(db, Step("pay", lambda step_input: called.append(step_input.input), requires_confirmation=True), Step("end", lambda _: None))
ready = launch(flow, "here", run_id="a")
commits = list(drive(ready.execution, ready.first))
submit(flow, "there", run_id="b")
told = []
work = lambda: Worker(flow, tell=told.append).work(until_idle=True)
work()
for run_id in "ab":
    [waiting] = db.pauses(PauseFilter(run_id=run_id))
    db.decide(Decided(run_id, waiting.pause.pause_id, "confirm", flow.host.clock()))
print([symptom.kind for symptom in examine(db, flow.host.clock(), flow).symptoms])
work()
print(sorted((each.run_id, each.status) for each in told), sorted(called))
launched = launch(flow, "third", run_id="c")
list(drive(launched.execution, launched.first))
print([symptom.kind for symptom in examine(db, flow.host.clock(), bare(db, Step("other", print))).symptoms])
print([name for name in sys.modules if name.startswith(("statecore.workflow", "statecore.output", "statecore.cli", "statecore.db"))])
"""


def test_a_bare_runnable_is_launched_worked_and_examined():
    """A workflow that is not the facade's is driven, executed by a worker and examined, and the facade is never imported."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    unapplied, told, stranded, upward = done.stdout.splitlines()
    assert unapplied == "['unapplied', 'unapplied']"
    assert told == "[('a', 'COMPLETED'), ('b', 'COMPLETED'), ('b', 'PAUSED')] ['here', 'there']"
    assert (stranded, upward) == ("['stranded']", "[]")
