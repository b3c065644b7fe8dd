"""The pages of a wing today and of the prison as a whole."""

from __future__ import annotations

from flask import render_template

from clinic.auth import act, needs
from clinic.custody import board, presenters, queries, wings
from clinic.custody.pages import Page, custody_pages
from clinic.errors import NotFound


@custody_pages.get("/overview")
@needs("custody.read")
def overview() -> Page:
    """Phases by wing, and what is late."""
    work = act()
    if not queries.at_a_prison(work):
        raise NotFound("This belongs to a prison. This site is a community service.")
    return render_template(
        "custody/overview.jinja", view=board.overview(work), phase_names=board.PHASE_NAMES
    )


@custody_pages.get("/wings/<int:wing_id>/board")
@needs("custody.read")
def wing_board(wing_id: int) -> Page:
    """A wing today: who lives there, what takes place and what is due for each."""
    work = act()
    return render_template(
        "custody/board.jinja", view=board.board(work, wing_id), wings=wings.wings_here(work),
        risk=presenters.risk, phase_names=board.PHASE_NAMES,
    )  # fmt: skip
