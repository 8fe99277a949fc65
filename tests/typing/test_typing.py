"""The public types are complete, as pyright counts them, and say to a second checker what they say to mypy.

mypy reads `accepted.py` and `refused.py` with the rest of the checkout (`tests/laws/test_house.py`): each `assert_type` must hold, and
each wrong line must be one, for an ignore comment that silences nothing is an error.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IGNORE = re.compile(r"  # type: ignore\[.*$", re.MULTILINE)
EXTRAS = ("statecore.temporal.", "statecore.stores.postgres.")
"""Drivers of other programs: parts of their types are those of the libraries that they drive, and which of these is typed they decide."""

SYMBOLS = 5_000
"""So many symbols there are at least: a pyright that did not find the package would count none."""


def pyright(folder, *words):
    """What pyright says of this checkout, as data. It asks no network: its wheel has all of it."""
    where = {
        **os.environ,
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ),  # the `python` that pyright asks for what is installed
        "PYTHONPATH": str(ROOT),
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        "PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT": "1",
    }
    command = [sys.executable, "-m", "pyright", "--outputjson", *words]
    said = subprocess.run(command, cwd=folder, env=where, capture_output=True, text=True, check=False)
    assert said.stdout.startswith("{"), said.stdout + said.stderr
    return json.loads(said.stdout)


def test_every_public_type_is_known(tmp_path):
    """Of all symbols that the package exports, its drivers of other programs apart, none has an unknown type, or one that is inferred."""
    found = pyright(tmp_path, "--verifytypes", "statecore", "--ignoreexternal")["typeCompleteness"]
    unknown = [each["name"] for each in found["symbols"] if not each["isTypeKnown"] or each["isTypeAmbiguous"]]
    assert [name for name in unknown if not name.startswith(EXTRAS)] == []
    assert found["exportedSymbolCounts"]["withKnownType"] > SYMBOLS


def test_a_strict_checker_accepts_and_refuses_the_same(tmp_path):
    """Strict pyright has nothing to say to what is accepted, and something to say to each line, and to no other, that is refused."""
    refused = (HERE / "refused.py").read_text(encoding="utf-8")
    wrong = [number for number, line in enumerate(refused.splitlines(), 1) if IGNORE.search(line)]
    (tmp_path / "accepted.py").write_text((HERE / "accepted.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "bare.py").write_text(IGNORE.sub("", refused), encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    said = pyright(tmp_path)["generalDiagnostics"]
    assert [each for each in said if Path(each["file"]).name != "bare.py"] == []
    lines = Counter(each["range"]["start"]["line"] + 1 for each in said)
    assert sorted(lines) == wrong
    assert len(wrong) > 20
