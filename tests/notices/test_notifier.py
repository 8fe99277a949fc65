"""What happens to questions is told at least once with one id, whatever fails or dies, and nothing else waits for it (NOTE-1 to NOTE-5)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import timedelta
from types import ModuleType

import pytest

from statecore import Approval, DefinitionError, InMemoryDb, MissingExtra, SqliteDb, Step, UnsafeNotice, Workflow
from statecore.notices.channels import EVERYTHING, Apprise, Mail, Webhook
from statecore.notices.notifier import GIVES_UP, SYMPTOM, Notifier
from statecore.notices.signing import Receiver
from statecore.stores import PauseFilter
from tests.notices.receivers import hook, post_office

SECRET = "whsec_" + "QUJD" * 8
LINK = "https://review.example/q/{question_id}"
HOUR = 3_600 * 1_000_000


class Clock:
    """A clock that is set."""

    def __init__(self, db):
        self.now = max((row.pause.opened for row in db.pauses(PauseFilter())), default=0)

    def __call__(self):
        return self.now


def payout(db, **more):
    """A flow that pays behind a gate."""
    return Workflow(
        "payout", [Step("pay", lambda _: "secret-output", requires_confirmation=True, on_reject="cancel", **more)], db=db
    )


def all_sent(notifier):
    """Look, and send whatever is due."""
    notifier.look()
    for channel in notifier.channels:
        while notifier.send(channel):
            pass


def told(came):
    """The types and the ids of deliveries."""
    return [(json.loads(body)["type"], headers["webhook-id"]) for headers, body in came]


@pytest.fixture
def db(tmp_path):
    """A store in a file."""
    store = SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


@pytest.mark.spec("NOTE-1", "NOTE-3", "NOTE-4")
def test_a_question_is_told_from_its_asking_to_the_end_of_its_run(db):
    """Asked, reminder, decided and the end of the run come once each, signed, with the link, and with no value of the run."""
    flow = payout(db)
    run_id = flow.run("secret-input").run_id
    with hook() as (url, came):
        clock = Clock(db)
        notifier = Notifier(db, [Webhook(url, SECRET, events=EVERYTHING)], link=LINK, remind=timedelta(hours=8), clock=clock)
        all_sent(notifier)
        all_sent(notifier)
        clock.now += 8 * HOUR
        all_sent(notifier)
        flow.decide(run_id, db.pauses(PauseFilter())[0].pause.pause_id, "confirm", by="ann")
        all_sent(notifier)
        flow.continue_run(run_id=run_id)
        all_sent(notifier)
        all_sent(notifier)
        notifier.close()
    assert [kind for kind, _ in told(came)] == ["question.asked", "question.reminder", "question.decided", "run.ended"]
    assert len({id_ for _, id_ in told(came)}) == 4
    notice = json.loads(came[0][1])["data"]
    assert notice["link"] == LINK.format(question_id=notice["question_id"])
    assert (notice["workflow"], notice["title"], notice["due_at"]) == ("payout", "Run 'pay'?", None)
    assert not [body for _, body in came if b"secret-" in body]


@pytest.mark.spec("NOTE-2")
def test_a_receiver_that_fails_redirects_or_dies_is_tried_again_with_the_same_id(db):
    """503, a redirect, and a connection that breaks are failures: the same id comes after growing delays; five are a symptom."""
    payout(db).run("x")
    with hook([503, "http://169.254.169.254/meta", "dies", 500, 500]) as (url, came):
        clock = Clock(db)
        notifier = Notifier(db, [Webhook(url, SECRET)], clock=clock)
        notifier.look()
        [channel] = notifier.channels
        for wait in (5, 10, 20, 40, 80):
            assert notifier.send(channel)
            assert not notifier.send(channel)
            clock.now += wait * 1_000_000 - 1
            assert not notifier.send(channel)
            clock.now += 1
        [symptom] = notifier.symptoms()
        assert symptom.why == "question.asked failed after 5 tries: SC716 The notice was not delivered: the receiver answered 500."
        assert notifier.send(channel)
        assert not notifier.send(channel)
        notifier.close()
    assert len(came) == 6
    assert len(set(told(came))) == 1


@pytest.mark.spec("NOTE-2", "NOTE-3")
def test_what_is_decided_meanwhile_is_told_no_more_and_what_fails_for_days_is_given_up(db):
    """A call for a decision that did not arrive before it was decided is dropped, its end is told; after three days a delivery is given up."""
    flow = payout(db)
    run_id = flow.run("x").run_id
    with hook([500] * 40) as (url, came):
        clock = Clock(db)
        notifier = Notifier(db, [Webhook(url, SECRET)], clock=clock)
        all_sent(notifier)
        flow.decide(run_id, db.pauses(PauseFilter())[0].pause.pause_id, "confirm", by="ann")
        clock.now += 10_000_000
        all_sent(notifier)
        assert [kind for kind, _ in told(came)] == ["question.asked", "question.decided"]
        for _ in range(SYMPTOM):
            clock.now += GIVES_UP
            all_sent(notifier)
        before = len(came)
        clock.now += GIVES_UP
        all_sent(notifier)
        assert len(came) == before
        assert ["was given up" in each.why for each in notifier.symptoms()] == [True]
        notifier.close()


@pytest.mark.spec("NOTE-1", "NOTE-5")
def test_a_mail_goes_to_those_who_may_decide_and_writes_no_header(db):
    """Each seat's addresses get one mail each, an escalation tells the new ones, and a title with line ends and a forged header is one line."""
    rule = Approval(of="role:finance", escalate=[(timedelta(hours=24), "role:cfo")])
    gate = Step("pay", str, requires_confirmation=True, approval=rule, confirmation_message="Pay?\r\nBcc: eve@evil.example\x00")
    Workflow("payout", [gate], db=db).run("x", user_id="ada")
    to = {"role:finance": ["ann@acme.example", "bob@acme.example"], "role:cfo": ["zoe@acme.example"]}
    with post_office() as (port, came):
        clock = Clock(db)
        notifier = Notifier(db, [Mail("127.0.0.1", port, sender="review@acme.example", to=to)], link=LINK, clock=clock)
        all_sent(notifier)
        assert sorted(each for each, _ in came) == ["rcpt TO:<ann@acme.example>", "rcpt TO:<bob@acme.example>"]
        clock.now += 24 * HOUR
        all_sent(notifier)
        assert [each for each, _ in came[2:] if "zoe" in each] == ["rcpt TO:<zoe@acme.example>"]
        notifier.close()
    text = came[0][1]
    assert "\r\nBcc:" not in text
    assert "Subject: A decision is wanted: Pay?" in text
    assert "Who may decide: 1 of role finance" in text
    assert "https://review.example/q/q_" in text
    assert len({line for _, each in came for line in each.splitlines() if line.startswith("Message-ID")}) == len(came)


@pytest.mark.spec("NOTE-2")
def test_a_channel_that_names_nobody_is_a_symptom_and_holds_up_no_other(db):
    """`to` that raises or gives nobody is a symptom, the other channel tells; when it names people again the notice goes out."""
    payout(db).run("x")
    names = [[], None, ["ann@acme.example"]]

    def to(_):
        given = names.pop(0) if len(names) > 1 else names[0]
        if given is None:
            raise LookupError("directory of secret-host")
        return given

    with hook() as (url, came), post_office() as (port, mails):
        notifier = Notifier(db, [Mail("127.0.0.1", port, sender="r@a.example", to=to), Webhook(url, SECRET)], clock=Clock(db))
        all_sent(notifier)
        assert [each.why for each in notifier.symptoms()] == [
            "it names no recipients: SC716 The notice was not delivered: `to` names no address for it."
        ]
        all_sent(notifier)
        assert [each.why for each in notifier.symptoms()] == ["it names no recipients: LookupError"]
        assert (len(came), mails) == (1, [])
        all_sent(notifier)
        assert (len(came), len(mails), notifier.symptoms()) == (1, 1, [])
        notifier.close()


@pytest.mark.spec("NOTE-2")
def test_nothing_waits_for_a_channel_that_hangs(db):
    """While one channel hangs, the other one tells, and a decision is stored and told."""
    flow = payout(db)
    run_id = flow.run("x").run_id
    free, asked, decided = threading.Event(), threading.Event(), threading.Event()

    class Hanging:
        name = "hanging"

        def recipients(self, _):
            return ("",)

        def send(self, *_):
            free.wait(30)

    class Telling(Hanging):
        name = "telling"

        def send(self, notice, *_):
            (decided if notice.type == "question.decided" else asked).set()

    stop = threading.Event()
    notifier = Notifier(db, [Hanging(), Telling()], every=0.01)
    thread = threading.Thread(target=notifier.run, args=(stop,))
    thread.start()
    try:
        assert asked.wait(20)
        flow.decide(run_id, db.pauses(PauseFilter())[0].pause.pause_id, "confirm", by="ann")
        assert decided.wait(20)
    finally:
        stop.set()
        free.set()
        thread.join()
        notifier.close()


CHILD = """
import os, signal, sys
from pathlib import Path
from statecore import SqliteDb
from statecore.notices.channels import Webhook
from statecore.notices.notifier import Notifier
from statecore.notices.reaching import post
from statecore.stores import PauseFilter
path, url, secret = sys.argv[1:]

def tells(at, later):
    # a notifier in a process of its own, killed before its write number `at`; the status of the process
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    db = SqliteDb(db_file=path)
    opened = db.pauses(PauseFilter())[0].pause.opened
    notifier = Notifier(db, [Webhook(url, secret)], clock=lambda: opened + later)
    left = [at]
    def wrote(statement):
        left[0] -= statement.startswith(("INSERT", "UPDATE", "COMMIT"))
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    notifier.sent._link.set_trace_callback(wrote)
    notifier.look()
    while notifier.send(notifier.channels[0]): pass
    os._exit(0)

at = 0
while tells(at, 0) == signal.SIGKILL:
    assert tells(10_000, 600_000_000) == 0
    post(url, {}, b"round")
    at += 1
    for each in Path(path).parent.glob("runs.db.notices*"):
        each.unlink()
print(at)
"""


@pytest.mark.spec("NOTE-1")
def test_a_notifier_that_is_killed_at_any_write_tells_at_least_once_with_one_id(db):
    """Killed by SIGKILL before each write of its file, and started again, it has told the question, and only under one id."""
    payout(db).run("x")
    with hook() as (url, came):
        command = [sys.executable, "-c", CHILD, str(db.path), url, SECRET]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        assert child.returncode == 0, child.stderr
    rounds: list[set[str]] = [set()]
    for headers, body in came:
        if body == b"round":
            rounds.append(set())
        else:
            rounds[-1].add(headers["webhook-id"])
    assert len(rounds) == int(child.stdout) + 1 >= 7
    assert {len(ids) for ids in rounds} == {1}


@pytest.mark.spec("NOTE-5")
@pytest.mark.parametrize(
    "url",
    [
        "http://ops.example/hook",
        "ftp://ops.example/",
        "https://user:pw@ops.example/",
        "https://ops.example/\r\nX: y",
        "https:///hook",
        "ops.other",
    ],
)
def test_an_unsafe_address_is_refused_at_once(url):
    """Http to another machine, a password in the address, another scheme and line ends are refused, and the text does not repeat it."""
    with pytest.raises(UnsafeNotice) as refused:
        Webhook(url, SECRET)
    assert url not in str(refused.value)


@pytest.mark.spec("NOTE-5")
@pytest.mark.parametrize("address", ["10.0.0.7", "169.254.169.254", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.7"])
def test_a_private_address_is_refused_when_its_name_is_resolved(db, monkeypatch, address):
    """A host whose name means a private address is not connected to: the delivery fails, and says why."""
    import socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (address, 443))])
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connected"))
    payout(db).run("x")
    notifier = Notifier(db, [Webhook("https://ops.example/hook", SECRET)], clock=Clock(db))
    all_sent(notifier)
    [failing] = notifier.sent.failing(1)
    assert "private address" in failing.why
    notifier.close()


@pytest.mark.spec("NOTE-5")
def test_a_notifier_that_cannot_work_is_refused():
    """Short secrets, unknown events, logins in the clear, addresses with headers, two channels of one name, a store without a file."""
    hooked = Webhook("https://ops.example/hook", SECRET)
    for make in (
        lambda: Webhook("https://ops.example/hook", "short"),
        lambda: Webhook("https://ops.example/hook", SECRET, events=["question.askd"]),
        lambda: Mail("mx.example", sender="a@b.example", to={}, login=("u", "p")),
        lambda: Mail("mx.example", sender="a@b.example\nBcc: x@y.example", to={}),
        lambda: Notifier(InMemoryDb(), [hooked, hooked], sent="x"),
        lambda: Notifier(InMemoryDb(), [hooked], sent="x", link="https://review.example/"),
    ):
        with pytest.raises(UnsafeNotice):
            make()
    with pytest.raises(DefinitionError, match="sent="):
        Notifier(InMemoryDb(), [hooked])
    assert SECRET not in repr(hooked)
    assert isinstance(hooked.key, bytes)


@pytest.mark.spec("NOTE-1")
def test_apprise_is_asked_to_tell(db, monkeypatch):
    """The channel hands the words of a notice to the package; without it the extra is named, and a service that does not take it is tried again."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(MissingExtra, match="apprise"):
        Apprise("json://ops.example")
    said = []

    class Sender:
        def add(self, url):
            return url.startswith("json:")

        def notify(self, **words):
            said.append(words)
            return len(said) > 1

    package = ModuleType("apprise")
    package.Apprise = Sender  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "apprise", package)
    with pytest.raises(UnsafeNotice):
        Apprise("nonsense")
    payout(db).run("x")
    clock = Clock(db)
    notifier = Notifier(db, [Apprise("json://ops.example")], link=LINK, clock=clock)
    all_sent(notifier)
    clock.now += 10_000_000
    all_sent(notifier)
    notifier.close()
    assert [each["title"] for each in said] == ["A decision is wanted"] * 2
    assert "https://review.example/q/q_" in said[0]["body"]


@pytest.mark.spec("NOTE-5")
def test_a_receiver_checks_what_a_notifier_sends(db):
    """What a notifier sends passes the receiver's check, and the second time it is known."""
    payout(db).run("x")
    with hook() as (url, came):
        notifier = Notifier(db, [Webhook(url, SECRET)], clock=Clock(db))
        all_sent(notifier)
        notifier.close()
    [(headers, body)] = came
    assert Receiver(SECRET).check(headers, body) == json.loads(body)
