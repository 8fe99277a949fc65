"""P23: one bad row harms one run. The other runs are listed, worked on, ticked and recovered; the bad one is named."""

from __future__ import annotations

import asyncio

import pytest

from statecore import Inbox, InMemoryDb, RunStatus, Step, Workflow
from statecore.cli import main
from statecore.errors import StoreCorrupt, UnreadableValue
from statecore.runtime.doctor import examine
from statecore.runtime.worker import Went, Worker
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.sql3 import listing
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from tests.unit.stores.sqlite_files import tamper

BAD: dict[type, dict[str, str]] = {
    SqliteDb2: {
        "a seal": "UPDATE run SET user_id = 'eve' WHERE run_id = '2'",
        "no state": "UPDATE run SET held = '[7]' WHERE run_id = '2'",
        "no text": "UPDATE run SET held = CAST(x'ff5b5d' AS TEXT) WHERE run_id = '2'",
        "a value": "UPDATE session_state SET text = '7' WHERE run = 2",
    },
    SqliteDb: {
        "a seal": "UPDATE run SET user_id = 'eve' WHERE run_id = '2'",
        "no state": "UPDATE hot SET held = '[7]' WHERE run = 2",
        "no text": "UPDATE hot SET state = CAST(x'ff5b5d' AS TEXT) WHERE run = 2",
        "no value": "UPDATE run SET input = x'ff' WHERE run_id = '2'",
    },
}
BAD_QUESTION = {
    "a seal": "UPDATE pause SET kind = 'error' WHERE run = 2",
    "no text": "UPDATE pause SET step_name = CAST(x'ff' AS TEXT) WHERE run = 2",
}
KINDS = [(store, bad) for store, ways in BAD.items() for bad in ways]


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


def flow_of(file, store=SqliteDb2):
    """A workflow of one gated step."""
    return Workflow("flow", [Step("gated", lambda _: "done", requires_confirmation=True)], db=store(file))


@pytest.fixture
def flow_with_output(monkeypatch):
    """A run that is over, read by a process that has not made its output, on a store from which rows can be lost."""
    db = InMemoryDb()
    workflow = Workflow("flow", [Step("a", lambda _: "done")], db)
    workflow.run(run_id="1")
    rows = db.journal("1")
    monkeypatch.setattr(
        db, "journal", lambda _, after=0, upto=None: [row for row in rows if after < row.seq <= (upto or len(rows))]
    )
    return workflow.get_run_output("1"), rows


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0].__name__}-{kind[1]}")
def flow(file, request):
    """Three decided runs at rest, of which the second has a bad row."""
    store, bad = request.param
    flow = flow_of(file, store)
    for run_id in "123":
        flow.run(run_id=run_id, session_id="s")
        flow.decide(run_id, "gated:confirmation:0", "confirm")
    tamper(file, BAD[store][bad])
    return flow_of(file, store)


def test_a_listing_names_the_bad_run_and_lists_the_others(flow, caplog):
    """`list_runs` and the store's own listing give the good runs, and name the bad one; a caller who does not look finds it in the log."""
    for found in (flow.list_runs(), Inbox(flow.db).runs(RunFilter())):
        assert ([each.run_id for each in found], [each.run_id for each in found.unread]) == (["3", "1"], ["2"])
    assert "run '2' is left out" in caplog.text
    with pytest.raises(StoreCorrupt):
        flow.get_run_output("2")
    with pytest.raises(UnreadableValue, match="run '2' of the session"):
        flow.get_session("s")


def test_the_inbox_names_a_bad_run(flow):
    """A question of a run that cannot be read is not shown as if its run were sound; the questions of the others are."""
    found = Inbox(flow.db).pending(PauseFilter(undecided_only=False))
    assert ([each.run_id for each in found], [each.run_id for each in found.unread]) == (["1", "3"], ["2"])


LISTINGS = {
    "runs": lambda db: [
        [each.identity.run_id for each in found] + [each.run_id for each in found.unread] for found in [db.runs(RunFilter())]
    ],
    "questions": lambda db: [
        [each.pause.run_id for each in found] + [each.run_id for each in found.unread] for found in [db.pauses(PauseFilter())]
    ],
}


@pytest.mark.parametrize(("listed", "told"), [("runs", ["3", "1", "2"]), ("questions", ["1", "3", "2"])])
def test_a_row_that_is_not_found_by_its_number_harms_its_run(file, monkeypatch, listed, told):
    """A listing names the run of a row that its index has and that its number does not find, as torn pages have it, and gives the others."""
    flow = flow_of(file, SqliteDb)
    for run_id in "123":
        flow.run(run_id=run_id)
    real = listing.of_numbers
    monkeypatch.setattr(listing, "of_numbers", lambda *args: [row for row in real(*args) if row[1] != "2"])
    assert LISTINGS[listed](flow.db) == [told]


@pytest.mark.parametrize("store", BAD)
def test_a_definition_of_another_fingerprint_is_refused(file, store):
    """The definition of a run is that of its fingerprint: where another one lies in its place, the run is refused by name."""
    Workflow("other", [Step("x", lambda _: "done")], store(file)).run(run_id="x")
    flow = flow_of(file, store)
    flow.run(run_id="1")
    flow.db.close()
    tamper(file, "UPDATE definition SET canonical = (SELECT canonical FROM definition ORDER BY length(canonical) LIMIT 1)")
    again = flow_of(file, store)
    with pytest.raises(StoreCorrupt, match="fingerprint"):
        again.continue_run(run_id="1")
    assert [each.run_id for each in again.list_runs().unread] == ["1"]


def test_an_output_whose_row_is_missing_is_refused(flow_with_output):
    """An output that the state names and the journal has not is refused by its row, and is no error of Python."""
    run, journal = flow_with_output
    journal.clear()
    with pytest.raises(UnreadableValue, match="of the journal of run '1' is missing"):
        _ = run.content


@pytest.mark.parametrize("store", BAD)
@pytest.mark.parametrize("bad", BAD_QUESTION)
def test_a_bad_question_harms_its_run(file, bad, store):
    """The questions of other runs are listed; of the run itself nothing is given as its questions, and it is not continued."""
    flow = flow_of(file, store)
    for run_id in "123":
        flow.run(run_id=run_id)
    tamper(file, BAD_QUESTION[bad])
    found = flow.list_pauses()
    assert ([each.run_id for each in found], [each.run_id for each in found.unread]) == (["1", "3"], ["2"])
    for act in (lambda: flow.list_pauses(run_id="2"), lambda: flow.continue_run(run_id="2")):
        with pytest.raises(StoreCorrupt):
            act()


@pytest.mark.parametrize("how", ["tick", "recover", "atick", "arecover"])
def test_a_bad_run_keeps_no_other_from_going_on(flow, how):
    """`tick` and `recover` drive the good runs, and name the bad one in `unread`."""
    taken = getattr(flow, how)()
    taken = asyncio.run(taken) if how.startswith("a") else taken
    assert {each.run_id: each.status for each in taken} == {"1": RunStatus.completed, "3": RunStatus.completed}
    assert [each.run_id for each in taken.unread] == ["2"]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_worker_goes_on_with_the_others(flow, concurrency):
    """Also with one hand, for which the bad run comes first; it is told as refused, and stays as it was."""
    told: list[Went] = []
    Worker(flow, concurrency, tell=told.append).work(until_idle=True)
    assert {each.run_id: each.status for each in told} == {"1": "COMPLETED", "2": "REFUSED", "3": "COMPLETED"}
    assert ["cannot be read" in each.why for each in told if each.run_id == "2"] == [True]
    with pytest.raises(StoreCorrupt):
        flow.db.load("2")


@pytest.mark.parametrize("store", BAD)
def test_many_bad_runs_before_a_good_one_are_passed_over(file, store):
    """A claim looks behind bad runs, however many hands the worker has."""
    flow = flow_of(file, store)
    for number in range(12):
        flow.submit(run_id=f"{number}")
    tamper(file, "UPDATE run SET user_id = 'eve' WHERE run_id <> '11'")
    taken = store(file).claim_next("flow", "someone/-/1/1", 1, most=2)
    assert [record.identity.run_id for record, _ in taken] == ["11"]
    assert [each.run_id for each in taken.unread] == [str(number) for number in range(11)]


def test_the_doctor_names_a_bad_run(flow):
    """The doctor counts the good runs, and has one finding more."""
    found = examine(flow.db, flow.host.clock())
    assert dict(found.runs) == {"PAUSED": 2}
    assert [each.about for each in found.symptoms if each.kind == "damaged"] == ["2"]


@pytest.mark.parametrize("command", ["runs", "pending", "doctor", "verify"])
def test_commands_name_the_bad_run_and_end_with_one(file, command, capsys):
    """The commands print what they can read of the others, name the bad run, and end with exit code 1."""
    flow = flow_of(file)
    for run_id in "24":
        flow.run(run_id=run_id)
    tamper(file, BAD[SqliteDb2]["a seal"])
    store = [str(file)] if command in ("doctor", "verify") else ["--db", str(file)]
    assert main([command, *store]) == 1
    told = capsys.readouterr()
    assert "'2'" in f"{told.out}{told.err}" or "Run 2 cannot be read" in told.err or "damaged     2:" in told.out
    if command in ("runs", "pending"):
        assert "4" in told.out
