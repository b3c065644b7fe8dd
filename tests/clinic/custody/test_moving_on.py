"""A second move within one stay: the days, the plan and the file go on from prison to prison."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.assessments.arrival import arrived_here
from clinic.casework import commands as casework
from clinic.casework import moves, queries
from clinic.custody import commands, expected_commands, fact_commands, timetables
from clinic.custody.expected import expected
from clinic.custody.queries import arrival
from clinic.errors import Conflict
from clinic.keyworkers import commands as keyworkers
from clinic.keyworkers.queries import caseload
from tests.factories.custody import RECEIVED, a_prison


@pytest.fixture
def chain(prison, database):
    """Three prisons, and somebody received at the first on RECEIVED."""
    others = [a_prison(database, name=f"HMP {name}", nation=nation)
              for name, nation in (("Second", "scotland"), ("Third", "england_and_wales"))]  # fmt: skip
    made = [prison, *others]
    yield made
    for each in others:
        each.close()


def at(chain, number, day, role=None):
    """Work at one of the prisons at noon on a day of custody, once the others' reading is let go."""
    for each in chain:
        each.close()
        each.at = datetime(2026, 11, 4, 15, tzinfo=UTC) + timedelta(days=day - 1)
    prison = chain[number]
    return prison.act(getattr(prison, role) if role else None)


def moves_on(chain, stay, number, to, day):
    """Booked two days before, moved, a keyworker named there and accepted."""
    fact_commands.record_transfer(
        at(chain, number, day - 2), stay, on=at(chain, number, day).today,
        receiving_site_id=chain[to].site.id,
    )  # fmt: skip
    commands.receive_transfer(at(chain, to, day), stay, arrived_at=chain[to].at)
    keyworkers.name_keyworker(at(chain, to, day, "manager"), stay, chain[to].keyworker.id)
    casework.accept_transfer(at(chain, to, day), stay)


def item(chain, number, day, stay, name):
    answer = chain[number].stay(stay, at=at(chain, number, day).at).answer
    return next(each for each in answer["items"] if each["item"] == name)


@pytest.mark.proves("RC-12")
def test_a_second_and_a_third_move_carry_the_days_and_the_file_on(chain, prison):
    stay = prison.receives()
    prison.delivers(stay, "smta", by=["healthcare"])
    moves_on(chain, stay, 0, 1, 8)

    with pytest.raises(Conflict, match="which prison they move to"):
        fact_commands.record_exit(at(chain, 1, 10), stay, at=chain[1].at, how="transfer")
    moves_on(chain, stay, 1, 2, 14)

    (carried,) = caseload(at(chain, 2, 15))
    assert (carried.reception_id, carried.day) == (stay, 15)
    assert not caseload(at(chain, 1, 15))
    assert item(chain, 2, 15, stay, "smta")["status"] == "done"
    assert item(chain, 2, 15, stay, "receiving_keyworker_named")["status"] == "done"
    assert item(chain, 2, 15, stay, "file_sent")["status"] == "overdue"  # sent for each move anew
    rows = {each.item: each.site_id for each in chain[2].items(stay)}
    own = [each.site.id for each in chain]
    assert [rows["csma"], rows["keywork_week_2"], rows["keywork_week_3"]] == own
    with pytest.raises(Conflict, match="at another prison now"):
        fact_commands.record_release(at(chain, 0, 16), stay, on=date(2026, 12, 20))
    moves_on(chain, stay, 2, 0, 20)  # and back to the first

    view = chain[0].stay(stay, at=at(chain, 0, 21).at)
    assert [(each.from_prison, each.to_prison) for each in view.passed] == [
        (prison.site.name, "HMP Second"), ("HMP Second", "HMP Third"),
    ]  # fmt: skip
    assert [each.day for each in caseload(at(chain, 0, 21))] == [21]
    lines = queries.casework_file(at(chain, 0, 21, "keyworker"), stay).lines
    assert "Moved from HMP Second to HMP Third" in [each.what for each in lines]
    fact_commands.record_exit(at(chain, 0, 25), stay, at=chain[0].at, how="release")
    assert not caseload(at(chain, 0, 26))
    for saved in chain[0].timetables(stay):
        assert timetables.replay(at(chain, 0, 26), saved.id).same


@pytest.mark.proves("RC-12")
def test_who_comes_on_unannounced_or_back_from_a_prison_outside_goes_on_with_the_same_stay(
    chain, prison
):
    patient_id = prison.patient()
    stay = prison.receives(patient_id=patient_id)
    moves_on(chain, stay, 0, 1, 5)
    _, under_way = arrival(at(chain, 2, 8), patient_id)
    assert [(row.id, name) for row, name in under_way] == [(stay, "HMP Second")]
    commands.receive_transfer(at(chain, 2, 8), stay, arrived_at=chain[2].at)
    with pytest.raises(Conflict, match="Accept them here first"):
        fact_commands.record_transfer(
            at(chain, 2, 9), stay, on=date(2026, 11, 13), receiving_prison="HMP Far",
            nation="scotland",
        )  # fmt: skip
    keyworkers.name_keyworker(at(chain, 2, 9, "manager"), stay, chain[2].keyworker.id)
    casework.accept_transfer(at(chain, 2, 9), stay)
    fact_commands.record_transfer(
        at(chain, 2, 9), stay, on=at(chain, 2, 10).today, receiving_prison="HMP Far",
        nation="scotland",
    )  # fmt: skip
    fact_commands.record_exit(at(chain, 2, 10), stay, at=chain[2].at, how="transfer")
    _, under_way = arrival(at(chain, 2, 12), patient_id)
    assert [name for _, name in under_way] == ["HMP Far"]
    expected_commands.expect_arrival(
        at(chain, 2, 11), patient_id=patient_id, on=at(chain, 2, 12).today, told_by="A. Smith",
        came_from="HMP Far", came_from_nation="scotland",
    )  # fmt: skip

    commands.receive_transfer(at(chain, 2, 12), stay, arrived_at=chain[2].at)

    assert not expected(at(chain, 2, 12))

    (back,) = moves.arrivals(at(chain, 2, 12))
    assert (back.other_prison, back.day, back.day_moved, back.from_outside) == (
        "HMP Far", 12, 12, True,
    )  # fmt: skip
    assert item(chain, 2, 12, stay, "tell_receiving_team")["status"] == "done"
    assert item(chain, 2, 12, stay, "receiving_keyworker_named")["status"] == "done"  # as before
    assert item(chain, 2, 12, stay, "file_sent")["status"] == "due"
    came = arrived_here(at(chain, 2, 12), [patient_id], in_prison=True)
    assert came is not None
    assert came.at == chain[2].at  # what is asked on arrival is asked anew
    with pytest.raises(Conflict, match="not under way"):
        commands.receive_transfer(at(chain, 2, 12), stay, arrived_at=chain[2].at)


def test_who_comes_from_outside_to_another_prison_of_this_system_is_accepted_there(chain, prison):
    stay = prison.receives()
    fact_commands.record_transfer(
        at(chain, 0, 3), stay, on=at(chain, 0, 5).today, receiving_prison="HMP Far",
        nation="scotland",
    )  # fmt: skip
    fact_commands.record_exit(at(chain, 0, 5), stay, at=chain[0].at, how="transfer")

    commands.receive_transfer(at(chain, 1, 9), stay, arrived_at=chain[1].at)
    keyworkers.name_keyworker(at(chain, 1, 9, "manager"), stay, chain[1].keyworker.id)
    casework.accept_transfer(at(chain, 1, 9), stay)

    assert [each.day for each in caseload(at(chain, 1, 10))] == [10]
    rows = {each.item: each for each in chain[1].items(stay)}
    assert rows["harm_minimisation"].clock_elsewhere  # day 7, at the prison outside
    assert rows["csma"].site_id == prison.site.id
    assert RECEIVED.date().isoformat() == chain[1].stay(stay, at=chain[1].at).answer["day_1"]
