"""People are reminded of their visits once, when they said yes, and of nothing that is no more."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments import commands as visits
from clinic.appointments.models import Visit
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Invalid, NotFound
from clinic.reminders import commands, queries
from clinic.reminders import sweeps as _its_sweep  # noqa: F401 - its sweep joins the schedule
from clinic.reminders.models import ContactChoice, Reminder
from clinic.reminders.ports import Message, NotSent, TextFolder, Unsure, ports_of
from clinic.sweeps import runner
from config.settings import Settings
from tests.factories import appointments as made
from tests.factories import base
from tests.factories.reminders import (
    ADDRESS,
    THE_DAY_BEFORE,
    THE_SAME_DAY,
    VISIT_AT,
    Postbag,
    a_mail_server,
    a_sweep,
    a_visit,
    wants,
)


@pytest.fixture
def clinic(database: Database) -> made.Clinic:
    return made.a_clinic(database)


@pytest.fixture
def bag() -> Postbag:
    return Postbag()


def swept(database: Database, bag: Postbag, at: datetime, channel: str = "email") -> int:
    act = a_sweep(database, at)
    try:
        return commands.send_due(act, {channel: bag})
    finally:
        act.session.close()


def stands(database: Database, at: datetime) -> list[str]:
    with database.reading() as session:
        return [row.stands(at) for row in session.scalars(select(Reminder).order_by(Reminder.id))]


def as_nurse(clinic: made.Clinic, at: datetime):
    act = clinic.at(at)
    return replace(act, rights=act.rights | {"patients.edit"})


def failing(error: BaseException):
    def fail() -> None:
        raise error

    return fail


# -- once, and of what stands


@pytest.mark.proves("XX-02")
def test_a_visit_is_reminded_of_once_in_each_window(database, clinic, bag):
    a_visit(clinic)

    first = [swept(database, bag, THE_DAY_BEFORE + timedelta(minutes=5 * n)) for n in range(3)]
    second = [swept(database, bag, THE_SAME_DAY + timedelta(minutes=5 * n)) for n in range(3)]

    assert (first, second) == ([1, 0, 0], [1, 0, 0])
    assert {each.to for each in bag.sent} == {ADDRESS}
    assert stands(database, THE_SAME_DAY) == ["sent", "sent"]


def test_a_reminder_says_neither_who_nor_where_nor_what_for(database, clinic, bag):
    a_visit(clinic)

    swept(database, bag, THE_DAY_BEFORE)

    [message] = bag.sent
    assert message.text == (
        "You have an appointment on Friday 6 November at 09:30."
        " If you cannot come then, please ring us."
    )
    for told in (clinic.site.name, clinic.doctor.name, clinic.worker.name, "Morgan", "Dewi"):
        assert told not in message.text + message.subject


def test_a_moved_visit_is_never_reminded_of_its_old_time_and_is_of_its_new_one(
    database, clinic, bag
):
    booked = a_visit(clinic)
    visits.move_visit(clinic.act, booked.id, version=1, **clinic.place(2))

    swept(database, bag, THE_DAY_BEFORE)
    visits.move_visit(clinic.act, booked.id, version=2, **clinic.place(6))
    swept(database, bag, THE_SAME_DAY)
    swept(database, bag, datetime(2026, 11, 10, 9, 30, tzinfo=UTC))

    told = [each.text for each in bag.sent]
    assert len(told) == 2
    assert "Friday 6 November at 11:00" in told[0]
    assert "Wednesday 11 November at 11:00" in told[1]


def test_a_cancelled_visit_is_not_reminded_of(database, clinic, bag):
    booked = a_visit(clinic)
    visits.cancel_visit(
        clinic.act, booked.id, version=1, reason="cannot_come", by_whom="patient"
    )  # fmt: skip

    assert swept(database, bag, THE_DAY_BEFORE) == 0


def test_nothing_is_sent_in_quiet_hours_by_london_time(database, clinic, bag):
    a_visit(clinic)

    late = datetime(2026, 11, 5, 20, 0, tzinfo=UTC)
    early = datetime(2026, 11, 6, 7, 59, tzinfo=UTC)

    assert [swept(database, bag, at) for at in (late, early)] == [0, 0]
    assert swept(database, bag, datetime(2026, 11, 6, 8, 0, tzinfo=UTC)) == 1


def test_two_sweeps_at_once_send_one(fresh_database):
    clinic = made.a_clinic(fresh_database)
    for nth in range(2, 6):
        wants(clinic, made.a_booking(clinic, **clinic.place(2)).patient_id, address=f"{nth}@a.org")
    bag = Postbag()
    together = threading.Barrier(6, timeout=20)
    faults: list[BaseException] = []

    def sweep() -> None:
        act = a_sweep(fresh_database, THE_DAY_BEFORE)
        together.wait()
        try:
            commands.send_due(act, {"email": bag})
        except BaseException as fault:
            faults.append(fault)
        finally:
            act.session.close()

    threads = [threading.Thread(target=sweep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    due = {each.to for each in bag.sent}
    assert len(bag.sent) == len(due) == 2  # two places are on the next day
    assert stands(fresh_database, THE_DAY_BEFORE) == ["sent", "sent"]


# -- when it goes wrong


@pytest.mark.proves("RM-03")
def test_a_death_between_sending_and_writing_sends_no_second_and_says_so(database, clinic, bag):
    a_visit(clinic)
    bag.after = failing(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        swept(database, bag, THE_DAY_BEFORE)
    bag.after = None
    later = THE_DAY_BEFORE + timedelta(minutes=11)

    assert swept(database, bag, later) == 0
    assert len(bag.sent) == 1
    assert stands(database, later) == ["unsure"]
    [line] = [
        each
        for each in queries.reminders_page(clinic.at(later), {"email"})
        if each.reminder is not None
    ]
    assert queries.WILL[line.stands] == "Broken off: may have been sent"


def test_one_that_may_have_gone_is_sent_again_only_by_somebody_who_is_sure(database, clinic, bag):
    a_visit(clinic)
    bag.after = failing(Unsure("SMTPServerDisconnected"))
    swept(database, bag, THE_DAY_BEFORE)
    bag.after = None
    nurse = as_nurse(clinic, THE_DAY_BEFORE + timedelta(minutes=30))
    with database.reading() as session:
        reminder = session.scalars(select(Reminder.id)).one()

    with pytest.raises(Invalid, match="twice"):
        commands.retry(nurse, reminder, {"email": bag})
    came = commands.retry(nurse, reminder, {"email": bag}, sure=True)

    assert (came, len(bag.sent)) == ("sent", 2)
    with database.reading() as session:
        tries = session.get_one(Reminder, reminder).tries
        assert [(each.number, each.by, each.outcome) for each in tries] == [
            (1, None, "unsure"),
            (2, clinic.nurse.id, "sent"),
        ]


@pytest.mark.proves("RM-02")
def test_one_that_certainly_failed_is_tried_three_times_and_then_by_hand(database, clinic, bag):
    a_visit(clinic)
    bag.before = failing(NotSent("SMTPRecipientsRefused 550"))

    for nth in range(5):
        swept(database, bag, THE_DAY_BEFORE + timedelta(minutes=5 * nth))
    with database.reading() as session:
        row = session.scalars(select(Reminder)).one()
        assert [each.says for each in row.tries] == ["SMTPRecipientsRefused 550"] * 3
    bag.before = None
    nurse = as_nurse(clinic, THE_DAY_BEFORE + timedelta(minutes=40))

    assert commands.retry(nurse, row.id, {"email": bag}) == "sent"
    with pytest.raises(Conflict, match="is sent"):
        commands.retry(nurse, row.id, {"email": bag})


def test_a_failed_one_is_not_sent_again_for_a_time_that_is_no_more(database, clinic, bag):
    booked = a_visit(clinic)
    bag.before = failing(NotSent("ConnectionRefusedError"))
    swept(database, bag, THE_DAY_BEFORE)
    visits.move_visit(clinic.act, booked.id, version=1, **clinic.place(4))
    with database.reading() as session:
        reminder = session.scalars(select(Reminder.id)).one()

    with pytest.raises(Conflict, match="old time"):
        commands.retry(as_nurse(clinic, THE_DAY_BEFORE), reminder, {"email": bag})


# -- asked first


def test_nobody_is_reminded_who_was_not_asked_or_said_no_or_withdrew(database, clinic, bag):
    not_asked = made.a_booking(clinic, **clinic.place(2))
    said_no = made.a_booking(clinic, **clinic.place(2))
    wants(clinic, said_no.patient_id, channel="none", address=None)

    assert swept(database, bag, THE_DAY_BEFORE) == 0
    wants(clinic, not_asked.patient_id)
    commands.withdraw_choice(as_nurse(clinic, THE_DAY_BEFORE), not_asked.patient_id)

    assert swept(database, bag, THE_DAY_BEFORE) == 0
    [*lines] = queries.reminders_page(clinic.at(THE_DAY_BEFORE), {"email"})
    assert {(each.visit_id, each.stands) for each in lines} == {
        (not_asked.id, "not_asked"),
        (said_no.id, "said_no"),
    }


def test_what_was_said_before_stays_with_who_and_when(database, clinic):
    patient = base.a_patient(clinic.act)
    wants(clinic, patient)
    wants(clinic, patient, channel="text", address="07700 900123")
    commands.withdraw_choice(as_nurse(clinic, clinic.act.at), patient)

    with database.reading() as session:
        rows = session.scalars(select(ContactChoice).order_by(ContactChoice.id)).all()
    assert [(each.address, each.ended_because, each.recorded_by) for each in rows] == [
        (ADDRESS, "asked anew", clinic.nurse.id),
        ("+447700900123", "withdrawn", clinic.nurse.id),
    ]
    with pytest.raises(NotFound):
        commands.withdraw_choice(as_nurse(clinic, clinic.act.at), patient)


@pytest.mark.parametrize(
    "choice",
    [
        {"channel": "pigeon"},
        {"channel": "email", "address": "not an address"},
        {"channel": "email", "address": "a@b.org\nBcc: c@d.org"},
        {"channel": "text", "address": "12345"},
        {"channel": "text", "address": None},
        {"language": "xx"},
    ],
)
def test_what_cannot_stand_is_refused_by_its_field(clinic, choice):
    patient = base.a_patient(clinic.act)

    with pytest.raises(Invalid) as refused:
        wants(clinic, patient, **choice)

    assert refused.value.faults[0][0] in choice


@pytest.mark.proves("XX-18")
def test_words_and_print_suit_whoever_reads_them(database, clinic, bag):
    a_visit(clinic, language="cy", large_print=True)

    swept(database, bag, THE_DAY_BEFORE)

    [message] = bag.sent
    assert message.text.startswith("Mae gennych apwyntiad ddydd Gwener 6 Tachwedd am 09:30")
    assert message.large_print


def test_the_audit_tells_what_was_sent_and_no_address(database, clinic, bag):
    a_visit(clinic)

    swept(database, bag, THE_DAY_BEFORE)

    with database.reading() as session:
        noted = session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("reminders."))
        ).all()
    assert [each.action for each in noted] == [
        "reminders.choosing", "reminders.choice_recorded", "reminders.intended", "reminders.sent",
    ]  # fmt: skip
    assert all(ADDRESS not in json.dumps(each.detail or {}) for each in noted)


# -- the ports


def test_a_mail_server_receives_a_plain_letter_and_a_large_one_beside_it():
    with a_mail_server() as inbox:
        inbox.as_port().send(Message("reminder-1-1", ADDRESS, "Your appointment", "On Friday."))
        inbox.as_port().send(Message("reminder-2-1", ADDRESS, "A", "Large & clear.", True))

    plain, large = inbox.letters
    assert plain.get_payload(decode=True).strip() == b"On Friday."
    assert plain["Message-ID"] == "<reminder-1-1@example.org>"
    assert plain["Date"].endswith("+0000")
    words, html = large.get_payload()
    assert words.get_content_type() == "text/plain"
    assert b"Large &amp; clear." in html.get_payload(decode=True)
    assert b"font-size:24px" in html.get_payload(decode=True)


def test_a_mail_server_that_refuses_or_is_not_there_certainly_did_not_send():
    with a_mail_server() as inbox:
        inbox.answer = "554 Not here"
        with pytest.raises(NotSent, match="SMTPDataError 554"):
            inbox.as_port().send(Message("k", ADDRESS, "s", "t"))
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        inbox.as_port().send(Message("k", ADDRESS, "s", "t"))


def test_a_mail_server_that_hangs_up_after_the_message_leaves_doubt():
    with a_mail_server() as inbox:
        real = inbox.handle_DATA

        async def hang_up(server, session, envelope):
            await real(server, session, envelope)
            server.transport.abort()
            return "250 OK"

        inbox.handle_DATA = hang_up
        with pytest.raises(Unsure, match="SMTPServerDisconnected"):
            inbox.as_port().send(Message("k", ADDRESS, "s", "t"))

    assert len(inbox.letters) == 1


def test_a_text_message_is_one_whole_file_and_never_two(tmp_path):
    port = TextFolder(tmp_path)
    message = Message("reminder-7-1", "+447700900123", "", "On Friday.")

    port.send(message)
    with pytest.raises(NotSent):
        port.send(message)

    [file] = tmp_path.iterdir()
    assert json.loads(file.read_text()) == {
        "key": "reminder-7-1", "to": "+447700900123", "text": "On Friday.",
    }  # fmt: skip


def test_only_what_is_set_up_can_send(tmp_path):
    assert ports_of(Settings(mode="test")) == {}
    both = ports_of(
        Settings(mode="test", smtp_host="localhost", mail_from="a@b.org", text_folder=str(tmp_path))
    )
    assert set(both) == {"email", "text"}


# -- the sweep


def test_the_sweep_reminds_through_the_mail_server_of_the_environment(
    database, clinic, clock, monkeypatch
):
    a_visit(clinic)
    with a_mail_server() as inbox:
        for key, value in {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(inbox.port), "SMTP_TLS": "none",
            "MAIL_FROM": "appointments@example.org",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"THROUGHCARE_{key}", value)
        clock.set(THE_DAY_BEFORE)
        each = runner.SWEEPS["reminders"]

        ran = [list(runner.due(database, each))]
        first = runner.run(database, "reminders", THE_DAY_BEFORE.date())
        ran.append(list(runner.due(database, each)))
        clock.forward(minutes=5)
        ran.append(list(runner.due(database, each)))
        second = runner.run(database, "reminders", THE_DAY_BEFORE.date())

    assert [len(days) for days in ran] == [1, 0, 1]
    assert (first.did, second.did) == (1, 0)
    assert [letter["To"] for letter in inbox.letters] == [ADDRESS]


# -- by page and over HTTP


def test_a_nurse_asks_sees_what_failed_and_sends_it_again(door, clinic, clock, database, bag):
    nurse = door.by_page("nurse", site=clinic.site)
    booked = made.a_booking(clinic, **clinic.place(2))
    url = f"/patients/{booked.patient_id}/reached"

    empty = nurse.post(url, data={"language": "en"})
    assert empty.status_code == 422 and "Choose an answer" in empty.text
    nurse.post(url, data={"channel": "email", "address": ADDRESS, "language": "cy"})
    assert ADDRESS in nurse.get(url).text
    bag.before = failing(NotSent("ConnectionRefusedError"))
    swept(database, bag, THE_DAY_BEFORE)
    clock.set(THE_DAY_BEFORE + timedelta(minutes=5))

    nurse = door.by_page("nurse", site=clinic.site)
    listed = nurse.get("/reminders").text
    assert "Failed: certainly not sent" in listed and "No mail server" not in listed
    with database.reading() as session:
        reminder = session.scalars(select(Reminder.id)).one()
    assert f"/reminders/{reminder}" in nurse.get("/").text
    refused = nurse.post(f"/reminders/{reminder}", data={})
    assert "Nothing is set up here to send it by" in refused.text
    withdrawn = nurse.post(f"{url}/withdraw", data={})
    assert "From now on nothing is sent" in nurse.get(withdrawn.location).text
    assert "does not want to be reminded" in nurse.post(f"/reminders/{reminder}", data={}).text


def test_reminders_and_choices_over_http(door, clinic, clock, database, bag):
    api = door.by_token("nurse", site=clinic.site)
    booked = made.a_booking(clinic, **clinic.place(2))
    url = f"/api/v1/patients/{booked.patient_id}/contact-choice"

    assert api.get(url).status_code == 404
    wrong = api.put(url, json={"channel": "email", "address": "nobody"})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "address")
    assert api.put(url, json={"channel": "email", "address": ADDRESS}).status_code == 200
    assert api.get(url).json["address"] == ADDRESS
    bag.before = failing(NotSent("ConnectionRefusedError"))
    swept(database, bag, THE_DAY_BEFORE)
    clock.set(THE_DAY_BEFORE + timedelta(minutes=5))
    api = door.by_token("nurse", site=clinic.site)
    listed = api.get("/api/v1/reminders").json
    assert [(each["window"], each["stands"]) for each in listed] == [
        ("day_before", "failed"),
        ("same_day", "no_port"),
    ]
    assert ADDRESS not in json.dumps(listed)
    assert api.post(f"/api/v1/reminders/{listed[0]['id']}/retry", json={}).status_code == 409
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_a_reminder_of_another_site_is_not_there(door, clinic, clock, database, bag):
    a_visit(clinic)
    swept(database, bag, THE_DAY_BEFORE)
    elsewhere = door.by_token("nurse", site=made.a_clinic(database).site)
    with database.reading() as session:
        reminder = session.scalars(select(Reminder.id)).one()
        assert session.scalars(select(Visit.starts_at)).one() == VISIT_AT

    assert elsewhere.post(f"/api/v1/reminders/{reminder}/retry", json={}).status_code == 404
    assert elsewhere.get("/api/v1/reminders").json == []
