"""A real process that is recorded: scenarios one after the other in one store, which is opened anew for each, and closed now and then."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from statecore.db.sqlite import SqliteDb
from statecore.stores.sqlite import store as sqlite
from tests.faults.scenarios import SCENARIOS, flow, to_the_end
from tests.faults.victim import teller

STORE, LOG, TOLD = "runs.db", "runs.log", "runs.told"


def run_of(number: int) -> str:
    """The id of the run of the n-th scenario."""
    return f"run-{number}"


def main() -> None:
    """What it tells carries the number of its scenario."""
    place, durability, pages, *names = sys.argv[1:]
    folder, left_open = Path(place), []
    sqlite.WAL_PAGES = int(pages)  # how often the log is copied into the file
    tell = teller(folder / TOLD)
    for number, name in enumerate(names):
        db = SqliteDb(folder / STORE, durability="full" if durability == "full" else "normal")
        to_the_end(flow(SCENARIOS[name], db, folder / LOG), SCENARIOS[name], partial(tell, number), run_of(number))
        if number % 2:
            db.close()
        else:
            left_open.append(db)
    for db in left_open:
        db.close()


if __name__ == "__main__":
    main()
