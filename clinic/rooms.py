"""The rooms of the service, one per activity, in the order their addresses are registered."""

from __future__ import annotations

from clinic import checks, staff, sweeps

ALL: list[object] = [checks, staff, sweeps]
