"""What becomes of a record: registered, corrected, joined and separated, opened with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from clinic.act import Act
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, OutsideCaseload, Stale
from clinic.patients import access, commands, queries
from clinic.patients.models import Patient, PatientAlias, PatientChange, PatientIdentifier
from tests.factories.base import NOW, a_member_of_staff, a_patient, a_site, an_act

Work = Callable[..., Act]


@pytest.fixture
def work(database: Database) -> Work:
    """An act of somebody in this role, at one site unless another is given."""
    home = a_site(database)

    def make(role: str = "nurse", *, elsewhere: bool = False, **more: object) -> Act:
        site = a_site(database) if elsewhere else home
        return an_act(database, a_member_of_staff(database, site, role), site, **more)  # type: ignore[arg-type]

    return make


def _audit(act: Act) -> list[str]:
    actions = list(act.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    act.session.rollback()
    return actions


def test_a_registered_patient_is_on_the_caseload_with_their_number(work: Work) -> None:
    nurse = work()

    patient_id = a_patient(nurse, numbers={"nhs": "999 000 0018"})

    assert [each.id for each in queries.caseload(nurse)] == [patient_id]
    assert queries.number_of(nurse, [patient_id], "nhs") == "9990000018"


def test_a_record_names_what_was_not_asked_by_leaving_it_empty(work: Work) -> None:
    nurse = work()

    patient = nurse.session.get_one(Patient, a_patient(nurse))

    assert (patient.gender, patient.ethnicity, patient.ppo) == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"family_name": " "}, "family_name"),
        ({"given_name": "x" * 101}, "given_name"),
        ({"born_on": date(2026, 11, 5)}, "born_on"),
        ({"born_on": date(1900, 1, 1)}, "born_on"),
        ({"sex": "other"}, "sex"),
        ({"ethnicity": "martian"}, "ethnicity"),
        ({"numbers": {"nhs": "4857773456"}}, "nhs_number"),
    ],
)
def test_a_registration_that_cannot_stand_names_the_field_and_leaves_nothing(
    work: Work, wrong: dict[str, object], field: str
) -> None:
    nurse = work()

    with pytest.raises(Invalid) as refused:
        a_patient(nurse, **wrong)

    assert refused.value.faults[0][0] == field
    assert nurse.session.scalar(select(func.count(Patient.id))) == 0


def test_a_number_has_one_owner(work: Work) -> None:
    nurse = work()
    a_patient(nurse, numbers={"nhs": "9990000018"})

    with pytest.raises(Conflict, match="already belongs"):
        a_patient(nurse, family_name="Rees", numbers={"nhs": "9990000018"})


def test_somebody_alike_is_shown_before_a_new_record_is_made(work: Work) -> None:
    nurse = work()
    first = a_patient(nurse, family_name="Morgan", given_name="Dewi")

    with pytest.raises(commands.PossibleDuplicate) as refused:
        a_patient(nurse, family_name="MORGAN", given_name="David", sure=False)

    assert refused.value.patient_ids == [first]
    assert a_patient(nurse, family_name="Morgan", given_name="David", sure=True) != first


def test_another_birthday_or_another_name_is_not_alike(work: Work) -> None:
    nurse = work()
    a_patient(nurse)

    a_patient(nurse, born_on=date(1986, 3, 15), sure=False)
    a_patient(nurse, family_name="Rees", given_name="Ann", sure=False)

    assert len(queries.caseload(nurse)) == 3


def test_a_correction_keeps_what_was_and_the_old_name(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse, family_name="Morgan")

    version = commands.correct_patient(
        nurse, patient_id, version=1, reason="married", family_name="Rees", gender="woman"
    )

    assert version == 2
    changes = nurse.session.scalars(select(PatientChange).order_by(PatientChange.field)).all()
    assert [(row.field, row.was, row.became, row.reason) for row in changes] == [
        ("family_name", "Morgan", "Rees", "married"),
        ("gender", None, "woman", "married"),
    ]
    assert nurse.session.scalar(select(PatientAlias.family_name)) == "Morgan"


def test_a_correction_of_an_old_version_says_who_was_first(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse)
    commands.correct_patient(nurse, patient_id, version=1, given_name="David")

    with pytest.raises(Stale, match="Ann Probert changed this record") as refused:
        commands.correct_patient(nurse, patient_id, version=1, given_name="Dai")

    assert refused.value.more["version"] == 2
    assert refused.value.more["changed_at"] == NOW.isoformat()


def test_a_correction_that_changes_nothing_leaves_no_trace(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse, given_name="Dewi")

    assert commands.correct_patient(nurse, patient_id, version=1, given_name="Dewi") == 1
    assert nurse.session.scalar(select(func.count(PatientChange.id))) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"died_on": date(2026, 11, 5)}, {"sex": None}, {"family_name": ""}, {"version_": 1}],
)
def test_a_correction_that_cannot_stand_is_refused(work: Work, wrong: dict[str, object]) -> None:
    nurse = work()
    patient_id = a_patient(nurse)

    with pytest.raises(Invalid):
        commands.correct_patient(nurse, patient_id, version=1, **wrong)


def test_a_new_number_ends_the_earlier_one_and_keeps_it(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse, numbers={"prison": "A1234BC"})

    commands.add_number(nurse, patient_id, "prison", "z0001zz", demo=True)

    rows = nurse.session.scalars(select(PatientIdentifier).order_by(PatientIdentifier.id)).all()
    assert [(row.value, row.ended_reason) for row in rows] == [
        ("A1234BC", "replaced"),
        ("Z0001ZZ", None),
    ]


def test_a_number_that_is_not_theirs_is_ended_and_free_for_its_owner(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse, numbers={"nhs": "9990000018"})
    number_id = nurse.session.scalar(select(PatientIdentifier.id))
    assert number_id is not None
    nurse.session.rollback()

    commands.end_number(nurse, patient_id, number_id, "typed for the wrong person")

    a_patient(nurse, family_name="Rees", numbers={"nhs": "9990000018"})
    with pytest.raises(NotFound):
        commands.end_number(nurse, patient_id, number_id, "again")


def test_allergies_are_not_known_until_somebody_asked(work: Work) -> None:
    nurse = work()
    patient = nurse.session.get_one(Patient, a_patient(nurse))

    assert queries.banner(nurse, patient).allergies is None
    commands.add_alert(nurse, patient.id, "no_known_allergies", "")
    assert queries.banner(nurse, patient).allergies == ()
    allergy = commands.add_alert(nurse, patient.id, "allergy", "Penicillin")
    assert queries.banner(nurse, patient).allergies == ("Penicillin",)
    with pytest.raises(Invalid, match="allergy is recorded"):
        commands.add_alert(nurse, patient.id, "no_known_allergies", "")
    commands.end_alert(nurse, patient.id, allergy)
    assert queries.banner(nurse, patient).allergies is None


def test_joined_records_are_one_person_everywhere_and_two_again_when_undone(work: Work) -> None:
    manager, there = work("manager"), work("nurse", elsewhere=True)
    kept = a_patient(manager, numbers={"nhs": "9990000018"})
    other = a_patient(manager, family_name="Morgans", numbers={"prison": "A1234BC"})
    commands.add_alert(manager, other, "allergy", "Penicillin")
    commands.take_onto_caseload(there, other)

    merge = commands.merge_patients(manager, kept, other, "same fingerprints")

    assert (
        queries.same_person(manager, other) == queries.same_person(manager, kept) == [kept, other]
    )
    assert [each.id for each in queries.caseload(manager)] == [kept]
    assert [each.id for each in queries.caseload(there)] == [kept]
    assert [each.id for each, _ in queries.search(manager, "A1234BC")] == [kept]
    opened = access.open_record(there, other, "patients.read")
    shown = queries.banner(there, opened)
    assert (shown.patient_id, shown.prison_number, shown.allergies) == (
        kept, "A1234BC", ("Penicillin",),
    )  # fmt: skip
    there.session.rollback()
    manager.session.rollback()

    commands.undo_merge(manager, merge, "twins")

    assert queries.same_person(manager, kept) == [kept]
    assert len(queries.caseload(manager)) == 2


def test_records_are_joined_once_and_by_a_manager(work: Work) -> None:
    manager, nurse = work("manager"), work()
    kept, other, third = (a_patient(manager, family_name=name) for name in ("Aa", "Bb", "Cc"))
    commands.merge_patients(manager, kept, other, "same")

    with pytest.raises(Forbidden):
        commands.merge_patients(nurse, kept, third, "same")
    with pytest.raises(Invalid):
        commands.merge_patients(manager, kept, kept, "same")
    with pytest.raises(Conflict):
        commands.merge_patients(manager, third, other, "same")
    with pytest.raises(Invalid, match="reason"):
        commands.merge_patients(manager, kept, third, " ")


@pytest.mark.parametrize(
    "words", ["morg", "Morgan, Dewi", "dewi morgan", "999 000 0018", "9990000018"]
)
def test_a_patient_is_found_by_name_or_number(work: Work, words: str) -> None:
    nurse = work()
    patient_id = a_patient(nurse, numbers={"nhs": "9990000018"})
    a_patient(nurse, family_name="Rees", given_name="Ann")

    assert [(each.id, here) for each, here in queries.search(nurse, words)] == [(patient_id, True)]


@pytest.mark.parametrize("words", ["%", "_", "%%", "__", "x"])
def test_a_search_takes_no_wildcards_and_two_letters_at_least(work: Work, words: str) -> None:
    nurse = work()
    a_patient(nurse)

    if len(words) < 2:
        with pytest.raises(Invalid):
            queries.search(nurse, words)
    else:
        assert queries.search(nurse, words) == []


def test_a_list_is_one_audit_entry_naming_the_ids_it_showed(work: Work) -> None:
    nurse = work()
    ids = [a_patient(nurse, family_name=name) for name in ("Aa", "Bb")]

    queries.caseload(nurse)

    (note,) = nurse.session.info["audit_notes"]
    assert (note.action, note.patient_id, note.detail) == (
        "patients.listed", None, {"patients": ids},
    )  # fmt: skip


def test_a_record_elsewhere_opens_for_an_hour_with_a_reason_a_manager_sees(
    work: Work, database: Database
) -> None:
    nurse, manager = work(), work("manager")
    patient_id = a_patient(work(elsewhere=True))
    with pytest.raises(OutsideCaseload):
        access.open_record(nurse, patient_id, "patients.read")
    nurse.session.rollback()

    entry = access.break_glass(nurse, patient_id, "cover", "helping the other team")

    assert access.open_record(nurse, patient_id, "patients.read").id == patient_id
    nurse.session.rollback()
    nurse.at = NOW + access.OPEN_FOR - timedelta(seconds=1)
    assert access.open_record(nurse, patient_id, "patients.read").id == patient_id
    nurse.session.rollback()
    nurse.at = NOW + access.OPEN_FOR
    with pytest.raises(OutsideCaseload):
        access.open_record(nurse, patient_id, "patients.read")
    nurse.session.rollback()

    assert [row.id for row, _, _ in queries.glass_to_review(manager)] == [entry]
    access.review_break_glass(manager, entry)
    assert queries.glass_to_review(manager) == []


@pytest.mark.parametrize(
    ("code", "reason"), [("curious", "long enough a reason"), ("cover", "short")]
)
def test_a_record_opens_for_no_lesser_reason(work: Work, code: str, reason: str) -> None:
    patient_id = a_patient(work(elsewhere=True))

    with pytest.raises(Invalid):
        access.break_glass(work(), patient_id, code, reason)


def test_nobody_signs_off_their_own_opening(work: Work) -> None:
    manager = work("manager")
    entry = access.break_glass(
        manager, a_patient(work(elsewhere=True)), "complaint", "looking into it"
    )

    with pytest.raises(Invalid, match="another manager"):
        access.review_break_glass(manager, entry)


def test_a_pharmacist_cannot_break_the_glass(work: Work) -> None:
    with pytest.raises(Forbidden):
        access.break_glass(
            work("pharmacist"), a_patient(work(elsewhere=True)), "cover", "no such right"
        )


def test_leaving_the_caseload_is_kept_and_closes_the_record(work: Work) -> None:
    nurse = work()
    patient_id = a_patient(nurse)

    commands.leave_caseload(nurse, patient_id, "moved to Cardiff")

    with pytest.raises(OutsideCaseload):
        access.open_record(nurse, patient_id, "patients.read")
    nurse.session.rollback()
    commands.take_onto_caseload(nurse, patient_id)
    assert access.open_record(nurse, patient_id, "patients.read").id == patient_id


def test_every_command_writes_its_audit_entry(work: Work) -> None:
    manager = work("manager")
    patient_id = a_patient(manager)
    commands.add_alias(manager, patient_id, "Smith", "")
    commands.add_number(manager, patient_id, "crn", "X000001", demo=True)
    commands.leave_caseload(manager, patient_id, "moved")

    written = _audit(manager)

    for action in (
        "patients.registered", "patients.alias_added", "patients.number_added",
        "patients.caseload_left",
    ):  # fmt: skip
        assert written.count(action) == 1


@pytest.mark.parametrize("role", ["auditor", "administrator", "pharmacist"])
def test_a_role_without_the_right_changes_nothing(work: Work, role: str) -> None:
    patient_id = a_patient(work())

    for attempt in (
        lambda act: commands.correct_patient(act, patient_id, version=1, given_name="X"),
        lambda act: commands.add_alert(act, patient_id, "alert", "x"),
        lambda act: commands.leave_caseload(act, patient_id, "x"),
        lambda act: commands.add_alias(act, patient_id, "x", ""),
    ):
        with pytest.raises(Forbidden):
            attempt(work(role))
