"""The arithmetic of the analysis: a table read from CSV, a text cut into words, and how they are summed up. Knows nothing of workflows."""

from __future__ import annotations

import csv
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO
from math import isfinite

from attrs import frozen

SNIFFED = 4096
"""Characters that are looked at to find out what separates the columns."""


@frozen
class CsvTable:
    """Columns by name and the rows below them; a short row lacks its last cells, and what is too long in a row is left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, content: bytes) -> CsvTable:
        """The table in a file's bytes. The first row names the columns; names that occur twice or are empty are numbered."""
        text = decoded(content)
        rows = [row for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter(text)) if row]
        head, body = (rows[0], rows[1:]) if rows else ([], [])
        names: list[str] = []
        for number, cell in enumerate(head, 1):
            name = cell.strip()
            names.append(name if name and name not in names else f"{name or 'column'} {number}")
        return cls(tuple(names), tuple(tuple(cell.strip() for cell in row) for row in body))

    def values(self, column: str) -> list[str]:
        """The cells of a column that hold something."""
        at = self.columns.index(column)
        return [row[at] for row in self.rows if len(row) > at and row[at]]

    def numbers(self, column: str) -> list[float]:
        """The cells of a column as numbers; none at all where one of them is no number."""
        try:
            numbers = [float(cell) for cell in self.values(column)]
        except ValueError:
            return []
        return numbers if all(map(isfinite, numbers)) else []


@frozen
class Text:
    """A text cut into lower-case words."""

    lines: int
    characters: int
    words: tuple[str, ...]

    @classmethod
    def parse(cls, content: bytes) -> Text:
        """The text in a file's bytes."""
        text = decoded(content)
        return cls(len(text.splitlines()), len(text), tuple(re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", text.lower())))


def decoded(content: bytes) -> str:
    """Bytes as text: UTF-8, with or without a mark at its beginning; what is no UTF-8 becomes a visible sign."""
    return content.decode("utf-8-sig", errors="replace")


def delimiter(text: str) -> str:
    """The separator of the columns: comma, semicolon, tab or bar."""
    try:
        return csv.Sniffer().sniff(text[:SNIFFED], delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


def summary(numbers: Sequence[float]) -> list[int | str]:
    """How many, least, mean, median, greatest, standard deviation."""
    figures = (min(numbers), statistics.fmean(numbers), statistics.median(numbers), max(numbers), statistics.pstdev(numbers))
    return [len(numbers), *(f"{figure:.4g}" for figure in figures)]


def frequencies(values: Iterable[str], most: int) -> list[tuple[str, int]]:
    """The most frequent values with their counts; equal counts in the order of the alphabet."""
    return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))[:most]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; no cell can break out of it."""
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell(each) for each in line) + " |" for line in lines]


def cell(value: object) -> str:
    """One cell: no line breaks, and a bar or a tag is only itself."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
