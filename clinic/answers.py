"""What the pages of prescribing share: fields whose blank stays unknown, and the way back.

What the dose-check contract refuses is told at the field of the form it came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import Field, RadioField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from clinic.auth import act
from clinic.errors import Invalid
from clinic.forms import Form
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from dosing.units import as_text

Page = str | Response | tuple[str, int]
TRUTH = {"yes": True, "no": False}
NONE = "none"
_AMOUNT = re.compile(r"\s*[0-9]{1,5}(\.[0-9]{1,3})?\s*")


def amount(form: Any, field: Field) -> None:
    """An exact amount, all of it: a comma or a word behind a number is not read past."""
    if _AMOUNT.fullmatch(field.data or "") is None:
        raise StopValidation(
            f"{field.label.text}: enter a number such as 40 or 2.5, with up to 3 decimals"
        )


def words(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(codes.items())


def offered(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("", "Choose"), *codes.items()]


def radio(label: str, codes: Mapping[str, str], needed: bool = True, **more: Any) -> RadioField:
    check = InputRequired() if needed else Optional()
    return RadioField(label, [check], choices=words(codes), **more)


class YesNoField(RadioField):
    """Yes, no, or not known. `data` is the word; `answer` True, False or None."""

    def __init__(self, label: str, validators: Any = (), **more: Any) -> None:
        super().__init__(
            label, [Optional(), *validators],
            choices=[("yes", "Yes"), ("no", "No"), ("unknown", "Not known")], **more,
        )  # fmt: skip

    @property
    def answer(self) -> bool | None:
        return TRUTH.get(self.data or "")


class AskedField(SelectMultipleField):
    """Several of a list, or "None of these" said in so many words: a blank is not asked."""

    def __init__(self, label: str, codes: Mapping[str, str], **more: Any) -> None:
        super().__init__(label, choices=[*codes.items(), (NONE, "None of these")], **more)

    def pre_validate(self, form: Any) -> None:
        super().pre_validate(form)
        if not self.data:
            raise StopValidation(f"{self.label.text}: tick what applies, or “None of these”")
        if NONE in self.data and len(self.data) > 1:
            raise StopValidation(f"{self.label.text}: “None of these” cannot stand with others")

    @property
    def answer(self) -> list[str]:
        return [each for each in self.data or [] if each != NONE]


def plain(field: Field) -> Any:
    """A field's answer as the contract writes it; None where nothing was answered."""
    if isinstance(field, YesNoField | AskedField):
        return field.answer
    value = field.data
    if isinstance(value, Decimal):
        return as_text(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return value.strip() or None
    return value


class WhyForm(Form):
    """Something is taken back, and why."""

    reason = TextAreaField("Why?", [InputRequired(), Length(max=2000)])


class SureForm(Form):
    """A button alone."""


def carried_out(form: Form, work: Callable[[], object]) -> bool:
    """As the form's own, with a refusal of the contract's told at the field it names."""

    def told() -> None:
        try:
            work()
        except Invalid as refusal:
            raise Invalid(
                refusal.detail,
                faults=[(field_of(form, name), says) for name, says in refusal.faults],
            ) from refusal

    return form.carried_out(told)


def answered(form: Form) -> dict[str, Any]:
    """What was answered, a blank as unknown."""
    return {name: value or None for name, value in form.answers().items()}


def field_of(form: Form, path: str) -> str:
    """The form's name for a field of the contract: the last part of the path it has."""
    parts = path.replace("]", "").replace("[", ".").split(".")
    like = getattr(form, "LIKE", {})
    for part in reversed(parts):
        for name in (like.get(part, part), f"cows_{part}"):
            if name in form:
                return str(name)
    return path


def patient_of(patient_id: int, right: str = "prescribing.assess") -> Patient:
    """The person of this page; the look is audited."""
    return open_record(act(), patient_id, "prescribing.read", right=right)


def to_record(patient_id: int, says: str) -> Response:
    """Back to the prescribing record, saying what was done."""
    flash(says)
    return redirect(url_for("prescriptions_pages.record", patient_id=patient_id))


def why_page(patient_id: int, form: Form, title: str, lead: str, **more: Any) -> Page:
    """The page that asks why, or whether somebody is sure."""
    patient = patient_of(patient_id, "prescribing.read")
    page = render_template(
        "one_form.jinja", form=form, title=title, lead=lead, warning=True,
        banner=banner(act(), patient),
        **{
            "button": title,
            "cancel": url_for("prescriptions_pages.record", patient_id=patient.id),
            **more,
        },
    )  # fmt: skip
    return page, form.status
