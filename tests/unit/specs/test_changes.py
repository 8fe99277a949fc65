"""A changelog's section has each fragment once, in their order."""

from __future__ import annotations

from specs.tools.changes import FOLDER, fragments, main, section


def test_each_fragment_is_a_point(tmp_path):
    """A fragment is one point, whatever lines it was written in; its further paragraphs stay below it."""
    (tmp_path / "0002-b.md").write_text("Second,\nin two lines.\n\n    code\n", encoding="utf-8")
    (tmp_path / "0001-a.md").write_text("First.\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("No change.\n", encoding="utf-8")
    assert section("1.2.0", tmp_path) == "## 1.2.0\n\n* First.\n* Second, in two lines.\n\n      code\n"


def test_the_command_prints_all_that_is_kept(capsys):
    """Every word of every fragment of this repository is printed."""
    assert main(["0.1.0"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("## 0.1.0\n\n* ")
    assert printed.count("\n* ") >= len(fragments()) == len(list(FOLDER.glob("[0-9]*.md")))
    for path in fragments():
        assert " ".join(path.read_text(encoding="utf-8").split()) in " ".join(printed.split()), path.name
