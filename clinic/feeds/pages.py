"""The pages of one's private calendars, and the address a calendar reads."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as Answer
from wtforms import StringField

from clinic.answers import radio
from clinic.auth import act, database, needs, open_to_all
from clinic.feeds import commands, queries
from clinic.feeds.models import KINDS
from clinic.forms import Form

feed_pages = Blueprint("feed_pages", __name__)

Page = str | Answer | tuple[str, int]


class FeedForm(Form):
    """Which bookings a new private calendar shows."""

    kind = radio("What should it show?", KINDS)
    label = StringField("A name for it, such as the phone it is for (optional)")


@feed_pages.route("/account/calendars", methods=["GET", "POST"])
@needs("appointments.read")
def feeds() -> Page:
    """One's private calendars, and a form for another."""
    form = FeedForm()
    made: list[commands.MadeFeed] = []

    def make() -> None:
        made.append(
            commands.make_feed(act(), kind=form.kind.data or "", label=form.label.data or "")
        )

    if form.carried_out(make):
        # Shown by the answer itself: a redirect would have to keep the secret somewhere.
        address = url_for("feed_pages.calendar", secret=made[0].secret, _external=True)
        return render_template(
            "feeds/made.jinja", made=made[0], kinds=KINDS, address=address,
            subscribe=address.replace("http", "webcal", 1).replace("webcals", "webcal", 1),
        )  # fmt: skip
    page = render_template(
        "feeds/list.jinja", form=form, feeds=queries.feeds_of(act()), kinds=KINDS,
    )  # fmt: skip
    return page, form.status


@feed_pages.post("/account/calendars/<int:feed_id>/revoke")
@needs("appointments.read")
def revoke(feed_id: int) -> Answer:
    """Shut an address at once."""
    commands.revoke_feed(act(), feed_id)
    flash("Revoked. A calendar that reads this address gets nothing from now on.")
    return redirect(url_for("feed_pages.feeds"))


@feed_pages.get("/feeds/<secret>.ics")
@open_to_all
def calendar(secret: str) -> Response:
    """The calendar of this secret, as iCalendar text; 304 when the caller has it already."""
    from clinic.feeds.ical import as_ical  # loads a library that nothing else needs

    now = g.at
    with database().reading() as session:
        feed = queries.feed_with(session, secret, act().today)
        body = as_ical(queries.bookings(session, feed, now), _key())
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    answer.add_etag()
    conditional: Any = answer.make_conditional(request)
    return conditional  # type: ignore[no-any-return]


def _key() -> str:
    return str(current_app.config["SETTINGS"].secret_key)
