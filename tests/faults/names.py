"""T16: hostile names. Whatever a workflow, a step, a run, a session or a person is called, runs go as they go for plain names.

Each hostile text takes each place in turn, through run, list, decide, continue, verify, the pictures and the commands. It comes back as it was given,
or is refused by name before anything is stored; nothing that is printed or drawn can act, and nothing lies in the folder but the store.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from attrs import frozen

from statecore import Step, Workflow
from statecore.cli import main
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.stores import RunFilter
from statecore.stores.sqlite.health import verify
from tests.faults.report import Order, Tally

HOSTILE = {
    "SQL": "x'); DROP TABLE run; DELETE FROM pause; --",
    "quotes": "\"'`\\",
    "a path": "../../../../tmp/owned",
    "a path from the root": "/etc/passwd\x00.db",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "Mermaid": 'a"] --> b; click a href "javascript:alert(1)"\n%%{init: {}}%%\nend',
    "DOT": 'a" URL="javascript:alert(1)"]; } digraph { x [label="',
    "ANSI": "\x1b[31m\x1b]0;owned\x07\x9b2J\r\n",
    "right to left": "\u202egnp.exe\u2066\u200b",
    "formats": "%s%n{0.__class__}{{7*7}}${jndi:ldap://x}",
    "an address": "b/c#1:confirmation:0",
    "a pause": "gate:confirmation:0",
    "a tag": '{"$type":["x",1]}',
    "an option": "--db=/tmp/owned.db",
    "blanks": " \t ",
    "half a character": "a\ud800",
    "a megabyte": "x" * (2**20 - 10),
}
PLACES = ("workflow", "id", "step", "gate", "message", "run", "session", "user", "key", "input", "by", "comment", "error")
DRAWN = ("mermaid", "dot", "md", "tree")
READ_AS_HTML = ("mermaid", "md")
"""Which pictures are read by something that knows elements; the title of a Mermaid flowchart, before its first line, is text to it."""
LONGEST = 4096
NAMES = frozenset({"workflow", "id", "step", "run", "session", "user", "key"})
"""The places whose text is a name: a text of the database, which holds no NUL."""
LONGEST_KEY = 1_024
EVERYTHING = RunFilter(limit=1_000_000)
UNSEEN = frozenset({"Cc", "Cf", "Cs"})


@frozen
class Words:
    """What everything is called in one run."""

    said: dict[str, str]

    def __getitem__(self, place: str) -> str:
        """The word of one place."""
        return self.said[place]


def flow(words: Words, db: SqliteDb) -> Workflow:
    """A step that fails once, a gate and a step."""

    def fails(step_input: Any) -> str:
        if step_input.attempt == 0:
            raise OSError(words["error"])
        return "up"

    gate = Step(words["gate"], lambda _: "gate", requires_confirmation=True, confirmation_message=words["message"])
    steps = [Step(words["step"], fails, on_error="pause"), gate, Step("last", lambda given: given.input)]
    return Workflow(words["workflow"], steps, db, id=words["id"], metadata={words["message"][:1000]: 1})


def gone_through(words: Words, db: SqliteDb, *, by_command: bool) -> list[str]:
    """A run from its start to its end; what is wrong with it."""
    workflow, run_id = flow(words, db), words["run"]
    wrong = list(drawn(workflow))
    run = workflow.run(
        words["input"], run_id=run_id, session_id=words["session"], user_id=words["user"], idempotency_key=words["key"][:1_000]
    )
    asked = workflow.list_pauses(run_id=run_id)
    asks = [(each.step_name, getattr(each, "error_message", "")) for each in asked]
    if len(words["error"]) <= LONGEST and asks != [(words["step"], words["error"])]:  # a longer one is cut, visibly
        wrong.append("the failed step is not told as it is")
    workflow.decide(run_id, asked[0].pause_id, "retry", by=words["by"], comment=words["comment"], idempotency_key=words["key"])
    run = workflow.continue_run(run_id=run_id)
    wrong += commands(words, db)
    if by_command:
        given = [f"--by={words['by']}", f"--comment={words['comment']}", f"--idempotency-key={words['key']}?"]
        wrong += said(["confirm", *given, "--", run_id], db, code=0)
    else:
        run.requirements[0].decide("confirm", by=words["by"], comment=words["comment"])
    run = workflow.continue_run(run)
    decided = [(each.by, each.comment) for each in db.decisions(run_id)]
    told = {
        "status": (run.status.value, "COMPLETED"),
        "content": (run.content, words["input"]),
        "names": ([each.step_name for each in run.step_results], [words["step"], words["gate"], "last"]),
        "who": ((run.run_id, run.session_id, run.user_id), (run_id, words["session"], words["user"])),
        "what": ((run.workflow_id, run.workflow_name), (words["id"], words["workflow"])),
        "decisions": (decided, [(words["by"], words["comment"])] * 2),
    }
    return wrong + [f"{what}: {str(found)[:100]!r}" for what, (found, expected) in told.items() if found != expected]


def drawn(workflow: Workflow) -> Iterator[str]:
    """What is wrong with the pictures of a workflow."""
    for spec in DRAWN:
        text = format(workflow, spec)
        if any(unicodedata.category(sign) in UNSEEN and sign != "\n" for sign in text):
            yield f"its {spec} holds signs that nobody sees"
        drawing = text.partition("flowchart")[2] or text
        if spec in READ_AS_HTML and ("<script" in drawing or "<img" in drawing):
            yield f"its {spec} holds an element"


def commands(words: Words, db: SqliteDb) -> list[str]:
    """What is wrong with what the commands say of a run that waits, by its id and by every hostile word."""
    run_id, hostile = words["run"], max(words.said.values(), key=lambda text: sum(not sign.isalnum() for sign in text))
    lines = [
        ["runs"],
        ["pending"],
        ["pending", "--json"],
        ["show", "--json", "--", run_id],
        ["show", "--", run_id],
        ["show", "--", hostile + "?"],
    ]
    lines += [["confirm", "--", run_id, hostile + "?"], ["confirm", f"--by={hostile}", "--", run_id, "nowhere"]]
    lines += [["diagram", f"--run={run_id}", "--format", spec] for spec in ("mermaid", "dot")]
    return [wrong for line in lines for wrong in said(line, db)]


def said(line: list[str], db: SqliteDb, code: int | None = None) -> list[str]:
    """What is wrong with what a command prints: it says nothing that a terminal would obey, and ends as it should."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        ended = main([line[0], "--db", str(db.path), *line[1:]])
    text = out.getvalue() + err.getvalue()
    wrong = [f"{line[0]} ended with {ended}: {text[:200]!r}"] if code is not None and ended != code else []
    if any(unicodedata.category(sign) in UNSEEN and sign != "\n" for sign in text) or "Traceback" in text:
        wrong.append(f"{line[0]} prints what a terminal would obey: {text[:200]!r}")
    if "--json" in line and ended == 0:
        json.loads(out.getvalue())
    return wrong


def trial(place: str, text: str, db: SqliteDb, number: int) -> list[str]:
    """One text in one place; what is wrong."""
    plain = {each: f"{each}-{number}" for each in PLACES}
    before = len(db.runs(EVERYTHING))
    try:
        return gone_through(Words({**plain, place: text}), db, by_command=bool(number % 2))
    except StatecoreError as refusal:
        unfit = "\ud800" in text or ("\0" in text and place in NAMES) or (place == "key" and len(text) > LONGEST_KEY)
        if not unfit:
            return [f"it was refused: {type(refusal).__name__}: {str(refusal)[:200]}"]
        late = place in ("by", "comment", "error", "key")  # what a person says comes when the run has begun
        return [] if late or len(db.runs(EVERYTHING)) == before else ["it was refused, and something was stored"]


def run(order: Order) -> Tally:
    """Every text in every place; a part of them in the sample."""
    every = [(name, place) for name in HOSTILE for place in PLACES]
    return called(order, order.random.sample(every, order.of(12, len(every), len(every))))


def hunt(order: Order) -> Tally:
    """The texts that do most harm where they do most: for deliberate faults."""
    return called(order, [(name, place) for name in ("SQL", "ANSI", "quotes") for place in ("run", "step", "by")])


def called(order: Order, pairs: list[tuple[str, str]]) -> Tally:
    """Texts in places, all in one store; then the store, and what lies beside it."""
    tally, folder = Tally(), order.folder / "names"
    folder.mkdir()
    with_db = SqliteDb(folder / "runs.db", durability="normal")
    for number, (name, place) in enumerate(pairs):
        if order.over:
            tally.cut_short = True
            break
        try:
            wrong = trial(place, HOSTILE[name], with_db, number)
        except Exception as error:  # noqa: BLE001  # I11 is about these
            wrong = [f"I11 {type(error).__name__}: {str(error)[:200]}"]
        tally.add(f"as {place}", wrong, f"T16 {name} as {place}")
    with_db.close()
    tally.add("the file", [f"verify: {fault}"[:300] for fault in verify(folder / "runs.db").faults], "T16 names")
    tally.add("the folder", strangers(folder), "T16 names")
    return tally


def strangers(folder: Path) -> list[str]:
    """What lies in a folder beside its store."""
    return [f"{path.name!r} was made" for path in folder.iterdir() if not path.name.startswith("runs.db")]
