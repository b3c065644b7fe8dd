"""Which browser do the page tests drive, and how do they look at a page?

THROUGHCARE_CHROMIUM names one; otherwise the first found on PATH. A machine without a browser
fails the tests that need one: an accessibility check that was skipped has proved nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Route

NAMES = ("chromium", "chromium-browser", "google-chrome")
WCAG_22_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


def find_chromium() -> str:
    """The path of the browser; LookupError when there is none."""
    given = os.environ.get("THROUGHCARE_CHROMIUM")
    found = next(filter(None, map(shutil.which, [given] if given else NAMES)), None)
    if found is None:
        raise LookupError(
            f"THROUGHCARE_CHROMIUM is {given}, which is no program here."
            if given
            else f"The page tests need Chromium: put one of {', '.join(NAMES)} on PATH "
            "or set THROUGHCARE_CHROMIUM."
        )
    return found


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium, without its sandbox where root makes the sandbox impossible."""
    return playwright.chromium.launch(
        executable_path=find_chromium(),
        chromium_sandbox=os.geteuid() != 0 and "THROUGHCARE_NO_SANDBOX" not in os.environ,
        args=["--disable-dev-shm-usage"],
    )


@contextmanager
def a_page(browser: Browser, *, scripts: bool = True) -> Iterator[Page]:
    """A page of a new visitor. Fails at the end if it reached for another host or complained.

    Every request to a host other than this machine is refused and remembered; so is every error
    in the console, a blocked script or style included.
    """
    context = browser.new_context(
        java_script_enabled=scripts, locale="en-GB", timezone_id="Europe/London"
    )
    strangers: list[str] = []
    complaints: list[str] = []

    def at_home_only(route: Route) -> None:
        if urlsplit(route.request.url).hostname in ("127.0.0.1", "localhost"):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    def note(message: ConsoleMessage) -> None:
        # A refused form answers 4xx by design, and the browser calls that an error too.
        if (
            message.type == "error"
            and "the server responded with a status of 4" not in message.text
        ):
            complaints.append(message.text)

    context.route("**/*", at_home_only)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not strangers, f"the page asked other hosts: {strangers}"
    assert not complaints, f"the browser complained: {complaints}"


def assert_accessible(page: Page) -> None:
    """Does the page as it stands have no violation axe can see at WCAG 2.2 A and AA?"""
    page.wait_for_load_state("load")  # a page half drawn says nothing of the page
    found = Axe().run(
        page,
        options={
            "runOnly": {"type": "tag", "values": list(WCAG_22_AA)},
            "resultTypes": ["violations"],
        },
    )
    said = [
        f"{violation['id']}: {violation['help']}: {node['target']} {node['html']}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert not said, f"{page.url}\n" + "\n".join(said)
