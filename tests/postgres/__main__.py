"""`python -m tests.postgres`: the campaigns in full, on a server that waits for its disk; one JSON object, and 1 where one found a violation."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from statecore.db.postgres import PostgresDb
from tests.postgres import campaigns, flows, hostile
from tests.postgres.server import Server


def even(done: list[int]) -> dict[str, Any]:
    """Whether two workers did about the same: neither more than a fifth away from a half."""
    half = sum(done) / 2
    assert all(abs(each - half) <= half / 5 for each in done), done
    return {"steps": 3 * sum(done), "runs of each worker": done}


def main() -> int:
    """Run the campaigns that were asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.postgres", description=__doc__)
    words.add_argument("--only", default="share,kill,restart,crash,crowd,hostile")
    asked = words.parse_args()
    server, told, broken = Server(fsync="on", full_page_writes="on"), {}, False
    server.start()

    def on_a_store(work: Callable[[str, PostgresDb, Path], dict[str, Any]]) -> dict[str, Any]:
        with TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            os.environ[flows.LOG] = str(log)
            store = PostgresDb(server.url(name))
            found = work(server.url(name), store, log)
            store.close()
            return found

    kinds: dict[str, Callable[[], Any]] = {
        "share": lambda: on_a_store(lambda place, db, log: even(campaigns.shared(place, db, log, 298, 0.01))),
        "kill": lambda: on_a_store(lambda place, db, log: campaigns.killed(place, db, log, 200, 20)),
        "restart": lambda: campaigns.storm(server, server.url(name), 200, 9, crash=False),
        "crash": lambda: campaigns.storm(server, server.url(name), 200, 9, crash=True),
        "crowd": lambda: campaigns.crowd(server.url(name), 16, 100, threads=False),
        "hostile": lambda: [hostile.attack(server, f"hostile_{seed}", 1_000, seed) for seed in range(3)],
    }
    try:
        for name in asked.only.split(","):
            server.execute(f'CREATE DATABASE "{name}"')
            began = monotonic()
            try:
                found = kinds[name]() or {}
                found = found if isinstance(found, dict) else {"each": found}
            except AssertionError as violation:
                found, broken = {"violation": str(violation)}, True
            told[name] = {**found, "seconds": round(monotonic() - began, 1)}
    finally:
        server.end()
    json.dump({**told, "load": round(os.getloadavg()[0], 1)}, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
