"""A storm of votes on Postgres: tests/conformance/test_storm_of_votes.py has the claims."""

from __future__ import annotations

import pytest

from tests.conformance.test_storm_of_votes import SIZES
from tests.conformance.voting import storm


@pytest.mark.spec("AUTH-2", "AUTH-3", "AUTH-4")
@pytest.mark.parametrize(("k", "processes", "threads"), SIZES)
def test_a_storm_opens_a_gate_once(database, tmp_path, k, processes, threads):
    """In a schema: one payment, by votes that satisfy the pure rule with the roles of now; each refusal is kept or counted."""
    assert storm(database, tmp_path, k, processes, threads)["votes"] >= k
