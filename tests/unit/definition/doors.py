"""The ways in which the values of a form come to a run."""

from __future__ import annotations

import asyncio
from typing import Any

from statecore import Inbox

DOORS = ("decide", "adecide", "continue_run", "another process")


def give(door: str, flow: Any, run: Any, values: dict[str, Any]) -> None:
    """Answer the form of a paused run by one of the doors; another process has the store alone."""
    [asked] = run.steps_requiring_user_input
    if door == "continue_run":
        asked.set_user_input(values)
        flow.continue_run(run)
    elif door == "adecide":
        asyncio.run(flow.adecide(run.run_id, asked.pause_id, "input", value=values))
    else:
        store = flow if door == "decide" else Inbox(flow.db)
        store.decide(run.run_id, asked.pause_id, "input", value=values)
