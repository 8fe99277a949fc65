"""RUN-13 on Postgres: processes that are killed by one call, and the others that they drove."""

from __future__ import annotations

import pytest

from tests.conformance.poison import convicted

pytestmark = pytest.mark.spec("RUN-13", "CRASH-2")


@pytest.mark.parametrize("way", ["runs", "branches"])
def test_a_poison_call_convicts_itself_alone_on_a_server(tmp_path, database, way):
    """It dies once beside three others and three times alone; then a person is asked about it, and about nothing else."""
    convicted(tmp_path, way, database)
