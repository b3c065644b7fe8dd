"""What staff type to plan a release. A section's form is made from its questions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from wtforms import Field, FieldList, FormField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.appointments.forms import ArrangeFields
from clinic.forms import DayField, Form, MomentField, VersionField
from clinic.release.facts import Json
from clinic.release.models import ReleaseFact
from clinic.release.sections import ENDINGS, PREMISES, Ask, Section
from clinic.sites.models import NATIONS
from dosing.days import ONE_DAY, days_between
from scheduling.release_request import WEEKDAYS

NOT_KNOWN = "not_known"
YES_NO = {"yes": "Yes", "no": "No", NOT_KNOWN: "Not known"}
WEEKDAY_NAMES = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
assert tuple(WEEKDAY_NAMES) == WEEKDAYS, "every weekday of the contract has its name"
MOST_COVERED = timedelta(days=60)
"""A slip of the year must not become a hundred years of cover."""
ROWS = 3
"""Collections a new supply is drawn with; more are added one by one."""


class VersionedForm(Form):
    version = VersionField()


class ReasonForm(VersionedForm):
    reason = StringField("Why", [InputRequired(), Length(max=200)])


class SureForm(VersionedForm):
    """Nothing to fill in but the yes."""


class BookForm(ArrangeFields, VersionedForm):
    place = RadioField("Which place?", [InputRequired()], validate_choice=False)


class StartForm(Form):
    site_id = SelectField("Which prison are they leaving?", [InputRequired()], coerce=int)


class CloseForm(ReasonForm):
    closed_as = RadioField(
        "Why is the plan closed?", [InputRequired()], choices=list(ENDINGS.items())
    )


class InstalmentForm(Form):
    class Meta(Form.Meta):
        csrf = False

    collect_on = DayField("Collected on", [Optional()])
    first_on = DayField("First day it covers", [Optional()])
    last_on = DayField("Last day it covers", [Optional()])
    collected = RadioField(
        "Was it collected?", [Optional()], choices=list(YES_NO.items()), validate_choice=False
    )

    @property
    def touched(self) -> bool:
        """Is anything filled in? A row nobody touched is no collection."""
        return any(
            (self.collect_on.data, self.first_on.data, self.last_on.data, self.collected.data)
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """A collection is of a day and covers days: without them it would count for nothing."""
        sound = super().validate(extra_validators)
        if not sound or not self.touched:
            return sound
        for field in (self.collect_on, self.first_on):
            if not field.data:
                field.errors = [*field.errors, f"{field.label.text}: enter an answer"]
                sound = False
        first, last = self.first_on.data, self.last_on.data
        if first and last and not first <= last < first + MOST_COVERED:
            says = f"must be within {MOST_COVERED.days} days from the first day it covers"
            self.last_on.errors = [*self.last_on.errors, f"{self.last_on.label.text} {says}"]
            sound = False
        return sound


class FactForm(VersionedForm):
    """The form of one section; `section_form` adds its questions."""

    section: Section

    def says(self) -> Json:
        """What was answered, as the contract writes it; what was left open is left out."""
        given = {}
        for ask in self.section.asks:
            value = _written(ask, self[ask.name])
            if value is not None:
                given[ask.name] = value
        return given

    def fill(self, row: ReleaseFact) -> None:
        """Start from what stands."""
        for ask in self.section.asks:
            if ask.name in row.says:
                _show(ask, self[ask.name], row.says[ask.name])
        if self.section.premises:
            self["premises_id"].data = row.premises_id
        if self.section.service:
            self["site_id"].data = row.site_id or 0

    def named(self) -> dict[str, int]:
        """The pharmacy, clinic or service chosen."""
        named = {}
        for name in ("premises_id", "site_id"):
            if name in self and self[name].data:
                named[name] = self[name].data
        return named

    def refuse(self, detail: str, faults: Sequence[tuple[str, str]] = ()) -> None:
        """As for any form; what is wrong with the collections is said at the first of them."""
        others = []
        for name, says in faults:
            if name == "instalments" and len(self["instalments"]):
                first = self["instalments"][0].form.collect_on
                first.errors = [*first.errors, f"Collections: this {says}"]
            else:
                others.append((name, says))
        if others or not faults:
            super().refuse(detail, others)

    def add_row(self) -> None:
        """One more collection to fill in."""
        self["instalments"].append_entry()


def section_form(section: Section, *, correcting: bool) -> type[FactForm]:
    """The form class of a section. Nothing is preset; a correction asks why."""
    fields: dict[str, Any] = {"section": section}
    if section.premises:
        fields["premises_id"] = SelectField(
            f"Which {section.premises}?", [InputRequired()], coerce=_id, validate_choice=False
        )
    if section.service:
        fields["site_id"] = SelectField(
            "Service they go to", coerce=_id, validate_choice=False,
            description="Choose it if it uses this system: its own days off then count",
        )  # fmt: skip
    for ask in section.asks:
        fields[ask.name] = _field(ask)
    if correcting:
        fields["reason"] = StringField("Why does this change?", [InputRequired(), Length(max=200)])
    return type("SectionForm", (FactForm,), fields)


def _id(value: Any) -> int:
    return int(value or 0)


def _field(ask: Ask) -> Any:
    needed = [InputRequired()] if ask.must else [Optional()]
    if ask.kind == "instant":
        return MomentField(ask.label, needed, description=ask.hint)
    if ask.kind == "day":
        return DayField(ask.label, needed, description=ask.hint)
    if ask.kind == "text":
        return StringField(ask.label, [*needed, Length(max=200)], description=ask.hint)
    if ask.kind == "instalments":
        return FieldList(FormField(InstalmentForm), label=ask.label, min_entries=0)
    choices = dict(YES_NO) if ask.kind == "yes_no" else dict(ask.choices)
    if ask.kind == "choice" and not ask.must:
        choices[NOT_KNOWN] = "Not known"
    return RadioField(
        ask.label, needed, choices=list(choices.items()), validate_choice=ask.must,
        description=ask.hint,
    )  # fmt: skip


def _written(ask: Ask, field: Field) -> Any:
    if ask.kind == "instalments":
        return [_instalment(row.form) for row in field if row.form.touched]
    value = field.data
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value in (None, "", NOT_KNOWN):
        return None
    if ask.kind == "yes_no":
        return {"yes": True, "no": False}.get(value, value)
    return value.strip()


def _instalment(form: InstalmentForm) -> Json:
    first, last = form.first_on.data, form.last_on.data or form.first_on.data
    given: Json = {
        "collect_on": form.collect_on.data and form.collect_on.data.isoformat(),
        "covers": [on.isoformat() for on in days_between(first, last)] if first and last else [],
    }
    collected = {"yes": True, "no": False}.get(form.collected.data or "")
    return given if collected is None else {**given, "collected": collected}


def _show(ask: Ask, field: Field, value: Any) -> None:
    if ask.kind == "instalments":
        for each in value:
            for first_on, last_on in _spans(each["covers"]):
                field.append_entry(
                    {
                        "collect_on": date.fromisoformat(each["collect_on"]),
                        "first_on": first_on,
                        "last_on": last_on,
                        "collected": _said_yes_no(each.get("collected")),
                    }
                )
    elif ask.kind == "instant":
        field.process_data(datetime.fromisoformat(value))
    elif ask.kind == "day":
        field.process_data(date.fromisoformat(value))
    elif ask.kind == "yes_no":
        field.data = _said_yes_no(value)
    else:
        field.data = value


def _said_yes_no(value: bool | None) -> str | None:
    return None if value is None else ("yes" if value else "no")


def _spans(covers: list[str]) -> list[tuple[date | None, date | None]]:
    """The unbroken runs of the days an instalment covers, each as its first and last."""
    days = sorted(date.fromisoformat(text) for text in covers)
    spans: list[tuple[date | None, date | None]] = []
    if not days:
        return [(None, None)]
    start = days[0]
    for on, after in zip(days, [*days[1:], None], strict=True):
        if after is None or after - on != ONE_DAY:
            spans.append((start, on))
            start = after
    return spans


# -- pharmacies and clinics ----------------------------------------------------------------


class PremisesForm(Form):
    kind = RadioField("What is it?", [InputRequired()], choices=list(PREMISES.items()))
    name = StringField("Name", [InputRequired(), Length(max=200)])
    address = TextAreaField("Address", [Length(max=200)])
    telephone = StringField("Telephone", [Length(max=50)])


class PremisesCorrectForm(Form):
    """Where it is and how it is reached, as it should read."""

    version = VersionField()
    address = TextAreaField("Address", [Length(max=200)])
    telephone = StringField("Telephone", [Length(max=50)])
    reason = StringField(
        "Who says so", [InputRequired(), Length(max=200)], description="Such as: phoned today"
    )


class WeekForm(Form):
    """Opening hours by weekday, and whose bank holidays it is closed on."""

    nation = RadioField(
        "Which nation's bank holidays is it closed on?", [InputRequired()],
        choices=list(NATIONS.items()),
    )  # fmt: skip
    reason = StringField(
        "Who says so", [InputRequired(), Length(max=200)], description="Such as: phoned today"
    )

    def week(self) -> dict[str, list[str]]:
        """The hours typed, a list for each weekday that has any."""
        return {
            key: [each.strip() for each in (self[key].data or "").split(",")]
            for key in WEEKDAYS
            if (self[key].data or "").strip()
        }


for _key, _name in WEEKDAY_NAMES.items():
    setattr(
        WeekForm, _key,
        StringField(_name, [Length(max=60)],
                    description="Such as 09:00-13:00, 14:00-18:00. Empty means closed"
                    if _key == "mon" else None),
    )  # fmt: skip


class ClosureForm(Form):
    first_on = DayField("First day closed", [InputRequired()])
    last_on = DayField("Last day closed", [InputRequired()])
    reason = StringField("Why", [InputRequired(), Length(max=200)])


class OpeningForm(Form):
    on = DayField("Day", [InputRequired()])
    hours = StringField(
        "Hours", [InputRequired(), Length(max=60)], description="Such as 10:00-12:00"
    )
    reason = StringField("Who says so", [InputRequired(), Length(max=200)])


class StrikeForm(Form):
    reason = StringField("Why", [InputRequired(), Length(max=200)])
