"""How often a worker says of a call that it lives."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
from temporalio.testing import ActivityEnvironment

from statecore.temporal.activities import beat


@pytest.mark.parametrize(("lease", "pause"), [(None, 1.0), (30.0, 1.0), (3.0, 1.0), (0.6, 0.2)])
def test_a_lease_holds_three_signs_of_life(monkeypatch: pytest.MonkeyPatch, lease: float | None, pause: float) -> None:
    """Each second is enough for a lease of three seconds and more; a shorter one is kept alive by more of them."""
    signs: list[object] = []
    pauses: list[float] = []

    async def slept(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            stop()

    def stop() -> NoReturn:
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", slept)
    called = ActivityEnvironment()
    called.info = replace(called.info, heartbeat_timeout=None if lease is None else timedelta(seconds=lease))
    called.on_heartbeat = lambda *details: signs.append(details)
    with suppress(asyncio.CancelledError):
        asyncio.run(called.run(beat))
    assert pauses == pytest.approx([pause, pause])
    assert signs == [(), ()]
