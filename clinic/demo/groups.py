"""Groups in the first prison: material, a room, an accepted plan of 28 days, a pair kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

from sqlalchemy import select

from clinic import clock
from clinic.appointments.things_commands import add_thing, say_confidential
from clinic.custody import fact_commands
from clinic.custody.models import Reception
from clinic.demo.people import MARLFIELD
from clinic.demo.story import Story
from clinic.groups import commands, plan_commands, planner, seat_commands
from dosing.days import at_london
from scheduling.groups import TOPICS

WITH_RELEASE_PLANS = 6


def tell(story: Story) -> None:
    """By the manager, who plans, and the keyworker who leads and seats."""
    story.say("groups of 28 days")
    work = story.by("stone")
    room = add_thing(work, kind="room", name="Education 3")
    say_confidential(work, room.id, confidential=True)
    leading = {"carat_id": story.staff_ids["marsh"], "clinical_id": story.staff_ids["byrne"]}
    for name, staff_id in leading.items():
        kind = name.removesuffix("_id")
        commands.set_facilitator(work, staff_id=staff_id, kind=kind, topics=TOPICS)
    for topic in TOPICS:
        commands.add_material(
            work, topic=topic, title=f"First 28 days: {topic.replace('_', ' ')}", edition="3",
            validated_on=story.today - timedelta(days=200), validated_by="Area drug strategy panel",
            valid_until=story.today + timedelta(days=300),
        )  # fmt: skip
    stays = work.session.scalars(
        select(Reception.id)
        .where(Reception.site_id == story.site_ids[MARLFIELD], Reception.left_at.is_(None))
        .order_by(Reception.id)
    ).all()
    for number, stay in enumerate(stays):
        if number % 8 != 7:  # of a few it is not known yet
            estate = "vulnerable" if number % 8 == 6 else "main"
            commands.set_estate(work, stay, estate=estate)
    commands.keep_apart(
        work, stays[1], other_reception_id=stays[3], level="cell_landing", reason="Told by security"
    )
    for number, (stay, kind) in enumerate(
        zip(stays[4:8], ("visit", "adjudication") * 2, strict=False)
    ):
        starts_at = at_london(story.today + timedelta(days=2 + number), time(13, 30))
        commands.record_commitment(
            work, stay, kind=kind, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)
        )
    work.session.close()
    accepted = _planned(story, story.today + timedelta(days=1))
    work = story.by("stone")
    plan_commands.accept_plan(work, accepted)
    work.session.close()
    _wish(story, stays)


def _planned(story: Story, first_on: date) -> int:
    """A plan made at once, so that the demonstration starts at once; its id."""
    work = story.by("stone")
    work.at = clock.now()  # not when the telling began: a plan nobody begins in a minute has failed
    plan_id = plan_commands.ask_plan(work, first_on=first_on).id
    work.session.close()
    planner.work_out(story.database, plan_id, seconds=0)
    return plan_id


def _wish(story: Story, stays: Sequence[int]) -> None:
    """The keyworker pins a seat; then somebody is to be in court, and a new plan waits to be accepted."""
    work = story.by("marsh")
    seats = [seat for stay in stays for seat in seat_commands.seats_of(work, stay)]
    if not seats:
        return
    seat_commands.pin_seat(work, seats[0].id, pinned=True)
    planned = WITH_RELEASE_PLANS  # whose plans were scored at this very moment, without a hearing
    in_court = [seat for seat in seats if seat.reception_id in stays[planned:]]
    work.session.close()
    work = story.by("byrne")
    for seat in in_court[:1]:
        fact_commands.record_hearing(
            work, seat.reception_id, starts_at=seat.starts_at, court="Northborough Crown Court"
        )
    work.session.close()
    _planned(story, story.today + timedelta(days=1))
