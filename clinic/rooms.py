"""The rooms of the service, one per activity, in the order their addresses are registered."""

from __future__ import annotations

from clinic import checks, sweeps
from clinic.appointments import room as appointments
from clinic.assessments import room as assessments
from clinic.careplans import room as careplans
from clinic.casework import room as casework
from clinic.consumption import room as consumption
from clinic.custody import room as custody
from clinic.feeds import room as feeds
from clinic.forecasts import room as forecasts
from clinic.groups import room as groups
from clinic.guidance import room as guidance
from clinic.handovers import room as handovers
from clinic.keyworkers import room as keyworkers
from clinic.measures import room as measures
from clinic.observations import room as observations
from clinic.patients import room as patients
from clinic.phases import room as phases
from clinic.prescriptions import room as prescriptions
from clinic.release import room as release
from clinic.reminders import room as reminders
from clinic.scripts import room as scripts
from clinic.sites import room as sites
from clinic.staff import room as staff
from clinic.titration import room as titration

ALL: list[object] = [
    checks, patients, staff, sites, appointments, reminders, assessments, prescriptions,
    scripts, titration, consumption, custody, keyworkers, observations, groups, careplans,
    phases, casework, release, handovers, guidance, feeds, forecasts, measures, sweeps,
]  # fmt: skip

_PLACES = {each.__name__.split(".")[1]: nth for nth, each in enumerate(ALL)}  # type: ignore[attr-defined]


def place_of(module: str) -> int:
    """Where what a module offers stands beside what others do, whichever was imported first."""
    return _PLACES.get(module.split(".")[1], len(_PLACES))
