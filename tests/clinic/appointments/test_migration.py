"""Holds come into a database that is in use, and go again; the guards stand at every step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clinic.appointments import hold_commands
from clinic.db import Database
from clinic.migrate import downgrade, upgrade
from tests.factories import appointments as made

BEFORE = "0033"
SAME_AGAIN = """
    INSERT INTO visit (patient_id, site_id, kind, starts_at, ends_at, status, version,
                       recorded_at, recorded_by{more})
    SELECT patient_id, site_id, kind, starts_at, ends_at, '{status}', 1, recorded_at, recorded_by
           {values}
    FROM visit WHERE id = {visit}
"""


def crosses(database: Database, visit_id: int, status: str) -> str:
    """Who refuses the same time given to the same patient once more, past every command?"""
    lapses = {"more": ", lapses_at", "values": ", ends_at"} if status == "held" else {}
    statement = SAME_AGAIN.format(
        visit=visit_id, status=status, **({"more": "", "values": ""} | lapses)
    )
    with pytest.raises(IntegrityError) as refused, database.transaction() as session:
        session.execute(text(statement))
    return str(refused.value)


def stands(database: Database) -> list[tuple[str, int]]:
    """How each visit stands, and how much it holds."""
    asked = text(
        "SELECT v.status, (SELECT count(*) FROM visit_hold h WHERE h.visit_id = v.id "
        "AND h.released_at IS NULL) FROM visit v ORDER BY v.id"
    )
    with database.reading() as session:
        return [(row[0], row[1]) for row in session.execute(asked)]


def test_holds_go_down_as_cancelled_and_come_up_again_with_every_guard(fresh_database, fresh_url):
    clinic = made.a_clinic(fresh_database)
    booked = made.a_booking(clinic)
    held, let_go = (
        hold_commands.hold_place(
            clinic.act, referral_id=made.a_referral(clinic), **clinic.place(nth)
        )
        for nth in (0, 1)
    )
    hold_commands.let_go(clinic.act, let_go.id, version=1)
    clinic.act.session.close()
    assert stands(fresh_database) == [("booked", 2), ("held", 2), ("let_go", 0)]
    assert "visit_no_overlap_for_patient" in crosses(fresh_database, held.id, "booked")
    assert "visit_no_overlap_for_patient" in crosses(fresh_database, booked.id, "held")
    fresh_database.engine.dispose()

    downgrade(fresh_url, BEFORE)

    assert stands(fresh_database) == [("booked", 2), ("cancelled", 0), ("cancelled", 0)]
    assert "visit_no_overlap_for_patient" in crosses(fresh_database, booked.id, "booked")
    assert "status" in crosses(fresh_database, held.id, "held_for_ever")
    fresh_database.engine.dispose()

    upgrade(fresh_url)

    assert stands(fresh_database) == [("booked", 2), ("cancelled", 0), ("cancelled", 0)]
    assert "visit_no_overlap_for_patient" in crosses(fresh_database, booked.id, "held")
    again = hold_commands.hold_place(
        clinic.at(clinic.act.at + timedelta(minutes=1)), referral_id=made.a_referral(clinic),
        **clinic.place(0),
    )  # fmt: skip
    assert again.place.starts_at == held.place.starts_at
