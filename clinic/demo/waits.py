"""How people want to be reached, a place given up, and somebody looked for, at the Model 2 service."""

from __future__ import annotations

from datetime import timedelta

from clinic.appointments.commands import book_visit, cancel_visit
from clinic.appointments.missed_commands import record_try
from clinic.appointments.missed_queries import open_ladders
from clinic.appointments.place_queries import free_places
from clinic.appointments.queries import wait_list
from clinic.demo.story import Story
from clinic.reminders.commands import record_choice

SAID = (
    {"channel": "email", "address": "a.demonstration@example.org"},
    {"channel": "text", "address": "07700 900123", "language": "en_easy"},
    {"channel": "none"},
    {"channel": "email", "address": "b.demonstration@example.org", "language": "cy",
     "large_print": True},
)  # fmt: skip


def tell(story: Story) -> None:
    story.say("reminders, a freed place, and contact lost")
    act = story.by("price")
    waiting = [row for row in wait_list(act).rows if not row.crack_pathway]
    places = free_places(act, act.site_id or 0, act.today, act.today + timedelta(days=14))
    act.session.rollback()
    for row, said in zip(waiting, SAID, strict=False):
        record_choice(act, row.patient_id, **said)
    # The least urgent without a visit books a place and gives it up: it is offered to the others.
    last = next((row for row in reversed(waiting) if row.visit_id is None), None)
    if last is not None and len(places) > 4:
        place = places[4]
        booked = book_visit(
            act, referral_id=last.referral_id, starts_at=place.starts_at,
            doctor_id=place.doctor_id, worker_id=place.worker_id,
        )  # fmt: skip
        cancel_visit(
            act, booked.id, version=booked.version, reason="cannot_come", by_whom="patient"
        )  # fmt: skip
    looked_for = [(each.row.id, each.row.missed_at) for each in open_ladders(act)]
    act.session.rollback()
    for ladder, missed_at in looked_for[:1]:
        at = min(missed_at + timedelta(hours=2), act.at)
        record_try(act, ladder, how="phone", at=at, outcome="no_answer")
        record_try(act, ladder, how="text", at=at, outcome="sent")
    act.session.close()
