"""The forms of groups, in the words of the people who run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import (
    BooleanField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from clinic.custody.models import TOPIC_NAMES
from clinic.forms import DayField, Form, MomentField, VersionField
from clinic.groups.commands import MOST_A_WEEK
from clinic.groups.models import (
    CANCELLED_BECAUSE,
    COMMITMENTS,
    ESTATE_NAMES,
    LEVELS,
    MISSED_BECAUSE,
    OUTCOMES,
    PARTS,
    RELEASED_BECAUSE,
    SAID_BY_THE_SERVICE,
)
from scheduling.groups import PLACES

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CONFIDENTIAL = {"yes": True, "no": False, "unknown": None}
LED_AS = {"carat": "CARAT facilitator", "clinical": "Clinical facilitator"}


def _choices(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(codes.items())


def _or_none(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("", "Choose"), *codes.items()]


def named(rows: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    """The choices of a select whose rows are the prison's own."""
    return [("", "Choose"), *((str(each), name) for each, name in rows)]


def _who(label: str) -> SelectField:
    return SelectField(label, [InputRequired()], coerce=lambda given: int(given) if given else None)


class MaterialForm(Form):
    """Validated material of a topic."""

    topic = SelectField("Topic", [InputRequired()], choices=_or_none(TOPIC_NAMES))
    title = StringField("Title", [InputRequired(), Length(max=200)])
    edition = StringField("Edition", [InputRequired(), Length(max=200)])
    validated_on = DayField("Validated under PSO 4350 on", [InputRequired()])
    validated_by = StringField("Validated by", [InputRequired(), Length(max=200)])
    valid_until = DayField("Valid until (if it ends)", [Optional()])


class HalfDayForm(Form):
    """The hours in which groups may be held."""

    weekday = SelectField(
        "Weekday", [InputRequired()], coerce=lambda given: int(given) if given else None,
        choices=named(enumerate(WEEKDAYS, start=1)),
    )  # fmt: skip
    part = RadioField("Half-day", [InputRequired()], choices=_choices(PARTS))
    starts = StringField(
        "Begins (24-hour)",
        [Length(max=5)],
        description="Such as 09:00. Leave both empty for no groups",
    )
    ends = StringField("Ends (24-hour)", [Length(max=5)])
    from_on = DayField("From which day on?", [InputRequired()])


class FacilitatorForm(Form):
    """Who leads which topics."""

    staff_id = _who("Who?")
    kind = RadioField("Leads as", [InputRequired()], choices=_choices(LED_AS))
    topics = SelectMultipleField("Topics they lead", choices=_choices(TOPIC_NAMES))
    a_week = IntegerField(
        "Sessions a week at most (if limited)", [Optional(), NumberRange(1, MOST_A_WEEK)]
    )


class ConfidentialForm(Form):
    """Is what is said in the room heard by nobody else?"""

    confidential = RadioField(
        "Is it confidential?",
        [InputRequired()],
        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "Not known: no group is held there")],
    )


class ReasonForm(Form):
    """Why it ends."""

    reason = StringField("Why?", [InputRequired(), Length(max=200)])


class _What(Form):
    topic = SelectField("Topic", [InputRequired()], choices=_or_none(TOPIC_NAMES))
    estate = SelectField("For which estate?", [InputRequired()], choices=_or_none(ESTATE_NAMES))
    starts_at = MomentField(
        "When does it begin?", [InputRequired()], description="It lasts 90 minutes, breaks included"
    )
    places = IntegerField("Places", [InputRequired(), NumberRange(1, PLACES)], default=PLACES)
    runs_on_bank_holiday = BooleanField(
        "It runs although the day is no working day, or outside the half-days"
    )


class _Arrangements(Form):
    room_id = _who("Room")
    carat_id = _who("CARAT facilitator")
    clinical_id = _who("Clinical facilitator")


class SessionForm(_What, _Arrangements):
    """A session of 90 minutes: what it is first, then where and by whom."""


class ArrangementsForm(_Arrangements):
    """Another room or facilitator."""

    version = VersionField()


class VersionOnlyForm(Form):
    """A step that asks for nothing but the version that was read."""

    version = VersionField()


class CancelForm(Form):
    """Why a session is not held."""

    reason = RadioField(
        "Why?",
        [InputRequired()],
        choices=[each for each in CANCELLED_BECAUSE.items() if each[0] not in SAID_BY_THE_SERVICE],
    )
    version = VersionField()


class SeatForm(Form):
    """Who sits in it?"""

    reception_id = _who("Who?")
    offered = BooleanField("Only offered: they have not said yes")


class ReleaseForm(Form):
    """Why a seat is released."""

    reason = RadioField(
        "Why?",
        [InputRequired()],
        choices=[each for each in RELEASED_BECAUSE.items() if each[0] not in SAID_BY_THE_SERVICE],
    )


class MoveForm(Form):
    """Where they sit instead."""

    session_id = _who("To which session?")


class AttendanceForm(Form):
    """What became of a seat."""

    outcome = RadioField("What became of it?", [InputRequired()], choices=_choices(OUTCOMES))
    missed_because = SelectField("If missed, why?", choices=_or_none(MISSED_BECAUSE))


class AttendanceCorrectionForm(AttendanceForm):
    """The same, put right."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=200)])


class EstateForm(Form):
    """Of which estate they are."""

    estate = RadioField("Estate", [InputRequired()], choices=_choices(ESTATE_NAMES))


class ApartForm(Form):
    """Two people kept apart."""

    other_reception_id = _who("Kept apart from")
    level = RadioField(
        "How far?", [InputRequired()], choices=_choices(LEVELS),
        description="Any of these keeps them out of one group",
    )  # fmt: skip
    reason = StringField("Who said so, and why?", [InputRequired(), Length(max=200)])


class CommitmentForm(Form):
    """An adjudication or a social visit."""

    kind = RadioField("What is it?", [InputRequired()], choices=_choices(COMMITMENTS))
    starts_at = MomentField("When does it begin?", [InputRequired()])
    ends_at = MomentField(
        "When does it end?", [InputRequired()], description="If it is not known, say at the latest"
    )


class CommitmentCorrectionForm(CommitmentForm):
    """The same, put right."""

    reason = StringField("What changed, or was wrong?", [InputRequired(), Length(max=200)])


class AskPlanForm(Form):
    """28 days of which part of the prison?"""

    first_on = DayField(
        "From which day?", [InputRequired()], description="28 days are planned, from tomorrow on"
    )
    wing_id = SelectField(
        "For whom?", coerce=lambda given: int(given) if given else None,
        description="Seats of people of other wings stay as they are",
    )  # fmt: skip


class PlannedSeatForm(Form):
    """In which session of a plan is this person kept?"""

    session_nth = RadioField(
        "Keep them in", [InputRequired()], coerce=lambda given: int(given) if given else None
    )


def weights_form(words: Mapping[str, str], default: Mapping[str, int]) -> type[Form]:
    """The form of what a plan weighs: a number for each weight, from when, and why."""
    asked: dict[str, Any] = {
        name: IntegerField(says, [InputRequired()], description=f"Default: {default[name]}")
        for name, says in words.items()
    }
    asked["from_on"] = DayField("From which day?", [InputRequired()])
    asked["reason"] = StringField("Why?", [InputRequired(), Length(max=500)])
    return type("WeightsForm", (Form,), asked)
