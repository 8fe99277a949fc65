"""A worker in this process: what it takes, what it tells, and that trouble with one run or with the store is not the end of it."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Thread

import pytest
from attrs import evolve

from statecore import HumanReview, InMemoryDb, RunStatus, Step, Workflow
from statecore.errors import KeyReused, StoreUnavailable, UnsupportedSetting
from statecore.runtime.doctor import examine
from statecore.runtime.worker import Went, Worker
from statecore.stores import Boundary
from statecore.stores.detail import detail_of
from statecore.testing.doubles import Clock, timed
from statecore.testing.stores.samples import ALIVE, DEAD, TIME, answer, begin, claim, identity, question


@pytest.fixture
def db():
    """A store."""
    return InMemoryDb()


def done(step_input):
    """A step that does nothing."""
    return step_input.step_name


def flow_of(db, *steps):
    """A workflow of these steps, or of three that do nothing, the second gated."""
    usual = [Step("a", done), Step("b", done, requires_confirmation=True), Step("c", done)]
    return Workflow("flow", steps=list(steps) or usual, db=db)


def worked(workflow, **settings):
    """What a worker tells until it has nothing to do, by run."""
    told: list[Went] = []
    counts = Worker(workflow, tell=told.append, **settings).work(until_idle=True)
    assert counts == Counter(each.status for each in told)
    return {each.run_id: (each.status, each.why) for each in told}


def test_a_submitted_run_is_begun_by_a_worker(db):
    """`submit` stores a run and executes nothing; a worker brings it to its question, and after the decision to its end."""
    flow = flow_of(db)
    run = flow.submit("x", run_id="r", user_id="u")
    assert (run.status, run.user_id, db.load("r").owner, db.journal("r")) == (RunStatus.pending, "u", None, [])
    assert worked(flow) == {"r": ("PAUSED", "confirmation of 'b' (confirm() or reject())")}
    assert worked(flow) == {}
    flow.decide("r", flow.list_pauses()[0].pause_id, "confirm", by="ann")
    assert worked(flow) == {"r": ("COMPLETED", "")}
    assert [entry.trigger for entry in db.journal("r") if entry.at == "b"] == ["enter", "confirm", "succeed"]


def test_a_submitted_run_may_also_be_recovered(db):
    """Without a worker, `recover` begins what was submitted."""
    flow = flow_of(db, Step("a", done))
    flow.submit("x")
    assert [run.status for run in flow.recover()] == [RunStatus.completed]


def test_the_doctor_says_when_nobody_begins_what_was_submitted(db):
    """A submitted run is nobody's for a moment; after a minute somebody should look whether there is a worker."""
    flow = flow_of(db)
    flow.submit("x", run_id="r")
    submitted = db.load("r").updated
    assert examine(db, submitted + 59_999_999).symptoms == []
    [symptom] = examine(db, submitted + 60_000_000).symptoms
    assert (symptom.kind, symptom.about, "nobody has begun it" in symptom.why) == ("left", "r", True)
    assert "statecore worker" in symptom.remedy


def test_a_request_is_submitted_once(db):
    """The same key gives the run of the first request, whatever became of it; with another input it is refused."""
    flow = flow_of(db, Step("a", done))
    first = flow.submit("x", idempotency_key="k")
    assert flow.submit("x", idempotency_key="k").run_id == first.run_id
    assert worked(flow) == {first.run_id: ("COMPLETED", "")}
    assert flow.submit("x", idempotency_key="k").status is RunStatus.completed
    assert flow.run("x", idempotency_key="k").run_id == first.run_id
    with pytest.raises(KeyReused):
        flow.submit("y", idempotency_key="k")
    assert len(flow.list_runs()) == 1


def test_deadlines_cancellations_and_left_runs_are_work(db):
    """A worker applies a deadline when it is over, heeds a cancellation that nobody applied, and takes over what a dead owner left."""
    review = HumanReview(requires_confirmation=True, timeout=60, on_timeout="skip")
    clock = Clock()
    flow = timed(flow_of(db, Step("a", done, human_review=review)), clock)
    for run_id in ("late", "cancelled"):
        flow.run("x", run_id=run_id)
    db.request_cancel("cancelled", "ann", clock())
    assert worked(flow) == {"cancelled": ("CANCELLED", "")}
    clock.advance(60)
    assert worked(flow) == {"late": ("COMPLETED", "")}
    plain = flow_of(db, Step("a", done))
    compiled = plain.compiled.program
    begin(db, identity("left", fingerprint=compiled.fingerprint, canonical=compiled.canonical), "{}", DEAD)
    assert worked(plain) == {"left": ("COMPLETED", "")}


def test_as_many_runs_at_a_time_as_it_has_hands(db):
    """Two runs are in their steps at the same moment, and a third is not."""
    together, inside, most = Barrier(2), [], []

    def meet(step_input):
        inside.append(1)
        most.append(len(inside))
        together.wait(60)
        inside.pop()

    flow = flow_of(db, Step("a", meet))
    for n in range(6):
        flow.submit(n)
    assert {status for status, _ in worked(flow, concurrency=2).values()} == {"COMPLETED"}
    assert max(most) == 2
    with pytest.raises(UnsupportedSetting):
        Worker(flow, concurrency=0)


def test_a_store_with_workers_of_its_own_is_refused(db):
    """A worker cannot drive what another engine drives, and says so before it does anything."""

    class Engine:
        def __getattr__(self, name):
            if name == "claim_next":
                raise AttributeError(name)
            return getattr(db, name)

    with pytest.raises(UnsupportedSetting, match="workers of its own"):
        Worker(flow_of(Engine()))


def test_a_failed_run_says_why(db):
    """The step's own error is told, once, and the run is let be."""

    def fail(step_input):
        message = "no such account"
        raise LookupError(message)

    flow = flow_of(db, Step("a", fail))
    flow.submit("x", run_id="r")
    assert worked(flow) == {"r": ("ERROR", "LookupError: no such account")}
    assert worked(flow) == {}


def test_one_run_s_trouble_is_not_the_others(db):
    """A run that this definition cannot go on with, and a step that ends its process: both are told, nobody owns them, the others are done."""
    flow_of(db, Step("old", done, requires_confirmation=True)).run("x", run_id="stranded")

    def leave(step_input):
        if step_input.input == "leave":
            raise SystemExit(3)

    flow = flow_of(db, Step("a", leave))
    db.decide(yes_to(db, "stranded"))
    flow.submit("leave", run_id="leaving")
    flow.submit("x", run_id="fine")
    told = worked(flow)
    assert {run_id: status for run_id, (status, _) in told.items()} == {
        "stranded": "REFUSED",
        "leaving": "REFUSED",
        "fine": "COMPLETED",
    }
    assert (told["stranded"][1].startswith("DefinitionChanged"), told["leaving"][1]) == (True, "SystemExit: 3")
    assert (db.load("stranded").owner, db.load("leaving").owner) == (None, None)


def yes_to(db, run_id):
    """A yes to the one question of a run."""
    from statecore.stores import Decided, PauseFilter

    [waiting] = db.pauses(PauseFilter(run_id=run_id))
    return Decided(run_id, waiting.pause.pause_id, "confirm", 1)


def test_a_refused_run_is_tried_again_later_and_later(db, monkeypatch):
    """It is left out for a second, then for two, and so on; then it is handed out again."""
    flow_of(db, Step("old", done, requires_confirmation=True)).run("x", run_id="r")
    db.decide(yes_to(db, "r"))
    now = [0.0]
    monkeypatch.setattr("statecore.runtime.backoff.monotonic", lambda: now[0])
    told: list[Went] = []
    worker = Worker(flow_of(db, Step("a", done)), tell=told.append)
    for passed, tries in ((0, 1), (0.9, 1), (1, 2), (2.9, 2), (3, 3), (7, 4)):
        now[0] = passed
        for job in worker._take():
            worker._go_on(job)
        assert len(told) == tries, passed


def test_a_run_for_which_nothing_can_be_done_is_let_be(db):
    """A decided question that the run does not ask (somebody wrote past the core) is handed out as work; it is tried once, not for ever."""
    flow = flow_of(db)
    flow.run("x", run_id="r")
    record = claim(db, "r", ALIVE, TIME)
    ghost = question("r", "ghost")
    db.commit(Boundary("r", record.epoch, record.seq, TIME, record.state, (), record.held, opened=(ghost,), parks=True))
    db.decide(answer(ghost))

    def tell(went):
        told.append(went)
        worker.stop()

    told: list[Went] = []
    worker = Worker(flow, tell=tell)
    worker.work(until_idle=True)
    assert (told, db.load("r").epoch, db.load("r").owner) == ([], record.epoch + 1, None)


class Away(InMemoryDb):
    """A store that is away for some calls of some methods."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: dict[str, int] = {}

    def call(self, name, *args):
        """The method, unless the store is away."""
        if self.missing.get(name, 0):
            self.missing[name] -= 1
            raise StoreUnavailable("here", "it is away")
        return getattr(super(), name)(*args)

    def release(self, *args):
        return self.call("release", *args)

    def claim_next(self, *args):
        return self.call("claim_next", *args)

    def commit(self, *args):
        return self.call("commit", *args)


def test_a_claim_that_could_not_be_given_back_is_given_back_later():
    """While the store is away the run stays claimed by a process that lives; when it is there again, the run is nobody's."""
    db = Away()
    flow_of(db, Step("old", done, requires_confirmation=True)).run("x", run_id="r")
    db.decide(yes_to(db, "r"))
    db.missing["release"] = 1
    assert worked(flow_of(db, Step("a", done)))["r"][0] == "REFUSED"
    assert (db.missing["release"], db.load("r").owner) == (0, None)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_step_whose_end_could_not_be_stored_is_in_doubt_and_its_run_is_free(times):
    """However long the store is away: what was called is listed as interrupted once it is there again, and the run waits for nobody."""
    db = Away()
    flow = flow_of(db, Step("a", lambda s: db.missing.update(commit=times)))
    flow.submit("x", run_id="r")
    status, why = worked(flow)["r"]
    assert (status, why.startswith("StoreUnavailable")) == ("REFUSED", True)
    assert [entry.trigger for entry in db.journal("r") if entry.at == "a"] == ["enter", "interrupt"]
    assert (db.load("r").owner, db.missing["commit"]) == (None, 0)


def test_a_store_that_goes_away_is_waited_for():
    """Once it has been there; one that never was is an error."""
    db = Away()
    flow = flow_of(db, Step("a", done))
    db.missing["claim_next"] = 1
    with pytest.raises(StoreUnavailable):
        Worker(flow).work(until_idle=True)
    told = []

    def tell(went):
        told.append(went.status)
        if went.status == "COMPLETED":
            db.missing["claim_next"] = 2
        elif told.count("WAITING") == 2:
            worker.stop()

    worker = Worker(flow, tell=tell, poll=0.01)
    flow.submit("x")
    worker.work()
    assert told == ["COMPLETED", "WAITING", "WAITING"]


def test_a_hint_wakes_a_worker():
    """A store that can be listened to is, and what it tells is looked for at once, however long the worker would have slept."""
    heard: list[str] = []

    class Telling(InMemoryDb):
        def listen(self, seconds):
            if not heard:
                heard.append("a run")
                flow.submit("x")
            return True

    flow = flow_of(Telling(), Step("a", done))
    told = []

    def tell(went):
        told.append(went)
        worker.stop()

    worker = Worker(flow, poll=3600, tell=tell)
    working = Thread(target=worker.work)
    working.start()
    working.join(60)
    assert not working.is_alive()
    assert [type(each) for each in told] == [Went]
    assert told[0].status == "COMPLETED"


def test_a_worker_that_is_stopped_takes_nothing_more(db):
    """It ends at the next boundary of what it has: the run is nobody's, and goes on there later."""
    flow = flow_of(db, Step("a", lambda s: worker.stop()), Step("b", done))
    run = flow.submit("x")
    flow.submit("y")
    worker = Worker(flow, concurrency=1)
    assert worker.work() == {"RUNNING": 1}
    record = db.load(run.run_id)
    assert (record.owner, [cursor.at for cursor in record.state.cursors]) == (None, ["b"])
    assert Worker(flow).work(until_idle=True) == {"COMPLETED": 2}


@pytest.mark.spec("CRASH-2")
@pytest.mark.parametrize("trouble", ["another definition", "a store that is away"])
def test_what_a_worker_cannot_take_over_stays_in_doubt(db, monkeypatch, trouble):
    """A run whose owner died in a step is claimed by a worker that then cannot go on with it: whoever comes next still asks before it calls."""
    calls: list[int] = []

    def dies(_):
        calls.append(1)
        raise KeyboardInterrupt

    flow, begun = (flow_of(db, Step("pay", called, on_interrupt="pause")) for called in (done, dies))
    begun.host = evolve(begun.host, owner=lambda: DEAD)
    with monkeypatch.context() as gone:  # a process that is gone stores nothing more
        gone.setattr("statecore.runtime.sync.store_interruption", lambda *_: None)
        gone.setattr(db, "release", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            begun.run(run_id="r")
    assert db.load("r").owner == DEAD
    if trouble == "another definition":
        assert worked(flow_of(db, Step("other", done)))["r"][0] == "REFUSED"
    else:
        with monkeypatch.context() as away:
            away.setattr(db, "pauses", lambda _: (_ for _ in ()).throw(StoreUnavailable("the store", "it is away")))
            assert worked(flow)["r"][0] == "REFUSED"
    assert db.load("r").owner is None
    assert worked(flow) == {}
    [asked] = flow.list_pauses(run_id="r")
    assert (asked.kind, calls) == ("interrupted", [1])


def test_what_is_claimed_while_a_worker_is_told_to_stop_is_given_back(db, monkeypatch):
    """It takes no more, also where the store was looking at that very moment: the run is nobody's and as it was."""
    flow = flow_of(db)
    flow.submit("x", run_id="r")
    before = db.load("r").state
    worker = Worker(flow)
    claim_next = db.claim_next

    def stopped(*given):
        taken = claim_next(*given)
        worker.stop()
        return taken

    monkeypatch.setattr(db, "claim_next", stopped)
    assert worker.work(until_idle=True) == {}
    assert (db.load("r").owner, db.load("r").state, db.journal("r")) == (None, before, [])
    monkeypatch.undo()
    assert worked(flow)["r"][0] == "PAUSED"


@pytest.mark.spec("GATE-8")
def test_a_worker_takes_over_in_somebodys_name(db):
    """A worker refuses a run whose gate its definition lacks, and drives it where a person said so; the journal has the name."""
    gated = [Step("pay", done, requires_confirmation=True), Step("ship", done, requires_confirmation=True)]
    flow_of(db, *gated).run("x", run_id="r")
    db.decide(yes_to(db, "r"))
    bare = flow_of(db, gated[0], Step("ship", done))
    assert dict(Worker(bare).work(until_idle=True)) == {"REFUSED": 1}
    assert (db.load("r").owner, db.load("r").state.run) == (None, "paused")
    assert dict(Worker(bare, adopt=True, by="ada").work(until_idle=True)) == {"PAUSED": 1}  # the yes let less begin (GATE-7)
    db.decide(yes_to(db, "r"))
    assert dict(Worker(bare).work(until_idle=True)) == {"COMPLETED": 1}
    assert [each for entry in db.journal("r") if (each := detail_of(entry.body.detail).adopted_by)] == ["ada"]
    with pytest.raises(UnsupportedSetting, match="adopt=True without by"):
        Worker(bare, adopt=True)
