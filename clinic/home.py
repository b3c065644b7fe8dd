"""What needs doing today? The first page, for the role somebody works in.

Rooms offer worklists; a person sees those whose right they hold, at the site they work at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Flask, render_template

from clinic import clock
from clinic.act import Act
from clinic.auth import act, for_signed_in


@dataclass(frozen=True)
class Row:
    """One thing to do. `due` None: no deadline. `who` None: nobody's yet, and said so.

    `where`: their wing in a prison; None leaves it out.
    """

    due: date | datetime | None
    person: str
    href: str
    what: str
    who: str | None
    risk: str | None = None
    risk_colour: str = "grey"
    where: str | None = None


@dataclass(frozen=True)
class Worklist:
    """A room's list for the first page, already in order: deadline first, then risk, never name.

    `counted`: how much waits that is no list of people and is told in `empty` alone.
    """

    title: str
    rows: Sequence[Row]
    empty: str
    more_text: str | None = None
    more_href: str | None = None
    counted: int = 0

    @property
    def waits(self) -> int:
        return len(self.rows) or self.counted


Provider = Callable[[Act], Worklist | None]
_PROVIDERS: list[tuple[bool, str, Provider]] = []


def worklist(right: str, *, first: bool = False) -> Callable[[Provider], Provider]:
    """Offer a worklist to everyone who holds the right. None leaves it out, say for another kind of site.

    `first`: it is kept by the hour, or somebody may leave without medicine: before what has days.
    """

    def offer(provider: Provider) -> Provider:
        _PROVIDERS.append((not first, right, provider))
        return provider

    return offer


def init_app(app: Flask) -> None:
    """The first page, at the root."""
    from clinic.rooms import place_of  # which import this module

    ordered = sorted(_PROVIDERS, key=lambda each: (each[0], place_of(each[2].__module__)))

    @app.get("/", endpoint="home")
    @for_signed_in
    def home() -> str:
        work = act()
        offered = [offer for _, right, offer in ordered if work.may(right)]
        lists = [made for offer in offered if (made := offer(work))]
        return render_template("home.jinja", lists=lists, now=clock.now())
