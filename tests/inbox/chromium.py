"""Whether there is a browser for the tests of the pages. Without one they pass over it, and the summary of the tests says so."""

from __future__ import annotations

import os
import shutil

MISSING = "Without Chromium the pages were not tried in a browser: apt-get install chromium."
NAMES = ("chromium", "chromium-browser", "google-chrome")


def path():
    """The path of a Chromium; None without one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def missing():
    """Whether there is none. Raises `AssertionError` for that where CI is "true": there the pages have to be tried."""
    if path() is None and os.environ.get("CI") == "true":
        raise AssertionError(MISSING)
    return path() is None
