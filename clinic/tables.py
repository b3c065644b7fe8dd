"""Every table in one place, for migrations and for the test that compares them with the models."""

from __future__ import annotations

import clinic.appointments.chain_models
import clinic.appointments.missed_models
import clinic.appointments.models
import clinic.appointments.override_models
import clinic.appointments.waiting_models
import clinic.assessments.models
import clinic.audit
import clinic.careplans.models
import clinic.casework.models
import clinic.consumption.models
import clinic.consumption.supply_models
import clinic.custody.expected_models
import clinic.custody.models
import clinic.custody.passed_models
import clinic.feeds.models
import clinic.groups.models
import clinic.guidance.models
import clinic.handovers.models
import clinic.keyworkers.models
import clinic.measures.models
import clinic.observations.models
import clinic.patients.models
import clinic.phases.models
import clinic.prescriptions.models
import clinic.release.care_models
import clinic.reminders.models
import clinic.scripts.models
import clinic.sites.models
import clinic.staff.models
import clinic.sweeps.models
import clinic.titration.models
import clinic.turns  # noqa: F401 - imported so that their tables are known
from clinic.db import Base

metadata = Base.metadata
