"""What does the database hold about these plans? Each table is read once for all of them.

Rows are read whatever their age; `stands` says which were known at a moment. A reading is made anew
for every scoring: it knows nothing of what is written after it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import and_, func, or_, select

from clinic.act import Act
from clinic.appointments.models import VisitEvent
from clinic.assessments.arrival import OF_ARRIVAL
from clinic.assessments.models import ClinicalEntry
from clinic.casework.models import Acceptance
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.custody.models import Reception, ReceptionDetail, Transfer
from clinic.custody.passed_models import PassedMove
from clinic.patients.models import Patient, PatientChange
from clinic.patients.queries import same_person
from clinic.release.care_models import LeaverTask, SharingConsent
from clinic.release.models import PlanMove, ReleaseAssessment, ReleaseFact, ReleaseFlag, ReleasePlan
from clinic.release.places import PlaceRows
from clinic.scripts.models import Script
from clinic.sites.models import Site


def stands(row: Any, at: datetime) -> bool:
    """Was the row written by then, and not struck out by then?"""
    return row.recorded_at <= at and (row.struck_at is None or row.struck_at > at)


def _by(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


class Reading:
    """The rows behind some plans."""

    def __init__(self, act: Act, plans: Sequence[ReleasePlan]) -> None:
        self._act, self.session = act, act.session
        self._patients = {plan.patient_id for plan in plans}
        self._plan_ids = [plan.id for plan in plans]
        self._of_stays: dict[Any, dict[int, list[Any]]] = {}
        self.places = PlaceRows(act.session)

    @cached_property
    def people(self) -> dict[int, list[int]]:
        """By a plan's patient: every record of that person. Few were ever joined with another."""
        joined = self.session.execute(
            select(Patient.id, Patient.merged_into_id).where(
                Patient.merged_into_id.is_not(None),
                or_(Patient.id.in_(self._patients), Patient.merged_into_id.in_(self._patients)),
            )
        ).all()
        touched = {each for row in joined for each in row}
        return {
            each: same_person(self._act, each) if each in touched else [each]
            for each in self._patients
        }

    @cached_property
    def _records(self) -> list[int]:
        return sorted({each for ids in self.people.values() for each in ids})

    @cached_property
    def facts(self) -> dict[int, list[ReleaseFact]]:
        """By plan, in the order of section and place; struck-out ones too."""
        return _by(
            self.session.scalars(
                select(ReleaseFact)
                .where(ReleaseFact.plan_id.in_(self._plan_ids))
                .order_by(ReleaseFact.section, ReleaseFact.place, ReleaseFact.id)
            ),
            "plan_id",
        )

    @cached_property
    def visits(self) -> dict[int, list[Any]]:
        """By visit an appointment is: its steps, the oldest first."""
        ids = {row.visit_id for rows in self.facts.values() for row in rows if row.visit_id}
        if not ids:
            return {}
        return _by(
            self.session.execute(
                select(VisitEvent.visit_id, VisitEvent.recorded_at, VisitEvent.state)
                .where(VisitEvent.visit_id.in_(ids))
                .order_by(VisitEvent.id)
            ),
            "visit_id",
        )

    @cached_property
    def stays(self) -> dict[int, list[Any]]:
        """By patient: receptions with each detail there was, the newest arrival first."""
        return _by(
            self.session.execute(
                select(
                    Reception.id, Reception.patient_id, Reception.undone_at,
                    ReceptionDetail.received_at, ReceptionDetail.recorded_at,
                    ReceptionDetail.struck_at,
                )
                .join(ReceptionDetail, ReceptionDetail.reception_id == Reception.id)
                .where(Reception.patient_id.in_(self._records))
                .order_by(ReceptionDetail.received_at.desc(), Reception.id.desc())
            ),
            "patient_id",
        )  # fmt: skip

    def of_stay(self, model: Any, reception_id: int) -> list[Any]:
        """The rows of a kind recorded about a stay, the oldest first; struck-out ones too."""
        if model not in self._of_stays:
            ids = [row.id for rows in self.stays.values() for row in rows]
            self._of_stays[model] = _by(
                self.session.scalars(
                    select(model).where(model.reception_id.in_(ids)).order_by(model.id)
                ),
                "reception_id",
            )
        return self._of_stays[model].get(reception_id, [])

    @cached_property
    def acceptances(self) -> dict[int, list[Any]]:
        """By patient: who of a prison of this system accepted somebody who moved, the oldest first.

        `stands`: neither it nor the move it is of was struck out.
        """
        if not any(self.of_stay(Transfer, row.id) for rows in self.stays.values() for row in rows):
            return {}
        stands = and_(
            Acceptance.struck_at.is_(None),
            or_(Transfer.known_until.is_(None), Transfer.id.in_(select(PassedMove.transfer_id))),
            Reception.undone_at.is_(None),
        )  # fmt: skip
        return _by(
            self.session.execute(
                select(
                    Acceptance.id, Acceptance.reception_id, Reception.patient_id,
                    Reception.site_id.label("sender_id"), Transfer.receiving_site_id,
                    stands.label("stands"),
                )
                .join(Transfer, Transfer.id == Acceptance.transfer_id)
                .join(Reception, Reception.id == Acceptance.reception_id)
                .where(Reception.patient_id.in_(self._records))
                .order_by(Acceptance.id)
            ),
            "patient_id",
        )  # fmt: skip

    @cached_property
    def moves(self) -> dict[int, list[PlanMove]]:
        """By plan: each time it went to another prison or came back, the oldest first."""
        return _by(
            self.session.scalars(
                select(PlanMove).where(PlanMove.plan_id.in_(self._plan_ids)).order_by(PlanMove.id)
            ),
            "plan_id",
        )

    @cached_property
    def doses(self) -> dict[int, list[Any]]:
        """By patient: what was swallowed, and at what kind of site; struck-out entries too."""
        return _by(
            self.session.execute(
                select(
                    DoseEvent.id, DoseEvent.patient_id, DoseEvent.consumed_at, DoseEvent.elsewhere,
                    DoseEvent.place, DoseEvent.recorded_at, DoseEvent.struck_at, Site.kind,
                )
                .join(Site, Site.id == DoseEvent.site_id)
                .where(
                    DoseEvent.patient_id.in_(self._records), DoseEvent.outcome.in_(SWALLOWED),
                    DoseEvent.consumed_at.is_not(None),
                )
            ),
            "patient_id",
        )  # fmt: skip

    @cached_property
    def arrivals(self) -> dict[int, list[ClinicalEntry]]:
        """By patient: what was asked, claimed and confirmed of an arrival; struck-out entries too."""
        return _by(
            self.session.scalars(
                select(ClinicalEntry).where(
                    ClinicalEntry.patient_id.in_(self._records), ClinicalEntry.kind.in_(OF_ARRIVAL)
                )
            ),
            "patient_id",
        )

    @cached_property
    def consents(self) -> dict[int, list[SharingConsent]]:
        """By patient: what was said about telling each recipient; struck-out rows too."""
        return _by(
            self.session.scalars(
                select(SharingConsent).where(SharingConsent.patient_id.in_(self._records))
            ),
            "patient_id",
        )

    @cached_property
    def deaths(self) -> dict[int, list[Any]]:
        """By patient: what was ever recorded of a death."""
        return _by(
            self.session.execute(
                select(
                    PatientChange.id, PatientChange.patient_id, PatientChange.became,
                    PatientChange.recorded_at,
                ).where(
                    PatientChange.patient_id.in_(self._records), PatientChange.field == "died_on"
                )
            ),
            "patient_id",
        )  # fmt: skip

    @cached_property
    def with_forms(self) -> set[int]:
        """The patients any prescription form was ever made out for."""
        return set(
            self.session.scalars(
                select(Script.patient_id).where(Script.patient_id.in_(self._records)).distinct()
            )
        )

    @cached_property
    def tasks(self) -> dict[int, list[LeaverTask]]:
        """By plan: what started by itself, open, done or struck out."""
        return _by(
            self.session.scalars(
                select(LeaverTask).where(
                    LeaverTask.plan_id.in_(self._plan_ids), LeaverTask.cause.is_not(None)
                )
            ),
            "plan_id",
        )

    @cached_property
    def flags(self) -> dict[int, list[ReleaseFlag]]:
        """By plan: the flags the last scoring left standing."""
        return _by(
            self.session.scalars(
                select(ReleaseFlag).where(
                    ReleaseFlag.plan_id.in_(self._plan_ids), ReleaseFlag.cleared_at.is_(None)
                )
            ),
            "plan_id",
        )

    @cached_property
    def answers(self) -> dict[int, dict[str, Any]]:
        """By plan: what the rules answered in the newest scoring."""
        newest = (
            select(func.max(ReleaseAssessment.id))
            .where(ReleaseAssessment.plan_id.in_(self._plan_ids))
            .group_by(ReleaseAssessment.plan_id)
        )
        rows = self.session.execute(
            select(ReleaseAssessment.plan_id, ReleaseAssessment.answer).where(
                ReleaseAssessment.id.in_(newest)
            )
        )
        return {row.plan_id: row.answer for row in rows}
