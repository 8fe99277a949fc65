"""Two promises that hold for the whole package: what is stored is never code (P16), and nothing of a run leaves it but into the store (P17)."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

from statecore import RunStatus, SqliteDb, Step, UserInputField, Workflow

PACKAGE = Path(__file__).parents[2] / "statecore"
LOADERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml", "code", "runpy"}
CALLS = {"eval", "exec", "__import__", "compile"}
IMPORTERS = {
    "cli/main.py": "the modules of the command line, written there",
    "cli/targets.py": "the workflow that a person names on the command line",
    "lazy.py": "the public names of a module, written in that module",
}
"""Who imports by name, and whose names these are: none of them is stored."""


def code_makers(source: str) -> set[str]:
    """What in a module could turn text into code or objects of any class: imports, calls, and imports by name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.split(".")[0] for alias in names} & LOADERS
            case ast.ImportFrom(module=str(module)):
                found |= {module.split(".")[0]} & LOADERS
            case ast.Call(func=ast.Name(id=name)):
                found |= {name} & (CALLS | {"import_module"})
            case ast.Call(func=ast.Attribute(value=ast.Name(id="importlib"), attr=name)):
                found |= {name} & {"import_module"}
    return found


def test_no_module_turns_stored_text_into_code():
    """No pickle and its like, no eval; who imports by name takes the name from a person or from the package itself."""
    found = {str(path.relative_to(PACKAGE)): code_makers(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {name: made for name, made in found.items() if made} == {name: {"import_module"} for name in IMPORTERS}


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from yaml import load", "eval(text)", "exec(text)", "import_module(name)", "importlib.import_module(name)"],
)
def test_what_could_make_code_is_found(line):
    """The rule can fail: each way is seen."""
    assert len(code_makers(line)) == 1


def test_nothing_of_a_run_is_logged_or_printed(tmp_path, caplog, capfd):
    """Input, output, form, feedback, edit, comment and error text of a run with every kind of question: no log record and no print has them."""
    secret = "s3cr3t-value"  # noqa: S105  # the point of the test
    caplog.set_level(logging.DEBUG)
    fails = [True, False]

    def work(step_input):
        if step_input.step_name == "fetch" and fails.pop(0):
            raise OSError(secret)
        return f"{secret} of {step_input.input}"

    steps = [
        Step("fetch", work, on_error="pause"),
        Step("form", work, requires_user_input=True, user_input_schema=[UserInputField("word")]),
        Step("draft", work, requires_output_review=True, on_reject="retry"),
        Step("last", work, requires_output_review=True, on_reject="skip"),
    ]
    workflow = Workflow("flow", steps, db=SqliteDb(db_file=tmp_path / "runs.db"))
    run_id = workflow.run(secret).run_id
    answers = [("retry", None), ("input", {"word": secret}), ("reject", secret), ("edit", secret), ("confirm", None)]
    for word, value in answers:
        [asked] = workflow.list_pauses()
        workflow.decide(run_id, asked.pause_id, word, value=value, comment=secret)
        ended = workflow.continue_run(run_id=run_id)
    assert (ended.status, ended.content) == (RunStatus.completed, f"{secret} of {secret}")
    assert secret not in caplog.text + "".join(capfd.readouterr())
