"""Somebody at a browser who has a keyboard and no mouse.

They find what they need as they would: by moving on from where they are, one Tab at a time, and
reading what has the focus.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from playwright.sync_api import Page

FURTHEST = 200
# What has the focus, as it is announced: what it is, its name, and the name of its group.
FOCUSED = """() => {
  const here = document.activeElement, say = (text) => (text || "").replace(/\\s+/g, " ").trim();
  const labels = here.labels && here.labels.length ? here.labels[0].innerText : "";
  const group = here.closest("fieldset");
  return {
    kind: here.tagName === "INPUT" ? here.type : here.tagName.toLowerCase(),
    name: say(labels || here.getAttribute("aria-label") || here.innerText),
    group: say(group && group.querySelector("legend").innerText),
    checked: !!here.checked, value: here.value || "",
  };
}"""


@dataclass(frozen=True)
class Focus:
    """What has the focus."""

    kind: str
    name: str
    group: str
    checked: bool
    value: str


class Keyboard:
    """Tab, arrows, Space, Enter and typing; nothing is clicked."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self._url + path)

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """All that can be read on the page."""
        return " ".join(self.page.locator("body").inner_text().split())

    def follow(self, link: str, *, whole: bool = False) -> None:
        """Go to a link that begins so, or says so and no more, and press Enter."""
        self._to(link, "a", whole=whole)
        self._enter()

    def press(self, button: str) -> None:
        """Go to a button that begins so, and press Enter."""
        self._to(button, "button", "submit")
        self._enter()

    def fill(self, label: str, text: str, group: str = "") -> None:
        """Type into the field with this label, in place of what is there."""
        self._to(label, "text", "email", "password", "textarea", "number", "tel", group=group)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def fill_day(self, question: str, on: date) -> None:
        for label, number in (("Day", on.day), ("Month", on.month), ("Year", on.year)):
            self.fill(label, str(number), question)

    def fill_moment(self, question: str, on: date, at: str) -> None:
        """The four boxes of a London date and time."""
        self.fill_day(question, on)
        self.fill("Time", at, question)

    def choose(self, answer: str, group: str = "") -> None:
        """Go to the radio buttons of a question and down to the answer that begins so."""
        here = self._to("", "radio", group=group)
        for _ in range(FURTHEST):
            if here.name.startswith(answer):
                self.page.keyboard.press("Space")
                return
            self.page.keyboard.press("ArrowDown")
            here = self._here()
        raise AssertionError(f"{group or 'the question'} offers no {answer}: {self.page.url}")

    def tick(self, box: str) -> None:
        self._to(box, "checkbox")
        self.page.keyboard.press("Space")

    def unfold(self, summary: str) -> None:
        """Open what is folded away under these words."""
        self._to(summary, "summary")
        self.page.keyboard.press("Enter")

    def pick(self, label: str, option: str) -> None:
        """Go to a list and type the option's first letters."""
        self._to(label, "select")
        self.page.keyboard.type(option)
        picked = self.page.evaluate(
            "() => document.activeElement.selectedOptions[0].innerText.trim()"
        )
        assert picked.startswith(option), f"{label} took {picked} for {option}"

    def _to(self, name: str, *kinds: str, group: str = "", whole: bool = False) -> Focus:
        for _ in range(FURTHEST):
            self.page.keyboard.press("Tab")
            here = self._here()
            if (
                here.kind in kinds
                and (here.name == name if whole else here.name.startswith(name))
                and (not group or here.group.startswith(group))
            ):
                return here
        raise AssertionError(f"no Tab leads to {name!r} {group} at {self.page.url}: {self.text}")

    def _here(self) -> Focus:
        return Focus(**self.page.evaluate(FOCUSED))

    def _enter(self) -> None:
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
