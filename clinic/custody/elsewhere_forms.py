"""The forms about a prison outside this system: who came from there, since when, and what was done."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any

from wtforms import Field, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.custody import words
from clinic.custody.elsewhere import LONGEST_NAME, LONGEST_NOTE, REPORTABLE
from clinic.custody.models import DELIVERY_OUTCOMES, MODES, PARTIES, TOPIC_NAMES, WHO_SAID
from clinic.forms import DayField, Form, VersionField
from clinic.sites.models import NATIONS
from dosing.days import at_london, london_time
from scheduling.custody_rules import GROUP_SESSION

OUTSIDE = "outside"
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def _or_none(text: str) -> str | None:
    return text or None


class CameFields:
    """From which prison outside this system, and since when in custody."""

    came = RadioField(
        "Did they come from another prison?",
        [InputRequired()],
        choices=[
            ("no", "No: from court, the police or the community"),
            (OUTSIDE, "Yes: from a prison outside this system",
             {"hint": "Their days in custody are counted on from the day they were first received"}),
        ],
    )  # fmt: skip
    came_from = StringField("Which prison?", [Optional(), Length(max=LONGEST_NAME)])
    came_from_nation = SelectField(
        "Where is that prison?", choices=[("", "Choose"), *NATIONS.items()], coerce=_or_none,
        description="Its bank holidays count for the days before the move",
    )  # fmt: skip
    first_known = RadioField(
        "Is the day known on which they were first received into custody?",
        [Optional()],
        choices=[
            ("yes", "Yes"),
            ("no", "No",
             {"hint": "The count cannot be told: they stay on a list until somebody asks that prison"}),
        ],
        validate_choice=False,
    )  # fmt: skip
    first_received_on = DayField("First received into custody on (if known)", [Optional()])
    first_received_time = StringField(
        "At what time? (if known)", [Optional(), Length(max=5)],
        description="On the 24-hour clock, such as 09:05",
    )  # fmt: skip
    count_said_by = SelectField(
        "Who says so?", choices=[("", "Choose"), *WHO_SAID.items()], coerce=_or_none
    )
    keyworker_there = StringField(
        "Keyworker there (if known)", [Optional(), Length(max=LONGEST_NAME)]
    )

    @property
    def from_outside(self) -> bool:
        return bool(self.came.data == OUTSIDE)

    @staticmethod
    def came_as_typed(row: Any) -> dict[str, Any]:
        """What is known already (a reception's detail, an expected arrival), as this form shows it."""
        at, known = row.first_received_at, row.first_received_on is not None
        return {
            "came": OUTSIDE if row.came_from else "no",
            "came_from": row.came_from,
            "came_from_nation": row.came_from_nation or "",
            "first_known": None if row.came_from is None else "yes" if known else "no",
            "first_received_on": row.first_received_on,
            "first_received_time": f"{london_time(at):%H:%M}" if at else "",
            "count_said_by": row.count_said_by or "",
            "keyworker_there": row.keyworker_there,
        }

    def came_faults(self) -> bool:
        """Were the answers about where they came from at odds with each other? Said at the field."""
        dated: bool = any(self.first_received_on.boxes[box] for box in ("day", "month", "year"))
        before = len(self.error_list())  # type: ignore[attr-defined]
        if not self.from_outside:
            only = "Leave it empty, or say above that they came from another prison"
            if (self.came_from.data or "").strip():
                _wrong(self.came_from, only)
            elif dated:
                _wrong(self.first_received_on, only)
        else:
            if not (self.came_from.data or "").strip():
                _wrong(self.came_from, "Enter the name of the prison")
            if self.came_from_nation.data is None:
                _wrong(self.came_from_nation, "Choose where it is")
            if self.first_known.data not in ("yes", "no"):
                _wrong(self.first_known, "Choose an answer")
            elif self.first_known.data == "no" and dated:
                _wrong(self.first_received_on, "must be empty, or say above that the day is known")
            elif self.first_known.data == "yes":
                if not self.first_received_on.errors and self.first_received_on.data is None:
                    _wrong(self.first_received_on, "must include a day, a month and a year")
                if self.count_said_by.data is None:
                    _wrong(self.count_said_by, "Choose an answer")
            typed = (self.first_received_time.data or "").strip()
            if typed and _CLOCK.fullmatch(typed) is None:
                _wrong(self.first_received_time, "Enter a time from 00:00 to 23:59, such as 09:05")
        return len(self.error_list()) > before  # type: ignore[attr-defined]

    def came_values(self) -> dict[str, Any]:
        """What the commands take of it (`elsewhere.CAME`)."""
        if not self.from_outside:
            return dict.fromkeys(
                ("came_from", "came_from_nation", "told_on", "first_received_on",
                 "first_received_at", "count_said_by", "keyworker_there")
            )  # fmt: skip
        known = self.first_known.data == "yes"
        return {
            "came_from": self.came_from.data,
            "came_from_nation": self.came_from_nation.data,
            "first_received_on": self.first_received_on.data if known else None,
            "first_received_at": self._first_at() if known else None,
            "count_said_by": self.count_said_by.data if known else None,
            "keyworker_there": self.keyworker_there.data or None,
        }

    def _first_at(self) -> datetime | None:
        found = _CLOCK.fullmatch((self.first_received_time.data or "").strip())
        on = self.first_received_on.data
        if found is None or on is None:
            return None
        return at_london(on, time(int(found[1]), int(found[2])))


def _wrong(field: Field, says: str) -> None:
    label = str(field.label.text)
    if label.endswith("?"):
        says = f"{says[0].upper()}{says[1:]}"
    said = f"{label} {says}" if says[0].isupper() else f"{label}: {says}"
    field.errors = [*field.errors, said]


class CameFromForm(CameFields, Form):
    """Where they came from and since when, entered or put right."""

    reason = StringField(
        "Why is it changed?",
        [InputRequired(), Length(max=500)],
        description="Such as: the prison answered. The first wording is kept, with this reason",
    )
    version = VersionField()

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        return not self.came_faults() and sound


class ReportForm(Form):
    """Something done at the prison they came from."""

    item = SelectField(
        "What was done?", [InputRequired()],
        choices=[("", "Choose"), *((item, words.duty(item)) for item in REPORTABLE)],
    )  # fmt: skip
    on = DayField(
        "On which day? (if anybody says)", [Optional()],
        description="Without a day it is shown, and counts for nothing",
    )  # fmt: skip
    outcome = RadioField(
        "What happened?", [InputRequired()], choices=list(DELIVERY_OUTCOMES.items())
    )
    by = SelectMultipleField(
        "Who took part, or agreed? (as far as it is said)", [Optional()],
        choices=list(PARTIES.items()),
        description="A joint care plan counts as agreed when patient, CARAT team and healthcare are said "
        "to have agreed",
    )  # fmt: skip
    topic = SelectField(
        "Topic (of a group session)", choices=[("", "None"), *TOPIC_NAMES.items()],
        coerce=_or_none,
    )  # fmt: skip
    mode = SelectField(
        "How was it held? (of a group session)",
        choices=[("", "None"), *MODES.items()],
        coerce=_or_none,
    )
    said_by = RadioField("Who says so?", [InputRequired()], choices=list(WHO_SAID.items()))
    note = TextAreaField("Note (if needed)", [Optional(), Length(max=LONGEST_NOTE)])

    def validate(self, extra_validators: Any = None) -> bool:
        sound = super().validate(extra_validators)
        of_group = [self.topic, self.mode] if self.item.data == GROUP_SESSION else []
        missing = [each for each in of_group if each.data is None]
        for each in missing:
            _wrong(each, "choose an answer")
        return sound and not missing


class ReportCorrectionForm(ReportForm):
    """What was reported, put right."""

    reason = StringField(
        "Why is it changed?",
        [InputRequired(), Length(max=500)],
        description="The first wording is kept, with this reason",
    )
    version = VersionField()
