"""The rooms of the service, one per activity, in the order their addresses are registered."""

from __future__ import annotations

from clinic import checks

ALL: list[object] = [checks]
