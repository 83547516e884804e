"""The server as it is started by hand, a tab of a headless Chromium, and what it complained of and asked for."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.faces.test_report_browser import ARGUMENTS
from tests.figures.records import single

from heldout.engine.store import Store

TOKEN = "a-token-of-the-browser-tests"
SERVE = "import sys; from heldout.faces.cli import main; sys.argv[0] = 'heldout'; main()"


class Server:
    """``heldout serve`` in a process of its own, which can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.store, self.token = folder / "runs", folder / "token"
        self.token.write_text(TOKEN)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        given = ["serve", str(self.store), "--port", str(self.port), "--token-file", str(self.token)]
        self.process = subprocess.Popen([sys.executable, "-c", SERVE, *given], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert TOKEN in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Visitor:
    """One tab, with everything that it complained of and everything that it asked for."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.listeners: dict[str, Callable[[Any], None]] = {
            "console": lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None,
            "pageerror": lambda error: self.complaints.append(str(error)),
            "request": lambda request: self.requests.append(request.url),
        }
        for event, listener in self.listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]

    def opens(self, path: str, width: int = 1280) -> Page:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(self.server.url + path)
        if self.page.locator(".view").count():
            self.page.wait_for_selector("html[data-drawn=yes]", state="attached")
        return self.page

    def leaves(self) -> None:
        for event, listener in self.listeners.items():
            self.page.remove_listener(event, listener)

    def has_nothing_to_say(self) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith((self.server.url, "data:"))] == []


def until(true: Callable[[], Any], page: Page, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        page.wait_for_timeout(50)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    store = Store(str(folder / "runs"))
    for name in ("first", "second", "<img src=x onerror=alert(1)>"):
        store.write_audit({**single(), "subject": {**single()["subject"], "name": name}})
    started = Server(folder)
    yield started
    started.kill()


@pytest.fixture(scope="module")
def tab(server: Server) -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is not installed; 'make test' installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_context(color_scheme="light").new_page()
        page.goto(f"{server.url}/?token={TOKEN}")  # the server answers with a cookie and the address without it
        assert page.url == f"{server.url}/"
        until(lambda: page.reload() and page.locator("#results .found .note").count() == 0, page)  # the index is made
        yield page
        browser.close()


@pytest.fixture
def visitor(tab: Page, server: Server) -> Iterator[Visitor]:
    visiting = Visitor(tab, server)
    yield visiting
    visiting.has_nothing_to_say()
    visiting.leaves()
