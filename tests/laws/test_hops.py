"""RUN-15: each place of the package that moves work to another thread, loop or task is named here, with the context that it carries there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "statecore"
HOPS = {
    "Process",
    "Thread",
    "ThreadPoolExecutor",
    "call_soon_threadsafe",
    "create_task",
    "ensure_future",
    "run_coroutine_threadsafe",
    "run_in_executor",
    "submit",
    "to_thread",
}
"""What moves work elsewhere, by name."""
COPIES = "copies the context of its caller, or takes the context that it is given"
FLIGHT = "the context of the flight: a copy of that of the run's caller"
NO_CODE = "runs no user code"
BOTH = "`Hands.submit` copies the context, and asyncio copies it again where the coroutine becomes a task"
KNOWN = {
    ("runtime/hands.py", "Hands.submit", "Thread"): COPIES,
    ("runtime/hands.py", "begin", "create_task"): FLIGHT,
    ("runtime/hands.py", "LoopThread.begin", "call_soon_threadsafe"): COPIES,
    ("runtime/hands.py", "LoopThread.cancel", "call_soon_threadsafe"): NO_CODE,
    ("runtime/hands.py", "LoopThread._running", "Thread"): "each coroutine on the loop brings its own context",
    ("runtime/hands.py", "LoopThread.close", "call_soon_threadsafe"): NO_CODE,
    ("runtime/stopping.py", "Stop._awaited.tell", "call_soon_threadsafe"): NO_CODE,
    ("runtime/sync.py", "Calls.fly", "submit"): FLIGHT,
    ("runtime/aio.py", "Calls.fly", "submit"): FLIGHT,
    ("runtime/aio.py", "beside", "submit"): NO_CODE,
    ("runtime/aio.py", "prepared", "submit"): "the run is made in a copy of the caller's context, which its calls copy",
    ("runtime/aio.py", "Calls.__attrs_post_init__.wake", "call_soon_threadsafe"): NO_CODE,
    ("runtime/aio.py", "Calls.putter.put", "call_soon_threadsafe"): NO_CODE,
    ("runtime/aio.py", "wake", "call_soon_threadsafe"): NO_CODE,
    ("runtime/aio.py", "Calls.close", "ensure_future"): NO_CODE,
    ("runtime/worker.py", "Worker.arun", "submit"): BOTH,
    ("runtime/worker.py", "Worker.work", "Thread"): NO_CODE,
    ("runtime/worker.py", "Worker._rounds", "submit"): "the context of the caller of `work`",
    ("runtime/worker.py", "Worker._drive", "run_coroutine_threadsafe"): BOTH,
    ("runtime/storing.py", "Heartbeat.begin", "Thread"): NO_CODE,
    ("telemetry/aside.py", "Drain.do", "submit"): NO_CODE,
    ("telemetry/aside.py", "Drain.flush", "submit"): NO_CODE,
    ("telemetry/serving.py", "Probes.__init__", "Thread"): NO_CODE,
    ("telemetry/serving.py", "Probes.ready", "submit"): NO_CODE,
    ("workflow/options.py", "off_loop", "submit"): NO_CODE,
    ("workflow/running.py", "Running.submit", "submit"): "no hop: it stores a run",
    ("workflow/running.py", "Running.asubmit", "submit"): "no hop: it stores a run",
    ("workflow/running.py", "Running.run", "submit"): COPIES,
    ("workflow/running.py", "Running._abegin", "create_task"): "a task copies the caller's context, which its calls copy",
    ("cli/demo_inbox.py", "at_work", "Thread"): "a worker beside the server: the run was submitted, as if to another process",
    ("cli/demo_inbox.py", "in_browser", "submit"): "no hop: it stores a run",
    (
        "notices/notifier.py",
        "Notifier.run",
        "Thread",
    ): "a channel sends by itself: it belongs to no run, and no caller waits for it",
    ("cli/running.py", "submitted", "submit"): "no hop: it stores a run",
    ("temporal/activities.py", "Performer.call", "submit"): "the caller of the run is another process",
    ("temporal/activities.py", "Performer.call", "create_task"): NO_CODE,
    ("temporal/activities.py", "performed", "submit"): "as the call that it bounds: the caller of the run is another process",
    ("temporal/activities.py", "Performer.keep", "submit"): NO_CODE,
    ("temporal/activities.py", "serve.stopped", "call_soon_threadsafe"): NO_CODE,
    ("temporal/client/connection.py", "Connection.loop", "Thread"): NO_CODE,
    ("temporal/client/connection.py", "Connection.close", "call_soon_threadsafe"): NO_CODE,
    ("temporal/client/connection.py", "Connection.do", "submit"): NO_CODE,
    ("temporal/client/connection.py", "Connection.submit", "run_coroutine_threadsafe"): NO_CODE,
    ("temporal/client/workflows.py", "TemporalWorkflows.start", "submit"): "no hop: it starts a run on the server",
}
"""File, function and name of each hop: what becomes of the context variables."""


def hops(source: str) -> Iterator[tuple[str, str]]:
    """The function and the name of each hop in a source."""

    def inside(node: ast.AST, place: str) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if isinstance(child, ast.Call):
                name = child.func.attr if isinstance(child.func, ast.Attribute) else getattr(child.func, "id", "")
                if name in HOPS:
                    yield place, name
            yield from inside(child, f"{place}.{child.name}".lstrip(".") if named else place)  # type: ignore[attr-defined]

    yield from inside(ast.parse(source), "")


@pytest.mark.spec("RUN-15")
def test_each_hop_is_known() -> None:
    """No thread, task or executor is used in a place that this table does not name, and the table names no place that is gone."""
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if not {"examples", "testing"} & set(path.parts)]
    names = {path: path.relative_to(PACKAGE).as_posix() for path in files}
    assert {(names[path], place, name) for path in files for place, name in hops(path.read_text(encoding="utf-8"))} == set(KNOWN)


@pytest.mark.spec("RUN-17")
def test_the_default_pool_of_asyncio_is_never_used() -> None:
    """Nothing of the package is called by `to_thread` or `run_in_executor`."""
    assert {name for *_, name in KNOWN} & {"to_thread", "run_in_executor", "ThreadPoolExecutor"} == set()


def test_a_hop_is_found_in_nested_functions() -> None:
    """The search can fail: it finds a hop in a method of a class in a function."""
    source = "def f():\n  class C:\n    async def m(self):\n      await asyncio.to_thread(print)\n"
    assert list(hops(source)) == [("f.C.m", "to_thread")]
