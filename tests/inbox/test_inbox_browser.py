"""The pages in a real browser: with script and without, by keyboard alone, on a phone, light and dark, and what axe says of them."""

import re
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from statecore import OnError, Parallel, Router, SqliteDb, Step, Worker, Workflow
from statecore.definition import UserInputField
from statecore.workflow.elsewhere import follow
from statecore.workflow.inbox import Inbox
from tests.conftest import pytest_terminal_summary
from tests.inbox import browser as real
from tests.inbox import chromium, picture

FORM = [
    UserInputField("amount", "int", "in EUR", maximum=50),
    UserInputField("day", "date", required=False),
    UserInputField("tone", "str", allowed_values=["firm", "kind"]),
    UserInputField("note", "text", required=False),
]
LONG = "Pay " + "A" * 180 + " <script>alert(1)</script> to \u202eACME?"


def fails(_step_input):
    """A step that fails."""
    message = "rates.example did not answer within 10 s"
    raise TimeoutError(message)


def payout(db):
    """A workflow that asks about a payment, and then completes."""
    steps = [
        Step("collect", lambda i: {"Amount": "4,200.00 EUR", "Payee": "ACME GmbH"}),
        Step(
            "pay",
            lambda i: "paid",
            requires_confirmation=True,
            confirmation_message="Pay 4,200.00 EUR to ACME GmbH?",
            on_reject="cancel",
        ),
        Step("archive", lambda i: "kept"),
    ]
    return Workflow("payout", steps, db=db)


def every_kind(db):
    """Open questions of each kind of form, one of them hostile."""
    payout(db).run("ACME", user_id="ada")
    steps: list[Any] = [
        Step("pay", lambda i: "x", requires_confirmation=True, confirmation_message=LONG, timeout=1_800),
        Step(
            "terms",
            lambda i: "x",
            requires_user_input=True,
            user_input_schema=FORM,
            user_input_message="Which terms does ACME get?",
        ),
        Router(
            "way",
            [Step("mail", lambda i: "x"), Step("print", lambda i: "x")],
            requires_user_input=True,
            allow_multiple_selections=True,
        ),
        Step("draft", lambda i: "Dear all,\nthe tariff starts soon.", requires_output_review=True),
        Step("fetch", fails, on_error=OnError.pause),
    ]
    Workflow("all kinds", [Parallel(*steps, name="all")], db=db).run({"supplier": "ACME", "lines": [1, 2]})


@contextmanager
def working(workflow):
    """Meanwhile, a worker executes the runs of a workflow."""
    worker = Worker([workflow], 1, 0.05)
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def until_over(db, runs):
    """Wait for the end of some runs."""
    inbox = Inbox(db)
    for run in runs:
        for _ in follow(inbox, run.run_id):
            pass


@pytest.mark.spec("INBOX-3", "INBOX-11")
def test_a_browser_decides_with_and_without_script(tmp_path):
    """Without script the button stores the decision and the page says that a worker is awaited; with it the page tells of the end by itself."""
    if chromium.missing():
        return
    db = SqliteDb(db_file=tmp_path / "runs.db")
    workflow = payout(db)
    runs = [workflow.run("ACME") for _ in range(2)]
    with real.served(db) as base, real.browser() as found:
        plain = real.person(found, "ann", script=False)
        plain.goto(f"{base}/")
        plain.click("a.q")
        plain.fill("#c", "looked at")
        plain.click("button.answer.yes")
        assert "Waiting for a worker" in plain.inner_text("#led")
        scripted = real.person(found, "bob")
        scripted.goto(f"{base}/")
        assert scripted.locator("a.q").count() == 1
        scripted.click("a.q")
        scripted.click("button.answer.yes")
        scripted.wait_for_selector("#led")
        assert "Waiting for a worker" in scripted.inner_text("#led")
        with working(workflow):
            expect(scripted.locator("#led")).to_contain_text("The run completed.")
            until_over(db, runs)
        plain.click("#again")
        assert "The run completed." in plain.inner_text("#led")
        assert scripted.problems == []
        assert scripted.hosts == {base.removeprefix("http://")}
    assert {db.load(run.run_id).state.run for run in runs} == {"completed"}
    assert {each.by for run in runs for each in db.decisions(run.run_id)} == {"ann", "bob"}


@pytest.mark.spec("INBOX-3")
def test_a_list_is_live_and_decided_by_keyboard_alone(tmp_path):
    """j, Enter, a, Enter decide; the list of another person loses its row by itself; keys that are switched off do nothing."""
    if chromium.missing():
        return
    db = SqliteDb(db_file=tmp_path / "runs.db")
    runs = [payout(db).run("ACME") for _ in range(2)]
    with real.served(db) as base, real.browser() as found:
        other = real.person(found, "ann")
        other.goto(f"{base}/")
        assert other.title().startswith("2 open")
        page = real.person(found, "bob")
        page.goto(f"{base}/")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector("#decide")
        page.wait_for_load_state("load")  # before that the script may not listen to keys yet
        page.keyboard.press("r")
        assert page.evaluate("document.activeElement.value") == "reject"
        page.keyboard.press("a")
        assert page.evaluate("document.activeElement.value") == "confirm"
        page.keyboard.press("Enter")
        page.wait_for_selector("#led")
        expect(other).to_have_title(re.compile("^1 open"), timeout=15_000)
        assert other.locator("a.q").count() == 1
        page.goto(f"{base}/")
        page.click("#keys")
        page.keyboard.press("j")
        assert page.evaluate("document.activeElement.className") != "q"
        assert page.problems + other.problems == []
    assert [len(db.decisions(run.run_id)) for run in runs].count(1) == 1


@pytest.mark.spec("INBOX-3")
def test_the_order_of_focus_is_the_order_of_reading(tmp_path):
    """Tab goes from the head of the page to the values, the comment, the answers; each stop is visible."""
    if chromium.missing():
        return
    db = SqliteDb(db_file=tmp_path / "runs.db")
    payout(db).run("ACME")
    with real.served(db) as base, real.browser() as found:
        page = real.person(found)
        page.goto(f"{base}/")
        page.click("a.q")
        page.wait_for_selector("#decide")
        page.wait_for_load_state("load")
        stops = []
        for _ in range(12):
            page.keyboard.press("Tab")
            stops.append(page.evaluate("e => { const a = document.activeElement; return a.name || a.className || a.innerText }"))
        assert stops[:2] == ["skip", "brand"]
        at = [stops.index("comment"), *(number for number, stop in enumerate(stops) if stop == "word")]
        assert at == sorted(at)
        assert len(at) == 3


@pytest.mark.spec("INBOX-3")
@pytest.mark.parametrize(("width", "scheme", "looked_at"), [(1280, "light", 12), (390, "dark", 3), (320, "light", 0)])
def test_no_page_has_a_fault_of_access(tmp_path, width, scheme, looked_at):
    """No page of any kind is wider than its window, and axe finds nothing wrong with it: WCAG 2.2 AA and its best practice."""
    if chromium.missing():
        return
    db = SqliteDb(db_file=tmp_path / "runs.db")
    every_kind(db)
    with real.served(db) as base, real.browser() as found:
        page = real.person(found, width=width, scheme=scheme, csp=False)
        page.goto(f"{base}/")
        links = [link.get_attribute("href") for link in page.locator("a.q").all()]
        assert len(links) == 6
        page.goto(base + links[0])
        run = page.locator(".eyebrow a").get_attribute("href")
        faults = {}
        for number, path in enumerate(["/", *links, "/?show=late", "/?kind=question", run, f"{run}/picture", "/nowhere"]):
            page.goto(base + path)
            faults[path] = (max(real.overflow(page), 0), real.violations(page) if number < looked_at else [])
        assert {path: fault for path, fault in faults.items() if fault != (0, [])} == {}


def test_an_absent_browser_is_told_and_fails_in_ci(monkeypatch):
    """Without Chromium the tests of the pages pass and the summary says it; where CI is "true" they fail by name."""
    said = []
    reporter = SimpleNamespace(write_line=lambda text, **_: said.append(text))
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(AssertionError, match="apt-get install chromium"):
        chromium.missing()
    monkeypatch.setenv("CI", "")
    pytest_terminal_summary(reporter)
    assert chromium.missing()
    assert chromium.MISSING in said


@pytest.mark.spec("INBOX-3")
def test_the_picture_of_the_readme_can_be_taken(tmp_path):
    """The workflow of README.md asks its question in the pages, and the picture of it has the size of the one that is shown."""
    if chromium.missing():
        return
    file = tmp_path / "inbox.png"
    picture.taken(file)
    sizes = [each.read_bytes()[16:24] for each in (file, picture.PICTURE)]  # width and height, where a PNG has them
    assert sizes == [picture.WIDE.to_bytes(4) + picture.HIGH.to_bytes(4)] * 2
