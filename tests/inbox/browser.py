"""A real browser for the tests of the pages: Debian's Chromium, driven by Playwright, and a real server with a worker beside it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import uvicorn
from playwright.sync_api import sync_playwright

from statecore.inbox.app import app
from statecore.inbox.auth import TrustedHeader
from tests.inbox.chromium import path

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def served(db, **settings):
    """The address of an inbox that is served meanwhile; who asks is named by a header, as a proxy would."""
    auth = TrustedHeader("X-User", roles="X-Roles")
    config = uvicorn.Config(
        app(db, auth=auth, **settings), port=0, log_level="error", timeout_graceful_shutdown=1, proxy_headers=False
    )
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


@contextmanager
def browser():
    """A browser; its pages may load nothing from another host."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield found
        finally:
            found.close()


def person(of, name="bob", *, script=True, width=1280, scheme="light", csp=True):  # noqa: PLR0913  # as many as a browser has settings
    """A page of somebody who is signed in; `problems` gathers what the console and the policy complain of, `hosts` those that were asked."""
    context = of.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script, bypass_csp=not csp,
        extra_http_headers={"X-User": name, "X-Roles": "support"}, timezone_id="Europe/Berlin", locale="en-GB",
    )  # fmt: skip
    page = context.new_page()
    page.problems, page.hosts = [], set()
    page.on("console", lambda said: page.problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.hosts.add(request.url.split("/")[2]))
    return page


def violations(page):
    """What axe finds wrong with a page, by rule and element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found]


def overflow(page):
    """By how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")
