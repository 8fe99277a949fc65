"""Votes at the command line: declared names where the rule takes them, what is still needed, and a vote that is taken back (AUTH-2, AUTH-6)."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from statecore import Approval, SqliteDb, Step, Workflow, requester
from statecore.cli import main
from statecore.cli.exits import FAILED, FINE, PAUSED, USAGE
from statecore.stores import PauseFilter


@pytest.fixture
def db(tmp_path):
    """A store in a file."""
    opened = SqliteDb(db_file=tmp_path / "runs.db", durability="normal")
    yield opened
    opened.close()


def asked(db: SqliteDb, approval: Approval | None) -> tuple[Workflow, str]:
    """A run that waits at a gate, and its workflow."""
    step = Step("pay", lambda _: "paid", requires_confirmation=True, on_reject="cancel", approval=approval)
    flow = Workflow("payout", [step], db)
    return flow, flow.run("x", requester="ada").run_id


TWO = Approval(2, of="role:finance", also=["role:legal"], exclude=requester, comment="on_reject")


@pytest.fixture
def told(capsys, db):
    """What runs a command, and gives its exit code and all that it prints."""

    def one(*words: str) -> tuple[Any, str]:
        capsys.readouterr()
        code = main([*words, "--db", str(db.path)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return one


@pytest.mark.spec("AUTH-2", "AUTH-6")
def test_declared_people_vote_until_the_rule_is_satisfied(db, told):
    """Each vote says what is still needed; `show` and `pending` have the rule, the votes, and a refused attempt with its reason."""
    flow, run_id = asked(db, TWO)
    assert told("approve", run_id, "--by", "ann", "--as-role", "finance") == (
        FINE,
        f"confirm 'pay' of run {run_id[:8]}, by ann: 2 more votes are needed.\n",
    )
    code, said = told("approve", run_id, "--by", "ada", "--as-role", "finance")
    assert (code, "asked for the run" in said) == (FAILED, True)
    assert "1 more vote is needed." in told("approve", run_id, "--by", "cyd", "--as-role", "legal", "--as-role", "audit")[1]
    for page in (told("pending"), told("show", run_id)):
        assert page[0] == FINE
        for part in (
            "who may: 2 of role:finance and 1 of role:legal; not the requester; a comment for a no",
            "confirm by ann (declared), ",
            "refused: confirm by ada (declared), ",
            ": requester\n",
            "1 more vote is needed\n",
        ):
            assert part in page[1]
    [plain] = json.loads(told("pending", "--json")[1])
    assert (plain["still_needed"], plain["votes_say"], len(plain["votes"])) == (1, "needs_more", 3)
    assert "the votes satisfy the rule." in told("approve", run_id, "--by", "bob", "--as-role", "finance")[1]
    assert [run.status for run in flow.tick()] == ["COMPLETED"]


@pytest.mark.spec("AUTH-2")
def test_a_vote_is_taken_back_at_the_command_line(db, told):
    """`withdraw` takes back a yes or a no, and says what is needed again; a person without a vote has none to take back."""
    flow, run_id = asked(db, Approval(1, comment="on_reject"))
    assert told("withdraw", run_id, "--by", "ann")[0] == FAILED
    assert "a comment is required" in told("reject", run_id, "--by", "ann")[1]
    assert "a no stands" in told("reject", run_id, "--by", "ann", "--comment", "not this one")[1]
    code, said = told("withdraw", run_id, "--by", "ann", "--comment", "a mistake")
    assert (code, said) == (FINE, f"withdrawn: the vote of ann about 'pay' of run {run_id[:8]}: 1 more vote is needed.\n")
    assert "stands no longer: not this one" in told("show", run_id)[1]
    assert list(flow.tick()) == []


@pytest.mark.spec("AUTH-6")
@pytest.mark.parametrize(
    ("approval", "why"), [(None, "no rule"), (Approval(1, of="role:finance", via={"oidc"}), "takes no declared names")], ids=str
)
def test_a_role_is_declared_only_where_it_counts(db, told, approval, why):
    """--as-role is refused by name where no rule stands and where the rule takes no declared names; nothing is stored."""
    _, run_id = asked(db, approval)
    code, said = told("approve", run_id, "--by", "ann", "--as-role", "finance")
    assert (code, why in said) == (USAGE, True)
    [row] = db.pauses(PauseFilter())
    assert (row.decided, row.acts) == (None, ())


FLOW = """
from statecore import Approval, Step, Workflow
flow = Workflow("payout", [Step("pay", lambda _: "paid", requires_confirmation=True, on_reject="cancel", approval=Approval(2))])
"""


@pytest.mark.spec("AUTH-2")
@pytest.mark.parametrize(("words", "code"), [(["approve"], PAUSED), (["approve", "approve"], FINE), (["reject"], FAILED)], ids=str)
def test_a_resumed_run_takes_its_votes_up(tmp_path, told, db, words, code):
    """`resume` continues a run whose votes satisfy the rule, cancels it where a no stands, and waits where a vote is missing."""
    (tmp_path / "voted.py").write_text(FLOW, encoding="utf-8")
    target = str(tmp_path / "voted.py")
    told("run", target, "--run-id", "r")
    for number, word in enumerate(words):
        assert told(word, "r", "--by", f"person{number}")[0] == FINE
    assert told("resume", target)[0] == code


@pytest.mark.spec("AUTH-6")
def test_a_run_that_waits_says_how_to_vote(tmp_path, told):
    """Where a rule stands, `run` says who may, and its commands name a person and a role; the command works with both filled in."""
    (tmp_path / "voted.py").write_text(FLOW.replace("Approval(2)", 'Approval(1, of="role:finance")'), encoding="utf-8")
    said = told("run", str(tmp_path / "voted.py"), "--run-id", "r")[1]
    assert "who may: 1 of role:finance" in said
    [line] = [line for line in said.splitlines() if "statecore confirm" in line]
    words = shlex.split(line.split("#")[0])[1:-2]  # without the program and --db
    assert words[words.index("--by") + 1] == "NAME"
    filled = [{"NAME": "ann", "ROLE": "finance"}.get(word, word) for word in words]
    assert told(*filled)[0] == FINE
