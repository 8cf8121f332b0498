"""How is a page driven in Firefox and in WebKitGTK? As Debian has them, by one small client each.

Firefox speaks Marionette over a socket, WebKitGTK's driver WebDriver over HTTP: the same commands
under other names, so that neither needs a library. Chromium is driven by Playwright, as in the
tests. Each page is as wide as a phone; each browser has a new profile, and keeps what it holds
against the pages.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection  # noqa: TID251  the driver listens on this machine
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Page as ChromiumPage
from playwright.sync_api import sync_playwright

from tests.browser import FLAGS, ROOT, Complaints

WIDE, HIGH, WEBKIT_PORT = 390, 844, 8746
START_SECONDS, COMMAND_SECONDS = 30.0, 90.0
# What Debian calls them, with what decodes H.264 and AAC for them.
PACKAGES = {
    "Chromium": "chromium",
    "Firefox": "firefox-esr libavcodec59",
    "WebKitGTK": "webkit2gtk-driver xvfb xauth gstreamer1.0-libav gstreamer1.0-plugins-good"
    " gstreamer1.0-plugins-bad",
}
PREFS: dict[str, object] = {
    # Chosen by Firefox, which writes it into its profile.
    "marionette.port": 0,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
# Runs as Firefox's own code: a window is never as narrow as a phone, but the page in it may be.
NARROW = """const style = gBrowser.selectedBrowser.style;
style.flex = "none";
style.width = style.minWidth = arguments[0] + "px";
style.height = style.minHeight = arguments[1] + "px";"""
CONSOLE = """return Services.console.getMessageArray()
  .filter((one) => one instanceof Ci.nsIScriptError && one.sourceName.startsWith("http"))
  .map((one) => `${one.sourceName}:${one.lineNumber}: ${one.errorMessage}`);"""
# The frame of WebKitGTK's window asks for more room than a phone has, too.
NO_FRAME = "* { min-width: 0; min-height: 0; padding: 0; margin: 0; font-size: 1px; }"


class Missing(Exception):
    """A browser is not on this machine."""


class Page(Protocol):
    """One page in one browser."""

    name: str
    version: str

    def open(self, address: str) -> None: ...

    def run(self, body: str, *values: object) -> Any:
        """Return what the body of an async function returns; `values` are its arguments."""

    def press(self, selector: str) -> None:
        """Click on the middle of an element, as a person would."""

    def picture(self) -> bytes:
        """Return what is to be seen now, as PNG."""

    def complaints(self) -> list[str]:
        """Return what the browser held against the pages so far."""


class Chromium:
    """A page of Playwright's."""

    name = "Chromium"

    def __init__(self, page: ChromiumPage, version: str) -> None:
        self._page, self._held, self.version = page, Complaints(), version
        self._held.watch(page)

    def open(self, address: str) -> None:
        self._page.goto(address)

    def run(self, body: str, *values: object) -> Any:
        return self._page.evaluate(f"(all) => (async function () {{{body}}})(...all)", list(values))

    def press(self, selector: str) -> None:
        self._page.click(selector)

    def picture(self) -> bytes:
        return self._page.screenshot()

    def complaints(self) -> list[str]:
        return self._held.lines


class Firefox:
    """Marionette: each message is its length, a colon, and JSON."""

    name = "Firefox"

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=COMMAND_SECONDS)
        self._file, self._number = self._socket.makefile("rb"), 0
        self._heard()
        made = self._ask("WebDriver:NewSession", acceptInsecureCerts=True)
        self.version = str(made["capabilities"]["browserVersion"])
        self._itself(NARROW, WIDE, HIGH)

    def open(self, address: str) -> None:
        self._ask("WebDriver:Navigate", url=address)

    def run(self, body: str, *values: object) -> Any:
        script = _awaited(body)
        return _told(self._ask("WebDriver:ExecuteAsyncScript", script=script, args=values)["value"])

    def press(self, selector: str) -> None:
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)
        self._ask("WebDriver:ElementClick", id=_reference(found["value"]))

    def picture(self) -> bytes:
        return base64.b64decode(self._ask("WebDriver:TakeScreenshot", full=False)["value"])

    def complaints(self) -> list[str]:
        return list(self._itself(CONSOLE))

    def _itself(self, script: str, *values: object) -> Any:
        self._ask("Marionette:SetContext", value="chrome")
        try:
            return self._ask("WebDriver:ExecuteScript", script=script, args=values)["value"]
        finally:
            self._ask("Marionette:SetContext", value="content")

    def _ask(self, command: str, **values: object) -> Any:
        self._number += 1
        told = json.dumps([0, self._number, command, values]).encode()
        self._socket.sendall(b"%d:%b" % (len(told), told))
        _, _, fault, answer = self._heard()
        if fault:
            raise RuntimeError(f"{command}: {fault['message']}")
        return answer

    def _heard(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._file.read(1)
        return json.loads(self._file.read(int(size[:-1])))


class WebKit:
    """A session of WebKitGTK's driver, and what its browser writes."""

    name = "WebKitGTK"

    def __init__(self, browser: str, arguments: list[str], written: Path) -> None:
        self._written, self._session = written, "/session"
        options = {"binary": browser, "args": arguments}
        wanted = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        made = self._ask("POST", "", capabilities={"alwaysMatch": wanted})
        self._session += "/" + made["sessionId"]
        self.version = str(made["capabilities"]["browserVersion"])
        self._ask("POST", "/window/rect", width=WIDE, height=HIGH)

    def open(self, address: str) -> None:
        self._ask("POST", "/url", url=address)

    def run(self, body: str, *values: object) -> Any:
        return _told(self._ask("POST", "/execute/async", script=_awaited(body), args=values))

    def press(self, selector: str) -> None:
        found = self._ask("POST", "/element", using="css selector", value=selector)
        self._ask("POST", f"/element/{_reference(found)}/click")

    def picture(self) -> bytes:
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def complaints(self) -> list[str]:
        lines = self._written.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith("CONSOLE") and " LOG " not in line]

    def _ask(self, method: str, path: str, **values: object) -> Any:
        line = HTTPConnection("127.0.0.1", WEBKIT_PORT, timeout=COMMAND_SECONDS)
        line.request(method, self._session + path, json.dumps(values) if method == "POST" else None)
        answer = line.getresponse()
        told = json.loads(answer.read())["value"]
        if answer.status != 200:
            raise RuntimeError(f"{path}: {told['message']}")
        return told


@contextmanager
def chromium(*, scripts: bool) -> Iterator[Page]:
    """Open a page in Chromium."""
    path = subprocess.run(
        [ROOT / ".ci/ensure-browser"], check=False, capture_output=True, text=True
    )
    if path.returncode:
        raise Missing
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path.stdout.strip(), args=FLAGS)
        size = {"width": WIDE, "height": HIGH}
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            ignore_https_errors=True,
            java_script_enabled=scripts,
        )
        yield Chromium(context.new_page(), browser.version)
        browser.close()


@contextmanager
def firefox(*, scripts: bool) -> Iterator[Page]:
    """Open a page in Firefox."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        raise Missing
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        prefs = {**PREFS, "javascript.enabled": scripts}
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in prefs.items()]
        Path(profile, "user.js").write_text("\n".join(lines))
        command = [path, "-headless", "-marionette", "-remote-allow-system-access", "-no-remote"]
        with _started([*command, "-profile", profile], Path(profile, "written")):
            place = Path(profile, "MarionetteActivePort")
            _until(lambda: place.exists() and place.read_text() != "")
            yield Firefox(int(place.read_text()))


@contextmanager
def webkit(*, scripts: bool) -> Iterator[Page]:
    """Open a page in WebKitGTK."""
    path, screen = shutil.which("WebKitWebDriver"), shutil.which("xvfb-run")
    browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)
    if path is None or screen is None or browser is None:
        raise Missing
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        Path(home, "gtk-3.0").mkdir()
        Path(home, "gtk-3.0", "gtk.css").write_text(NO_FRAME)
        command = [screen, "-a", "-s", "-screen 0 1280x1024x24", path, f"--port={WEBKIT_PORT}"]
        arguments = ["--automation", "--enable-write-console-messages-to-stdout=true"]
        arguments += [] if scripts else ["--enable-javascript=false"]
        places = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"), home)
        with _started(command, Path(home, "written"), **places):
            _until(_listens)
            yield WebKit(str(browser), arguments, Path(home, "written"))


@contextmanager
def _started(command: list[str], written: Path, **environment: str) -> Iterator[None]:
    with written.open("wb") as file:
        running = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        yield
    finally:
        # The browser is a child of its driver, and the driver of its screen.
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=START_SECONDS)


def _until(holds: Any) -> None:
    ends = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > ends:
            raise TimeoutError("the browser did not start")
        time.sleep(0.1)


def _listens() -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", WEBKIT_PORT)) == 0


def _reference(found: dict[str, str]) -> str:
    # The name of the only field is a constant of the protocol.
    return next(iter(found.values()))


def _awaited(body: str) -> str:
    """Return a script that tells WebDriver what an async function returned, or what it threw."""
    return f"""const given = [...arguments], done = given.pop();
(async function () {{{body}}})(...given).then(
  (told) => done({{ told }}), (fault) => done({{ fault: String(fault) }}));"""


def _told(answer: dict[str, Any]) -> Any:
    if "fault" in answer:
        raise RuntimeError(answer["fault"])
    return answer.get("told")
