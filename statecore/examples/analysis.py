"""Read a file, fetch its companion, ask how deep to look, analyse, write a report: the pipeline of `statecore demo`.

The input is the path of a CSV, TSV or text file; without one, a file that ships with statecore is taken. `fetch` asks a server that is
busy at first, so it pauses and a person says retry or skip; `deep` asks a person which analysis is wanted; a no takes the quick summary. The report
goes where
`additional_data["report"]` says, else beside the current folder's other files.

    $ statecore run statecore.examples.analysis --answers fetch=retry,deep=confirm
    $ statecore run statecore.examples.analysis --answers fetch=skip,deep=reject
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from statecore import Condition, OnError, Step, StepInput, Workflow

from . import companion
from .tables import CsvTable, Text, frequencies, markdown_table, summary

SHIPPED = Path(__file__).with_name("weather.csv")
TABLES = {".csv", ".tsv"}


def read(step_input: StepInput) -> dict[str, Any]:
    """The facts about the file: its path, its kind, its size in bytes and a fingerprint of its content."""
    path = Path(step_input.input or SHIPPED)
    content = path.read_bytes()
    kind = "table" if path.suffix.lower() in TABLES else "text"
    return {"path": str(path), "kind": kind, "bytes": len(content), "sha256": sha256(content).hexdigest()}


def fetch(step_input: StepInput) -> dict[str, Any]:
    """The companion of the file, from the server whose address is published now."""
    return companion.fetch(step_input.attempt)


def same_file(step_input: StepInput) -> bytes:
    """The file's content, as long as it is the one that was read. Raises `ValueError` where it changed while the run waited."""
    seen = step_input.get_step_content("read")
    content = Path(seen["path"]).read_bytes()
    if sha256(content).hexdigest() != seen["sha256"]:
        message = f"the file has changed since it was read, so this run cannot go on: {seen['path']}"
        raise ValueError(message)
    return content


def detailed(step_input: StepInput) -> list[str]:
    """The lines of a full analysis: every column of a table, or the words of a text."""
    content, known = same_file(step_input), step_input.get_step_content("fetch") or {}
    if step_input.get_step_content("read")["kind"] == "table":
        return table_in_detail(CsvTable.parse(content), known.get("columns", {}))
    return text_in_detail(Text.parse(content), set(known.get("stopwords", ())))


def quick_summary(step_input: StepInput) -> list[str]:
    """One line on the size of the file."""
    content = same_file(step_input)
    if step_input.get_step_content("read")["kind"] == "table":
        table = CsvTable.parse(content)
        return [f"{len(table.rows)} rows, {len(table.columns)} columns: {', '.join(table.columns)}."]
    text = Text.parse(content)
    return [f"{text.lines} lines, {len(text.words)} words, {text.characters} characters."]


def table_in_detail(table: CsvTable, meanings: dict[str, str]) -> list[str]:
    """The numeric and the other columns of a table, each described."""
    numeric, other = [], []
    for name in table.columns:
        values, numbers = table.values(name), table.numbers(name)
        if numbers:
            numeric.append([name, *summary(numbers), len(table.rows) - len(numbers), meanings.get(name, "")])
        else:
            common = ", ".join(f"{value} ({count})" for value, count in frequencies(values, 3))
            other.append([name, len(set(values)), len(table.rows) - len(values), common])
    lines = [f"{len(table.rows)} rows, {len(table.columns)} columns.", ""]
    if numeric:
        head = ["column", "count", "min", "mean", "median", "max", "std. dev.", "missing", "meaning"]
        lines += ["## Numbers", "", *markdown_table(head, numeric), ""]
    if other:
        lines += ["## Other columns", "", *markdown_table(["column", "distinct", "missing", "most frequent"], other), ""]
    return lines


def text_in_detail(text: Text, stopwords: set[str]) -> list[str]:
    """The size of a text and its most frequent words, leaving out those that say little."""
    telling = [word for word in text.words if word not in stopwords]
    rows = [list(pair) for pair in frequencies(telling, 20)]
    return [
        f"{text.lines} lines, {len(text.words)} words ({len(set(text.words))} different), {text.characters} characters.",
        "",
        "## Most frequent words",
        "",
        *markdown_table(["word", "count"], rows),
    ]


def report(step_input: StepInput) -> str:
    """The path of the report, which is there in full or not at all."""
    seen, known = step_input.get_step_content("read"), step_input.get_step_content("fetch")
    path = Path(step_input.additional_data.get("report") or Path(seen["path"]).stem + "-report.md")
    depth = "detailed" if step_input.get_step_output("detailed") else "quick summary"
    lines = [
        f"# {Path(seen['path']).name}",
        "",
        f"- file: `{seen['path']}` ({seen['bytes']} bytes, SHA-256 `{seen['sha256'][:12]}`)",
        f"- companion: {known['source'] if known else 'skipped, so columns and words are not explained'}",
        f"- analysis: {depth}",
        "",
        *(step_input.previous_step_content or []),
    ]
    write_whole(path, "\n".join(lines).rstrip() + "\n")
    return str(path)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees half of it: beside it first, then in its place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


workflow: Workflow = Workflow(
    "analysis",
    [
        Step("read", read),
        Step("fetch", fetch, on_error=OnError.pause),
        Condition(
            "deep",
            [Step("detailed", detailed)],
            [Step("quick summary", quick_summary)],
            requires_confirmation=True,
            confirmation_message="Perform detailed analysis?",
        ),
        Step("report", report),
    ],
)
