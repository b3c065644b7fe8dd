"""Two weeks of groups in the first prison: material, a room, sessions, seats, a pair kept apart."""

from __future__ import annotations

from datetime import time, timedelta

from sqlalchemy import select

from clinic.appointments.things_commands import add_thing, say_confidential
from clinic.custody.models import Reception
from clinic.demo.people import MARLFIELD
from clinic.demo.story import Story
from clinic.errors import Conflict
from clinic.groups import commands, queries, session_commands
from dosing.days import at_london
from scheduling.groups import TOPICS

MOST_SEATED = 6


def tell(story: Story) -> None:
    """By the manager, who plans, and the keyworker who leads and seats."""
    story.say("groups of two weeks")
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
    monday = story.today + timedelta(days=7 - story.today.weekday())
    for number, day in enumerate((0, 2, 3, 7, 9, 10)):
        starts_at = at_london(monday + timedelta(days=day), time(9, 30))
        try:
            row = session_commands.plan_session(
                work, topic=TOPICS[number % len(TOPICS)], estate="main", starts_at=starts_at,
                room_id=room.id, **leading,
            )  # fmt: skip
        except Conflict:  # a bank holiday
            work.session.rollback()
            continue
        session_commands.publish_session(work, row.id, version=row.version)
        free = [each for each in queries.candidates(work, row) if not each.bars]
        for place, each in enumerate(free[:MOST_SEATED]):
            try:
                session_commands.give_seat(
                    work, row.id, reception_id=each.reception_id, offered=place == MOST_SEATED - 1
                )
            except Conflict:  # somebody they are kept apart from was seated a moment ago
                work.session.rollback()
    work.session.close()
