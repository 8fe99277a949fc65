"""The main job in real processes: to its end, killed and resumed, decided by a person, decided from elsewhere."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import socket
import statistics
from pathlib import Path

import pytest

from tests.crash.commands import PATIENCE, ROOT, Gate, Terminal, here, kill, start, statecore

SHIPPED = ROOT / "statecore" / "examples" / "weather.csv"
ANSWER = "a comment may follow): "

FLOW = """
from pathlib import Path
from statecore import Step, Workflow

def did(word):
    with Path("effects").open("a") as file:
        file.write(word + "\\n")
    return word

def through_the_gate(step_input):
    did(f"began {step_input.attempt}")
    if Path("gate").exists():
        with open("gate") as gate:
            gate.read()
    return did("passed")

workflow = Workflow("flow", [
    Step("first", lambda _: did("first")),
    Step("asked", through_the_gate, requires_confirmation=True),
    Step("last", lambda _: did("last")),
])
careful = Workflow("careful", [Step("asked", through_the_gate, on_error="pause"), Step("last", lambda _: did("last"))])
"""


@pytest.fixture
def folder(tmp_path):
    """An empty folder with a workflow that says in `effects` what it did, and stands still where there is a `gate`."""
    (tmp_path / "flow.py").write_text(FLOW)
    return tmp_path


def effects(folder):
    """What user code did, in order: the ground truth."""
    file = folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def run_id_in(text):
    """The run that a command says it works on."""
    [run_id, *_] = re.findall(r"[Rr]un (\w{8})", text)
    return run_id


def all_runs(folder, db="statecore-demo.sqlite"):
    """The store's runs, as plain data."""
    return json.loads(here("runs", "--db", db, "--json", cwd=folder).stdout)


# -- to the end --------------------------------------------------------------------------------------------------------------------


def test_the_demo_analyses_the_shipped_file(tmp_path):
    """Unattended, the demo shows its steps with the time that passed, exits 0, and its report holds the file's true figures."""
    ended = statecore("demo", "--answers", "retry,confirm", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = tmp_path / "statecore-demo-report.md"
    assert ended.stdout.endswith(f"Report: {report}\n")
    steps = re.findall(r"^ +[\d.]+s  (\w+(?: summary)?) +(\w+)", ended.stdout, re.MULTILINE)
    assert [step for step in steps if step[1] != "begins"] == [
        ("read", "done"),
        ("fetch", "failed"),
        ("fetch", "retry"),
        ("fetch", "done"),
        ("deep", "confirm"),
        ("deep", "takes"),
        ("detailed", "done"),
        ("report", "done"),
        ("run", "completed"),
    ]
    with SHIPPED.open() as file:
        rows = list(csv.DictReader(file))
    winds = [float(row["wind_ms"]) for row in rows if row["wind_ms"]]
    text = report.read_text()
    assert f"{len(rows)} rows, 5 columns." in text
    assert f"| wind_ms | {len(winds)} | {min(winds):.4g} | {statistics.mean(winds):.4g} |" in text
    assert "mean wind speed, metres per second" in text


def test_the_demo_analyses_a_text_that_is_given(tmp_path):
    """A text file's words are counted; what was skipped is said in the report; `--db` and `--report` name the files."""
    (tmp_path / "tale.txt").write_text("The fox and the crow.\nA fox, a FOX | `crow` <b>\n")
    words = ["demo", "tale.txt", "--db", "my.db", "--report", "out.md", "--answers", "fetch=skip,deep=confirm", "--fail-times", 5]
    ended = here(*words, cwd=tmp_path)
    assert ended.returncode == 0
    text = (tmp_path / "out.md").read_text()
    assert "2 lines, 11 words (6 different), 48 characters." in text
    assert "| fox | 3 |\n| a | 2 |\n| crow | 2 |\n| the | 2 |" in text
    assert "companion: skipped" in text
    assert {path.name for path in tmp_path.iterdir()} == {"tale.txt", "my.db", "out.md"}


def test_the_else_branch_and_a_busier_server(tmp_path):
    """A rejected analysis is a quick summary; a named answer retries as often as the server is busy; JSON is all that is printed."""
    ended = here("demo", "--answers", "fetch=retry,deep=reject", "--fail-times", 3, "--json", cwd=tmp_path)
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["status"]) == (0, "COMPLETED")
    assert [len(step["failures"]) for step in document["step_results"]] == [0, 3, 0, 0]
    assert "analysis: quick summary\n\n72 rows, 5 columns: date, " in (tmp_path / "statecore-demo-report.md").read_text()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a;b\n1;2\n\n3\n", b'"', b"x\n" + b"9" * 400])
def test_any_file_is_analysed(tmp_path, content):
    """Empty, binary, ragged and strange files come to a report, not to a traceback."""
    (tmp_path / "odd.csv").write_bytes(content)
    ended = here("demo", "odd.csv", "--answers", "fetch=skip,deep=confirm", cwd=tmp_path)
    assert ended.returncode == 0
    assert (tmp_path / "statecore-demo-report.md").read_text().startswith("# odd.csv\n")


@pytest.mark.parametrize(
    "words", [["nothing.csv"], ["."], ["--fail-times", "-1"], ["--answers", "fech=retry"], ["--answers", "rety"]]
)
def test_wrong_words_to_the_demo_are_usage_errors(tmp_path, words):
    """A file that is not there, a folder, and misspelt answers exit 2, and no run begins."""
    ended = here("demo", *words, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


# -- a person ----------------------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_on_a_terminal(tmp_path):
    """On a terminal the outcome of each choice is named, and what the person says is done and recorded."""
    with Terminal("demo", "--by", "ada", cwd=tmp_path, NO_COLOR="1") as terminal:
        first = terminal.until(ANSWER)
        assert "? fetch failed: CompanionUnavailable: HTTP 503 Service Unavailable" in first
        assert "[r]etry   -> run 'fetch' again" in first
        assert "[s]kip    -> skip 'fetch', go on with 'deep'" in first
        terminal.type("r\n")
        second = terminal.until(ANSWER)
        assert "? deep: Perform detailed analysis?" in second
        assert "[c]onfirm -> detailed" in second
        assert "[r]eject  -> quick summary" in second
        terminal.type("reject no time\n")
        said, code = terminal.end()
    assert code == 0
    assert "\x1b" not in first + second + said
    assert "analysis: quick summary" in (tmp_path / "statecore-demo-report.md").read_text()
    shown = here("show", run_id_in(first), "--db", "statecore-demo.sqlite", cwd=tmp_path).stdout
    assert re.search(r"reject by ada, .*: no time", shown)


def test_colours_are_for_terminals(tmp_path):
    """A terminal gets colours unless NO_COLOR is set."""
    with Terminal("demo", "--answers", "retry,confirm", cwd=tmp_path) as terminal:
        said, code = terminal.end()
    assert (code, "\x1b[32mdone" in said) == (0, True)


@pytest.mark.parametrize(("keys", "code"), [("\x03", 130), ("\x04", 4), ("l\n", 4)])
def test_leaving_at_a_question_leaves_the_run_paused(tmp_path, keys, code):
    """Ctrl-C, the end of input, and "later" decide nothing, and say how to decide and go on."""
    with Terminal("demo", cwd=tmp_path, NO_COLOR="1") as terminal:
        run_id = run_id_in(terminal.until(ANSWER))
        terminal.interrupt() if keys == "\x03" else terminal.type(keys)
        said, ended = terminal.end()
    assert ended == code
    assert f"statecore retry {run_id} fetch --db statecore-demo.sqlite" in said
    assert "Then go on: statecore demo" in said
    assert "Traceback" not in said
    assert [run["status"] for run in all_runs(tmp_path)] == ["PAUSED"]


# -- killed ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("CRASH-1")
def test_killed_at_a_question_the_demo_asks_it_again(tmp_path):
    """Killed while a person is asked, the next start resumes the same run at the same question and runs nothing twice."""
    with Terminal("demo", cwd=tmp_path, NO_COLOR="1") as terminal:
        run_id = run_id_in(terminal.until(ANSWER))
        terminal.type("r\n")
        terminal.until("? deep: Perform detailed analysis?")
        kill(terminal.process)
    with Terminal("demo", cwd=tmp_path, NO_COLOR="1") as terminal:
        first = terminal.until(ANSWER)
        assert f"Resuming run {run_id} of weather.csv, which is PAUSED" in first
        assert "done before: read, fetch" in first
        assert "? deep: Perform detailed analysis?" in first
        terminal.type("c\n")
        said, code = terminal.end()
    assert (code, run_id in said, "read" in said) == (0, False, False)
    assert [run["status"] for run in all_runs(tmp_path)] == ["COMPLETED"]
    assert here("demo", cwd=tmp_path).returncode == 4
    assert [run["status"] for run in all_runs(tmp_path)] == ["PAUSED", "COMPLETED"]


@pytest.mark.spec("CRASH-1")
def test_killed_in_a_step_the_demo_resumes_the_same_run(tmp_path):
    """Killed while it reads its file, the next start takes the run over, reads the file, and comes to its end."""
    gate = Gate(tmp_path / "data.csv")
    process = start("demo", "data.csv", "--answers", "retry,confirm", cwd=tmp_path)
    reading = gate.reached()
    kill(process)
    os.close(reading)
    gate.path.unlink()
    gate.path.write_text("a,b\n1,2\n3,4\n")
    [left] = all_runs(tmp_path)
    ended = here("demo", "--answers", "retry,confirm", cwd=tmp_path)
    assert ended.returncode == 0
    assert f"Resuming run {left['run_id'][:8]} of data.csv, which is RUNNING" in ended.stdout
    assert [(run["run_id"], run["status"]) for run in all_runs(tmp_path)] == [(left["run_id"], "COMPLETED")]
    assert "| a | 2 | 1 | 2 | 2 | 3 | 1 | 0 |" in (tmp_path / "statecore-demo-report.md").read_text()


@pytest.mark.spec("CRASH-2")
def test_killed_while_it_fetches_a_person_decides_and_the_new_address_is_used(tmp_path):
    """The step with `on_error=pause` is shown as interrupted; retried, it asks the server that is published now, not the one before."""
    target = "statecore.examples.analysis"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        process = start("run", target, cwd=tmp_path, STATECORE_COMPANION_URL=url)
        silent.settimeout(PATIENCE)
        connection, _ = silent.accept()
        kill(process)
        connection.close()
    ended = here("resume", target, cwd=tmp_path)
    assert (ended.returncode, "? fetch was interrupted: began, and no end is recorded" in ended.stdout) == (4, True)
    ended = statecore("resume", target, "--answers", "retry,confirm", cwd=tmp_path)
    assert ended.returncode == 0
    assert "companion: the companion server" in (tmp_path / "weather-report.md").read_text()


@pytest.mark.spec("CRASH-1")
@pytest.mark.parametrize("command", [("resume", "flow.py:workflow"), ("recover", "flow.py:workflow")])
def test_killed_in_a_confirmed_step_it_is_not_asked_again(folder, command):
    """The effects are the truth: the interrupted step runs again, the ones before it do not, and the confirmation holds."""
    gate = Gate(folder / "gate")
    process = start("run", "flow.py:workflow", "--answers", "confirm", cwd=folder)
    inside = gate.reached()
    kill(process)
    os.close(inside)
    gate.path.unlink()
    assert effects(folder) == ["first", "began 0"]
    ended = here(*command, cwd=folder)
    assert (ended.returncode, effects(folder)) == (0, ["first", "began 0", "began 0", "passed", "last"])


def test_interrupted_by_the_keyboard_a_run_can_be_resumed(folder):
    """Ctrl-C in a step exits 130 and prints the command that goes on; that command does."""
    gate = Gate(folder / "gate")
    process = start("run", "flow.py:workflow", "--answers", "confirm", cwd=folder)
    inside = gate.reached()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE)
    os.close(inside)
    gate.path.unlink()
    assert (process.returncode, "Traceback" in said) == (130, False)
    again = said.splitlines()[-1].removeprefix("Go on: statecore ")
    assert here(*shlex.split(again), cwd=folder).returncode == 0
    assert effects(folder) == ["first", "began 0", "began 0", "passed", "last"]


def test_interrupted_in_a_step_that_pauses_a_person_decides(folder):
    """Ctrl-C in a step with `on_error=pause` leaves a question, and the command that answers it."""
    gate = Gate(folder / "gate")
    process = start("run", "flow.py:careful", cwd=folder)
    inside = gate.reached()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE)
    os.close(inside)
    assert (process.returncode, "? asked was interrupted: KeyboardInterrupt" in said) == (130, True)
    skip = next(line for line in said.splitlines() if line.strip().startswith("statecore skip")).partition("#")[0]
    assert here(*shlex.split(skip)[1:], cwd=folder).returncode == 0
    assert here("resume", "flow.py:careful", cwd=folder).returncode == 0
    assert effects(folder) == ["began 0", "last"]


def test_a_reader_that_goes_away_leaves_a_run_that_can_be_resumed(folder):
    """When nobody reads the output any more the command ends without a traceback, and nothing is lost."""
    gate = Gate(folder / "gate")
    with (folder / "stderr").open("w") as stderr:
        process = start("run", "flow.py:workflow", "--answers", "confirm", cwd=folder, stderr=stderr)
    inside = gate.reached()
    process.stdout.close()
    os.close(inside)
    assert process.wait(PATIENCE) == 1
    gate.path.unlink()
    assert (folder / "stderr").read_text() == ""
    assert here("resume", "flow.py:workflow", cwd=folder).returncode == 0
    assert effects(folder)[-2:] == ["passed", "last"]


# -- several processes -------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("CONT-1", "CONT-3", "CONF-9")
def test_one_pauses_another_decides_a_third_goes_on(folder):
    """Three processes share a file; a second continuation of the pause runs nothing, exits 1 and says so."""
    paused = statecore("run", "flow.py:workflow", cwd=folder)
    run_id = run_id_in(paused.stdout)
    assert (paused.returncode, effects(folder)) == (4, ["first"])
    decided = statecore("confirm", run_id, "asked", "--by", "ada", cwd=folder)
    assert (decided.returncode, effects(folder)) == (0, ["first"])
    resumed = statecore("resume", "flow.py:workflow", run_id, cwd=folder)
    assert (resumed.returncode, effects(folder)) == (0, ["first", "began 0", "passed", "last"])
    second = here("resume", "flow.py:workflow", run_id, cwd=folder)
    assert (second.returncode, effects(folder)) == (1, ["first", "began 0", "passed", "last"])
    assert re.fullmatch(r"SC302 Run '[-\w]+' is COMPLETED, not paused: there is nothing to continue\.\n", second.stderr)


@pytest.mark.spec("CONT-6")
def test_while_one_executes_the_other_is_told(folder):
    """A second process that continues a run in execution exits 3 and runs nothing; the first one's effects happen once."""
    gate = Gate(folder / "gate")
    process = start("run", "flow.py:workflow", "--answers", "confirm", cwd=folder)
    inside = gate.reached()
    busy = here("resume", "flow.py:workflow", cwd=folder)
    assert (busy.returncode, busy.stderr[:5]) == (3, "SC307")
    assert "left alone" in here("recover", "flow.py:workflow", cwd=folder).stdout
    os.close(inside)
    said, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "completed" in said) == (0, True)
    assert effects(folder) == ["first", "began 0", "passed", "last"]


@pytest.mark.spec("CANCEL-1")
def test_a_running_run_is_cancelled_when_its_step_is_over(folder):
    """Cancelling from another process lets the present step end, and nothing begins after it."""
    gate = Gate(folder / "gate")
    process = start("run", "flow.py:workflow", "--answers", "confirm", cwd=folder)
    inside = gate.reached()
    [run] = all_runs(folder, "statecore.db")
    asked = here("cancel", run["run_id"], "--by", "ada", cwd=folder)
    assert (asked.returncode, "will be cancelled" in asked.stdout) == (0, True)
    os.close(inside)
    said, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "cancelled by ada" in said) == (1, True)
    assert effects(folder) == ["first", "began 0", "passed"]


def test_a_person_is_told_that_somebody_else_was_faster(tmp_path):
    """Decided elsewhere while the question stands on a terminal: the late answer is refused by name, and the run goes on as decided."""
    with Terminal("demo", cwd=tmp_path, NO_COLOR="1") as terminal:
        run_id = run_id_in(terminal.until(ANSWER))
        assert here("skip", run_id, "--by", "bob", "--db", "statecore-demo.sqlite", cwd=tmp_path).returncode == 0
        terminal.type("r\n")
        next_question = terminal.until(ANSWER)
        assert "SC304" in next_question
        assert "skip by bob" in next_question
        assert "? deep" in next_question
        terminal.type("r\n")
        assert terminal.end()[1] == 0
    assert "companion: skipped" in (tmp_path / "statecore-demo-report.md").read_text()


def test_off_a_terminal_the_demo_is_decided_by_the_commands_it_prints(tmp_path):
    """Nobody is asked: exit code 4; each printed command, typed as it stands, decides, and the demo goes on with the same run."""
    ended = statecore("demo", cwd=tmp_path)
    while ended.returncode == 4:
        decide = next(line for line in ended.stdout.splitlines() if line.startswith("    statecore ")).partition("#")[0]
        assert here(*shlex.split(decide)[1:], cwd=tmp_path).returncode == 0
        ended = statecore("demo", cwd=tmp_path)
    assert (ended.returncode, len(all_runs(tmp_path))) == (0, 1)
    assert Path(tmp_path / "statecore-demo-report.md").exists()


def test_a_file_that_changed_while_the_run_waited_is_noticed(tmp_path):
    """The report never mixes two versions of a file: the run fails and says why."""
    (tmp_path / "a.txt").write_text("one")
    assert statecore("demo", "a.txt", "--answers", "retry", cwd=tmp_path).returncode == 4
    (tmp_path / "a.txt").write_text("two")
    ended = here("demo", "a.txt", "--answers", "confirm", cwd=tmp_path)
    assert (ended.returncode, "the file has changed since it was read" in ended.stdout) == (1, True)
    assert not (tmp_path / "statecore-demo-report.md").exists()
