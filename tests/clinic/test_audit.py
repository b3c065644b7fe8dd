"""The record of who saw or changed what: written with the change, and any touch of it is found."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from clinic import audit
from clinic.act import Act, command
from clinic.audit import AuditEntry, AuditHead
from clinic.db import Database
from clinic.errors import Invalid
from tests.factories.base import a_member_of_staff, a_patient, a_site, an_act
from tests.support.people import Door

AWKWARD = 'Ŵyn £ \\ ","prev_hash":"' + chr(0x1F642)


@command
def _noted(act: Act, times: int = 1) -> None:
    for number in range(times):
        act.note("test.noted", number=number, about=AWKWARD, seq=7, prev_hash="0")


@command
def _noted_then_refused(act: Act) -> None:
    act.note("test.refused")
    raise Invalid("no")


@pytest.fixture
def act(database: Database) -> Act:
    site = a_site(database)
    return an_act(database, a_member_of_staff(database, site, "nurse"), site)


@pytest.fixture
def strand(act: Act) -> int:
    """A strand with five entries and no patient."""
    _noted(act, 5)
    return (act.staff_id or 0) % audit.STRANDS


def _without_guard(session: Session) -> None:
    """What somebody with the database's own password could do."""
    if session.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER audit_entry_no_{verb}"))
    else:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))


def _tampered(database: Database, *statements: str, **values: object) -> audit.Verdict:
    with database.transaction() as session:
        _without_guard(session)
        for statement in statements:
            session.execute(text(statement), values)
    with database.reading() as session:
        return audit.verify(session)


def test_an_untouched_audit_holds(act: Act, strand: int, database: Database) -> None:
    _noted(act)  # alone: PostgreSQL works the hash of such a one out itself

    with database.reading() as session:
        verdict = audit.verify(session)

    assert (verdict.breaks, verdict.entries) == ((), 6)
    assert len(verdict.heads) == audit.STRANDS
    assert [seq for number, seq, _ in verdict.heads if number == strand] == [6]


@pytest.mark.parametrize(
    "change",
    [
        "action = 'something.else'",
        "outcome = 'refused'",
        "role = 'manager'",
        "staff_id = NULL",
        "purpose = 'because'",
        "request_id = 'another'",
        "detail = '{}'",
        "at = '2026-11-05 09:00:00'",
    ],
)
def test_an_edited_entry_is_found(database: Database, strand: int, change: str) -> None:
    verdict = _tampered(
        database, f"UPDATE audit_entry SET {change} WHERE strand = :s AND seq = 3", s=strand
    )

    assert [(each.strand, each.seq) for each in verdict.breaks] == [(strand, 3)]
    assert "changed" in verdict.breaks[0].says


def test_a_removed_entry_is_found(database: Database, strand: int) -> None:
    verdict = _tampered(database, "DELETE FROM audit_entry WHERE strand = :s AND seq = 3", s=strand)

    assert verdict.breaks[0].seq == 3
    assert "gone" in verdict.breaks[0].says


def test_entries_that_changed_places_are_found(database: Database, strand: int) -> None:
    verdict = _tampered(
        database,
        "UPDATE audit_entry SET seq = 99 WHERE strand = :s AND seq = 2",
        "UPDATE audit_entry SET seq = 2 WHERE strand = :s AND seq = 3",
        "UPDATE audit_entry SET seq = 3 WHERE strand = :s AND seq = 99",
        s=strand,
    )

    assert {each.seq for each in verdict.breaks} >= {2, 3}


def test_a_lost_tail_is_found(database: Database, strand: int) -> None:
    verdict = _tampered(
        database, "DELETE FROM audit_entry WHERE strand = :s AND seq >= 4", s=strand
    )

    assert [(each.seq, each.says) for each in verdict.breaks] == [
        (4, "the newest entries, up to 5, are gone")
    ]


def test_a_lost_head_is_found(database: Database, strand: int) -> None:
    verdict = _tampered(database, "DELETE FROM audit_head WHERE strand = :s", s=strand)

    assert [each.says for each in verdict.breaks] == ["the head of this strand is gone"]


def test_a_tail_cut_with_its_head_shows_only_against_a_kept_copy_of_the_heads(
    database: Database, strand: int
) -> None:
    with database.reading() as session:
        kept = {number: seq for number, seq, _ in audit.verify(session).heads}
        earlier = session.scalar(
            select(AuditEntry.hash).where(AuditEntry.strand == strand, AuditEntry.seq == 3)
        )

    verdict = _tampered(
        database,
        "DELETE FROM audit_entry WHERE strand = :s AND seq >= 4",
        "UPDATE audit_head SET seq = 3, hash = :h WHERE strand = :s",
        s=strand,
        h=earlier,
    )

    assert verdict.breaks == ()
    assert {number: seq for number, seq, _ in verdict.heads}[strand] == 3 < kept[strand]


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"]
)
def test_the_database_refuses_to_change_an_entry(
    database: Database, strand: int, statement: str
) -> None:
    with (
        pytest.raises(DBAPIError, match="audit entries are never changed"),
        database.transaction() as session,
    ):
        session.execute(text(statement))


@pytest.mark.parametrize("column", ["seq", "prev_hash"])
def test_the_database_refuses_an_entry_that_does_not_follow_the_newest(
    database: Database, strand: int, column: str
) -> None:
    with database.reading() as session:
        newest = session.execute(
            select(AuditEntry.__table__)
            .where(AuditEntry.strand == strand)
            .order_by(AuditEntry.seq.desc())
        ).first()
    assert newest is not None
    forged = {**newest._asdict(), "seq": 6, "prev_hash": newest.hash}
    del forged["id"]
    forged[column] = {"seq": 7, "prev_hash": newest.prev_hash}[column]

    with (
        pytest.raises(DBAPIError, match="an audit entry follows the newest of its strand"),
        database.transaction() as session,
    ):
        session.execute(insert(AuditEntry.__table__), forged)


def test_an_entry_stands_or_falls_with_its_change(act: Act) -> None:
    with pytest.raises(Invalid):
        _noted_then_refused(act)

    assert act.session.scalar(select(func.count(AuditEntry.id))) == 0
    assert act.session.scalar(select(func.max(AuditHead.seq))) == 0


def test_an_entry_says_who_where_when_and_about_whom(database: Database, act: Act) -> None:
    patient_id = a_patient(act)

    row = act.session.scalars(select(AuditEntry)).one()

    assert (row.action, row.outcome, row.role) == ("patients.registered", "done", "nurse")
    assert (row.staff_id, row.site_id, row.patient_id) == (act.staff_id, act.site_id, patient_id)
    assert row.at == act.at


def test_opening_a_record_by_page_is_on_the_audit(door: Door, database: Database) -> None:
    nurse = door.by_page("nurse")
    patient_id = _patient_of(database, nurse)

    nurse.get(f"/patients/{patient_id}")
    nurse.get("/patients")

    with database.reading() as session:
        rows = session.execute(
            select(AuditEntry.action, AuditEntry.patient_id, AuditEntry.detail)
            .where(AuditEntry.staff_id == nurse.staff_id)
            .order_by(AuditEntry.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("patients.read", patient_id, None),
        ("custody.stays_looked_up", patient_id, None),
        ("careplans.looked_up", patient_id, None),
        ("patients.listed", None, {"patients": [patient_id]}),
    ]


def test_a_refused_page_is_on_the_audit(door: Door, database: Database) -> None:
    auditor = door.by_page("auditor")

    assert auditor.get("/patients").status_code == 403

    with database.reading() as session:
        row = session.scalars(select(AuditEntry)).one()
    assert (row.action, row.outcome) == ("access.refused", "refused")
    assert row.detail == {"right": "patients.read", "endpoint": "patients_pages.caseload"}


def test_no_entry_holds_a_name_or_a_number(database: Database, act: Act) -> None:
    a_patient(act, family_name="Xylophone", numbers={"nhs": "9990000018"})

    written = [str(tuple(row)) for row in act.session.execute(select(AuditEntry.__table__.c))]

    assert written
    assert not [row for row in written if "Xylophone" in row or "9990000018" in row]


def test_the_auditor_asks_by_patient_staff_action_and_day(door: Door, database: Database) -> None:
    nurse = door.by_page("nurse", name="Una Nurse")
    patient_id = _patient_of(database, nurse)
    nurse.get(f"/patients/{patient_id}")
    nurse.get("/patients")
    auditor = door.by_page("auditor", name="Idris Auditor")

    by_patient = auditor.post("/audit", data={"patient_id": str(patient_id)}).text
    by_staff = auditor.post("/audit", data={"who": "una"}).text
    by_action = auditor.post("/audit", data={"action": "patients.listed"}).text
    long_ago = auditor.post(
        "/audit", data={"last-day": "1", "last-month": "1", "last-year": "2001"}
    ).text

    assert "patients.read" in by_patient
    assert "patients.listed" in by_patient  # a list that showed the patient counts
    assert "Una Nurse" in by_staff
    assert "patients.read" not in by_action.split("<table")[1]
    assert "No entry fits" in long_ago
    assert "audit.read" in auditor.post("/audit", data={"who": "idris"}).text


def test_the_auditor_sees_whether_the_audit_holds(
    door: Door, database: Database, strand: int
) -> None:
    auditor = door.by_page("auditor")
    assert "The audit holds" in auditor.post("/audit/verify").text

    _tampered(database, "UPDATE audit_entry SET action = 'x' WHERE strand = :s AND seq = 2",
              s=strand)  # fmt: skip

    shown = auditor.post("/audit/verify").text
    assert "does not hold" in shown
    assert f"Strand {strand}, entry 2" in shown


def _patient_of(database: Database, client: object) -> int:
    """A patient at the client's site, registered by somebody else there."""
    from clinic.sites.models import Site

    with database.reading() as session:
        site = session.get_one(Site, client.site_id)  # type: ignore[attr-defined]
    return a_patient(an_act(database, a_member_of_staff(database, site, "nurse"), site))
