"""Every kind of question is answered on its page without script, and the run goes on as it was answered (INBOX-3)."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from statecore import Ask, InMemoryDb, Loop, OnError, OnReject, Router, Step, StepOutput, Workflow
from statecore.definition import UserInputField
from tests.inbox.desk import OWN, Form, Reader


def echo(step_input):
    """What the step was given."""
    return step_input.previous_step_content


def flaky(step_input):
    """A step that fails at its first attempt."""
    if not step_input.attempt:
        message = "the line is busy"
        raise OSError(message)
    return "data"


def draft(step_input):
    """A text that heeds its feedback."""
    said = (step_input.additional_data or {}).get("rejection_feedback")
    return f"Dear all,\n{said or 'soon!!'}"


FORM = [
    UserInputField("amount", "int", "in EUR", minimum=1, maximum=50),
    UserInputField("price", "decimal", required=False),
    UserInputField("day", "date", required=False),
    UserInputField("tone", "str", allowed_values=["firm", "kind"]),
    UserInputField("areas", "list", allowed_values=["north", "south", "west"], required=False),
    UserInputField("sure", "bool"),
    UserInputField("note", "text", required=False),
    UserInputField("word", "str", required=False),
]


def values(step_input):
    """The form's values as the step got them."""
    return dict(step_input.additional_data["user_input"])


def asks(*questions):
    """A step whose code asks, and hands on the answers."""

    def ask(step_input):
        return [each.value for each in step_input.answers] if step_input.answers else list(questions)

    return [Step("ask", ask, may_ask=len(questions))]


CASES: dict[str, Any] = {
    "confirm": ([Step("pay", lambda i: "paid", requires_confirmation=True)], "confirm", {}, "paid"),
    "edit input": ([Step("pay", echo, requires_confirmation=True, allow_edit=True)], "edit", {"edit": "Blume"}, "Blume"),
    "form": (
        [Step("terms", values, requires_user_input=True, user_input_schema=FORM)],
        "input",
        {"f.amount": "12", "f.price": "4.20", "f.day": "2026-11-30", "f.tone": "kind", "f.areas": ["north", "west"], "f.sure": "no",
         "f.note": "two\r\nlines", "f.word": "reject"},
        {"amount": 12, "price": Decimal("4.20"), "day": dt.date(2026, 11, 30), "tone": "kind", "areas": ["north", "west"], "sure": False,
         "note": "two\nlines", "word": "reject"},
    ),
    "free form": ([Step("terms", values, requires_user_input=True)], "input", {"f": '{"a": [1]}'}, {"a": [1]}),
    "one way": ([Router("way", [Step("mail", lambda i: "mailed"), Step("print", lambda i: "printed")], requires_user_input=True)],
                "select", {"f": "print"}, "printed"),
    "several ways": (
        [Router("way", [Step("a", lambda i: "a"), Step("b", lambda i: "b"), Step("c", lambda i: "c")], requires_user_input=True,
                allow_multiple_selections=True)],
        "select", {"f": ["a", "c"]}, "c",
    ),
    "output kept": ([Step("draft", draft, requires_output_review=True)], "confirm", {}, "Dear all,\nsoon!!"),
    "output edited": ([Step("draft", draft, requires_output_review=True)], "edit", {"edit": "Dear all,\r\ntoday."}, "Dear all,\ntoday."),
    "output edited as data": ([Step("draft", lambda i: {"n": 1}, requires_output_review=True)], "edit", {"edit": '{"n": [2]}'}, {"n": [2]}),
    "iteration": ([Loop("polish", [Step("draft", draft)], max_iterations=3, requires_iteration_review=True)], "confirm", {}, "Dear all,\nsoon!!"),
    "error retried": ([Step("fetch", flaky, on_error=OnError.pause)], "retry", {}, "data"),
    "error skipped": ([Step("fetch", flaky, on_error=OnError.pause), Step("next", lambda i: "next")], "skip", {}, "next"),
    "output provided": ([Step("fetch", flaky, on_error=OnError.pause)], "provide", {"provide": '{"rows": 3}'}, {"rows": 3}),
    "a choice of code": (asks(Ask("How much?", choices=[10, 20])), "answer", {"f": "20"}, [20]),
    "a price of code": (asks(Ask("Which price?", choices=[Decimal("4.20"), Decimal("5.00")])), "answer", {"f": "4.20"}, [Decimal("4.20")]),
    "choices of code": (asks(Ask("Which?", choices=["x", "y", "z"], multiple=True)), "answer", {"f": ["x", "z"]}, [["x", "z"]]),
    "a text for code": (asks(Ask("Why?")), "answer", {"f": "because"}, ["because"]),
    "yes or no for code": (asks(Ask("Sure?", kind="confirmation")), "answer", {"f": "no"}, [False]),
    "a form of code": (asks(Ask("Fill in", form=[UserInputField("n", "int")])), "answer", {"f.n": "3"}, [{"n": 3}]),
}  # fmt: skip


@pytest.mark.spec("INBOX-3")
@pytest.mark.parametrize("case", CASES)
def test_a_question_is_answered_without_script(case):
    """The form of the page, sent as a browser without script does, stores the answer under the person's name; the run ends as answered."""
    steps, word, said, content = CASES[case]
    reader = Reader()
    workflow = Workflow("payout", steps, db=reader.db)
    run = workflow.run("ACME")
    assert run.is_paused
    address = reader.only()
    if "choice" in case or "price" in case:
        assert 'type="radio"' in reader.client.get(address).text or 'type="checkbox"' in reader.client.get(address).text
    answer = reader.decide(address, word, comment="looked at", **said)
    assert answer.status_code == 303, Form(answer.text).text
    [decided] = reader.db.decisions(run.run_id)
    assert (decided.word, decided.by, decided.comment) == (word, "bob", "looked at")
    assert reader.questions() == []
    ended = workflow.continue_run(run_id=run.run_id)
    assert (ended.status, ended.content) == ("COMPLETED", content)
    page = reader.page(answer.headers["location"])
    assert "Taken up. The run completed." in page.text
    assert "looked at" in page.text


@pytest.mark.spec("INBOX-3")
def test_a_rejected_output_is_written_again_with_the_words():
    """The comment of a rejection is what the next attempt is told; the next page shows the difference and the words that led to it."""
    reader = Reader()
    workflow = Workflow("news", [Step("draft", draft, requires_output_review=True, on_reject=OnReject.retry)], db=reader.db)
    run = workflow.run()
    assert reader.decide(reader.only(), "reject", comment="name the day").status_code == 303
    workflow.continue_run(run_id=run.run_id)
    page = reader.page(reader.only())
    assert "It was sent back with: name the day" in page.text
    assert "removed: soon!!" in page.text
    assert "added: name the day" in page.text
    assert reader.decide(reader.only(), "confirm").status_code == 303
    assert workflow.continue_run(run_id=run.run_id).content == "Dear all,\nname the day"


@pytest.mark.spec("INBOX-3")
def test_an_interrupted_step_is_decided():
    """A step whose process died is put to a person, who says that it is called again."""
    reader = Reader(InMemoryDb())

    def dies(step_input):
        if not step_input.attempt:
            raise KeyboardInterrupt
        return "done"

    workflow = Workflow("payout", [Step("pay", dies, on_interrupt="pause")], db=reader.db)
    with pytest.raises(KeyboardInterrupt):
        workflow.run("ACME", run_id="r1")
    assert reader.decide(reader.only(), "retry").status_code == 303
    assert workflow.continue_run(run_id="r1").content == "done"


@pytest.mark.spec("INBOX-3")
def test_what_does_not_fit_is_said_beside_its_field():
    """A refused form stores nothing; the page says how many fields are wrong, and why, keeps what was typed, and takes the corrected form."""
    reader = Reader()
    workflow = Workflow("payout", [Step("terms", values, requires_user_input=True, user_input_schema=FORM)], db=reader.db)
    run = workflow.run()
    address = reader.only()
    said = {"f.amount": "80", "f.tone": "kind", "f.sure": "yes", "f.note": "keep me", "comment": "and me"}
    answer = reader.decide(address, "input", **said)
    assert answer.status_code == 422
    assert reader.db.decisions(run.run_id) == []
    form = Form(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert "amount" in form.text
    assert "Nothing was stored" in form.text
    assert {name: form.values[name] for name in said} == {name: [value] for name, value in said.items()}
    again = reader.client.post(address, data={**form.values, "f.amount": "8", "word": "input"}, headers=OWN)
    assert again.status_code == 303
    assert workflow.continue_run(run_id=run.run_id).content["note"] == "keep me"


@pytest.mark.spec("INBOX-4")
def test_each_button_names_its_outcome():
    """Each answer says where the run goes, from the program; both are of one class, and the page says what happens without an answer."""
    reader = Reader()
    steps = [
        Step("pay", lambda i: "paid", requires_confirmation=True, on_reject="cancel", timeout=3600, on_timeout="cancel"),
        Step("archive", lambda i: "kept"),
    ]
    Workflow("payout", steps, db=reader.db).run("ACME")
    answer = reader.client.get(reader.only())
    text = Form(answer.text).text
    assert "cancel" in text.split("If it is not decided by")[1].split("Where this run is")[0]
    assert "cancel" in text.split("Reject")[1]
    assert "pay" in text.split("Confirm")[2]
    assert answer.text.count('<button class="answer ') == 2


@pytest.mark.spec("INBOX-11")
def test_the_slower_of_two_reads_who_was_faster():
    """The second decision is refused with the name and the word of the first; the own comment is there to be copied, and nothing of it is stored."""
    db = InMemoryDb()
    ann, bob = Reader(db, "ann"), Reader(db, "bob")
    run = Workflow("payout", [Step("pay", lambda i: "paid", requires_confirmation=True)], db=db).run("ACME")
    address = bob.only()
    form = bob.page(address)
    assert ann.decide(address, "confirm", comment="fine").status_code == 303
    answer = bob.client.post(address, data={**form.values, "comment": "wrong IBAN?", "word": "reject"}, headers=OWN)
    assert answer.status_code == 409
    page = Form(answer.text)
    assert "ann was faster: confirmed at" in page.text
    assert "wrong IBAN?" in page.text
    assert page.words == []
    assert [each.by for each in db.decisions(run.run_id)] == ["ann"]
    assert "ann: confirmed" in page.text


@pytest.mark.spec("INBOX-11")
def test_a_page_says_that_no_worker_took_the_run_up():
    """Right after the decision the page says that a worker is waited for; eight seconds later, that none of this workflow took the run up."""
    reader = Reader()
    Workflow("payout", [Step("pay", lambda i: "paid", requires_confirmation=True)], db=reader.db).run("ACME", run_id="r1")
    address = reader.only()
    reader.decide(address, "confirm")
    assert "Waiting for a worker" in reader.page(address).text
    from datetime import UTC, timedelta
    from unittest.mock import patch

    later = dt.datetime.now(UTC) + timedelta(seconds=9)
    with patch("statecore.inbox.pages.datetime") as clock:
        clock.now.return_value = later
        text = reader.page(address).text
    assert "Not taken up for 9 s: no worker of 'payout' took it" in text


@pytest.mark.spec("INBOX-8")
def test_a_picture_is_shown_and_other_bytes_are_downloads():
    """Bytes with the signature of a picture are an image from our own address; other bytes are offered as an attachment, whatever they claim."""
    png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
    for body, is_picture in [(png, True), (b"<script>alert(1)</script>", False), (b"<svg onload=alert(1)>", False)]:
        reader = Reader()
        Workflow(
            "media", [Step("draw", lambda i, body=body: StepOutput(content=body), requires_output_review=True)], db=reader.db
        ).run()
        page = reader.client.get(reader.only()).text
        assert ("<img" in page) == is_picture
        assert ("download>" in page) == (not is_picture)
        address = (
            page.split('<img class="value" src="')[1].split('"')[0] if is_picture else page.split('<p><a href="')[1].split('"')[0]
        )
        answer = reader.client.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert answer.content == body
        assert answer.headers["content-type"] == ("image/png" if is_picture else "application/octet-stream")
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.spec("INBOX-2")
def test_an_answer_to_another_question_is_not_stored():
    """A form that was shown another question is 409: nothing is stored, the page says so, and keeps the comment beside the question as it is now."""
    reader = Reader()
    run = Workflow("payout", [Step("pay", lambda i: "paid", requires_confirmation=True)], db=reader.db).run("ACME")
    address = reader.only()
    answer = reader.decide(address, "confirm", seen="sha256:" + "0" * 64, comment="matches the order")
    assert answer.status_code == 409
    page = Form(answer.text)
    assert "The question changed while you looked at it" in page.text
    assert page.values["comment"] == ["matches the order"]
    assert page.words == ["confirm", "reject"]
    assert reader.db.decisions(run.run_id) == []
    said = {**page.values, "word": ["confirm"]}
    assert reader.client.post(address, data=said, headers=OWN).status_code == 303
