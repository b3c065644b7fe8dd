"""The lists of custody: on the first page, and all that is due in a prison."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template, url_for

from clinic import home
from clinic.act import Act
from clinic.auth import act, needs
from clinic.custody import presenters, queries, words, worklists
from clinic.custody.elsewhere_pages import home_rows
from clinic.custody.pages import Page, custody_pages
from clinic.custody.worklists import Work
from clinic.errors import NotFound
from clinic.keyworkers.queries import covered_by
from clinic.patients.queries import on_wing

MOST_ON_HOME = 20


def home_row(work: Work, posts: dict[str, str]) -> home.Row:
    said, colour = presenters.risk(work.ppo, work.heightened_risk, work.day)
    return home.Row(
        due=work.due,
        person=work.person,
        href=url_for("custody_pages.stay", reception_id=work.reception_id),
        what=f"{work.duty} (amber)" if work.amber and not work.overdue else work.duty,
        who=whose(work, posts),
        risk=said,
        risk_colour=colour,
        where=on_wing(work.where),
    )


def whose(work: Work, posts: dict[str, str]) -> str:
    """Whose it is, and whom it goes to once it is late."""
    who = words.OWNERS[work.owner]
    if work.owner in posts:
        who = f"{who} ({posts[work.owner]})"
    if "keyworker" in work.owner:
        who = f"{who} ({work.keyworker or 'nobody named'})"
    told = queries.escalation(work.escalate_to, posts)
    return f"{who}. Late: tell {told}" if work.overdue and told else who


def _list(act: Act, title: str, rows: Sequence[Work], empty: str) -> home.Worklist:
    posts = queries.post_holders(act)
    return home.Worklist(
        title=title,
        rows=[home_row(row, posts) for row in rows[:MOST_ON_HOME]],
        empty=empty,
        more_text="All that is due in this prison",
        more_href=url_for("custody_pages.worklist"),
    )


@home.worklist("custody.receive")
def healthcare_list(work: Act) -> home.Worklist | None:
    """What healthcare owes today."""
    if not queries.at_a_prison(work):
        return None
    rows = worklists.due_work(work, owners=worklists.OWNED_BY_HEALTHCARE, limit=MOST_ON_HOME)
    return _list(work, "Healthcare: due today and overdue", rows, "Healthcare owes nothing today.")


@home.worklist("custody.deliver")
def keyworker_list(work: Act) -> home.Worklist | None:
    """What a keyworker's own people and those they cover are owed today, then everybody else's."""
    if work.may("custody.receive") or not queries.at_a_prison(work):
        return None
    mine = [work.staff_id or 0, *covered_by(work, work.staff_id or 0)]
    own = worklists.due_work(work, of_keyworkers=mine, limit=MOST_ON_HOME)
    others = worklists.due_work(work, owners=worklists.OWNED_BY_CARAT, limit=MOST_ON_HOME * 2)
    rest = [row for row in others if row.keyworker_id not in mine]
    return _list(
        work, "Your people first: due today and overdue", [*own, *rest], "Nothing is due today."
    )


@home.worklist("custody.allocate")
def overdue_list(work: Act) -> home.Worklist | None:
    """What is late in this prison."""
    if not queries.at_a_prison(work):
        return None
    rows = worklists.overdue_work(work, limit=MOST_ON_HOME)
    return _list(work, "Overdue in the first 28 days", rows, "Nothing is overdue.")


@custody_pages.get("/")
@needs("custody.read")
def worklist() -> Page:
    """What is due in this prison, then everybody by their next deadline."""
    work = act()
    if not queries.at_a_prison(work):
        raise NotFound(
            "Receptions and 28 days belong to a prison. This site is a community service."
        )
    posts = queries.post_holders(work)
    due, coming = worklists.due_work(work), worklists.next_work(work)
    return render_template(
        "custody/worklist.jinja",
        uncounted=home_rows(work),
        due=[home_row(row, posts) for row in due],
        coming=[home_row(row, posts) for row in coming],
        most=worklists.MOST_LISTED,
    )
