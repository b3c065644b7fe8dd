"""The rooms of the service, one per activity, in the order their addresses are registered."""

from __future__ import annotations

from clinic import checks, sweeps
from clinic.appointments import room as appointments
from clinic.sites import room as sites
from clinic.staff import room as staff

ALL: list[object] = [checks, staff, sites, appointments, sweeps]
