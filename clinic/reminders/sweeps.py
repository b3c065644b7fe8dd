"""Every few minutes: send the reminders that are due."""

from __future__ import annotations

from datetime import date

from clinic.act import Act
from clinic.reminders import commands
from clinic.reminders.ports import ports_of
from clinic.sweeps.schedule import sweep
from config.settings import from_environment


@sweep("reminders", "Remind people of their visits", at=(8, 0), look_back_days=0, every_minutes=5)
def send_reminders(act: Act, day: date) -> int:
    return commands.send_due(act, ports_of(from_environment()))
