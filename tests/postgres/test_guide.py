"""The guide to Postgres does what it says: its code runs on a real server, its roles are the ones that are shipped and tested."""

from __future__ import annotations

from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.stores import postgres

PAGE = Path(__file__).parents[2] / "specs" / "guide" / "postgres.md"


def test_its_code_runs_from_top_to_bottom(database, monkeypatch):
    """Each block of Python runs in the names that those before it left, and its assertions hold."""
    monkeypatch.setenv("DATABASE_URL", database)
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(PAGE).examples())
    assert len(examples) == 4
    names = examples[0].namespace
    for example in examples:
        example.evaluate()
    names["payout"].db.close()
    names["inbox"].db.close()


def test_its_roles_are_those_that_are_shipped():
    """The SQL of the page is the file beside the store."""
    shipped = (Path(postgres.__file__).parent / "roles-3.sql").read_text(encoding="utf-8")
    assert f"```sql\n{shipped}```" in PAGE.read_text(encoding="utf-8")
