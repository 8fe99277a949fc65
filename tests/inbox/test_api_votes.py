"""A vote through the inbox (AUTH-2, INBOX-5): roles come from the login, the rule judges, and a refusal is 403 and kept."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from statecore import Approval, InMemoryDb, SqliteDb, Step, Workflow, requester
from statecore.inbox.app import app
from statecore.inbox.auth import TrustedHeader

APPROVAL = Approval(2, of="role:finance", exclude=requester)


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """A store that keeps votes."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


@pytest.mark.spec("AUTH-2", "INBOX-5")
def test_two_of_finance_open_the_gate_and_nobody_else(db):
    """A person without the role and the requester are refused by 403, the first vote needs one more, the second satisfies, and the run goes on."""
    paid: list[str] = []
    pay = Step("pay", lambda _: paid.append("paid"), requires_confirmation=True, on_reject="cancel", approval=APPROVAL)
    flow = Workflow("payout", [pay], db=db)
    run_id = flow.run("x", requester="ada").run_id
    page = app(db, auth=TrustedHeader("X-User", roles="X-Roles"), title="Payments")

    def votes(name: str, role: str) -> tuple[int, str]:
        browser = TestClient(page, headers={"X-User": name, "X-Roles": role}, client=("127.0.0.1", 5))
        [item] = browser.get("/api/v1/questions").json()["items"]
        address = f"/api/v1/questions/{item['question_id']}"
        body = {"word": "confirm", "seen": browser.get(address).json()["seen"], "comment": None, "value": None}
        answer = browser.post(f"{address}/decision", json=body, headers={"Origin": "http://testserver", "Idempotency-Key": name})
        return answer.status_code, answer.json().get("votes_say") or answer.json()["code"]

    assert votes("eve", "support") == (403, "SC353")
    assert votes("ada", "finance") == (403, "SC353")
    assert votes("ann", "finance") == (201, "needs_more")
    assert paid == []
    assert votes("bob", "finance") == (201, "satisfied")
    assert flow.continue_run(run_id=run_id).status == "COMPLETED"
    assert paid == ["paid"]
    assert [each.by for each in db.audit(run_id) if each.event == "refusal"] == ["eve", "ada"]
