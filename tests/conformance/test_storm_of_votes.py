"""AUTH-2 to AUTH-4 in a storm: people vote twice, take votes back and lose roles, from threads and processes; the gate opens once."""

from __future__ import annotations

import pytest

from tests.conformance.voting import storm
from tests.sizes import TIMES

FULL = [(k, processes, threads) for k in range(1, 6) for processes, threads in ((8, 4), (1, 32))]
SIZES = FULL if TIMES > 1 else [(3, 2, 4)]


@pytest.mark.spec("AUTH-2", "AUTH-3", "AUTH-4")
@pytest.mark.parametrize(("k", "processes", "threads"), SIZES)
def test_a_storm_opens_a_gate_once(tmp_path, k, processes, threads):
    """In a file: one payment, by votes that satisfy the pure rule with the roles of now; each refusal is kept or counted."""
    assert storm(str(tmp_path / "runs.db"), tmp_path, k, processes, threads)["votes"] >= k
