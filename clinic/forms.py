"""What did the person type, and what may be said back? Forms drawn with the NHS.UK macros.

A room's form subclasses `Form`; its template draws each field with the `field` macro of
`forms.jinja`. What was typed is kept on redisplay, errors come in the order of the fields, and
each names its field and says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice, SelectFieldBase
from wtforms.utils import unset_value
from wtforms.validators import StopValidation
from wtforms.widgets import HiddenInput

from clinic.errors import Conflict, Invalid
from dosing import shape
from dosing.days import at_london, london_day, london_time

STEP = "step"
CONFIRM, CHANGE = "confirm", "change"
CSRF_FIELD = "csrf_token"


CHOOSE = SelectChoice("", "Choose")
"""What a list of people, sites or days stands on until somebody chooses."""


def id_or_none(value: Any) -> int | None:
    """A number chosen from a list, or None while nothing is."""
    return int(value) if value not in ("", None, "None") else None


class _Sayings:
    """WTForms' stock errors, said with the field's name. One for each field."""

    REQUIRED = "This field is required."
    SAYINGS: ClassVar[dict[str, str]] = {
        REQUIRED: "enter an answer",
        "Not a valid choice.": "choose one of the options listed",
        "Invalid Choice: could not coerce.": "choose one of the options listed",
        "'%(value)s' is not a valid choice for this field.": "choose from the options listed",
        "'%(value)s' are not valid choices for this field.": "choose from the options listed",
        "Not a valid integer value.": "enter a whole number, such as 3",
        "Number must be at least %(min)s.": "enter %(min)s or more",
        "Number must be at most %(max)s.": "enter %(max)s or less",
        "Number must be between %(min)s and %(max)s.": "enter a number from %(min)s to %(max)s",
        "Field must be at least %(min)d character long.": "enter at least %(min)d character",
        "Field must be at least %(min)d characters long.": "enter at least %(min)d characters",
        "Field cannot be longer than %(max)d character.": "enter no more than %(max)d character",
        "Field cannot be longer than %(max)d characters.": "enter no more than %(max)d characters",
    }

    def __init__(self) -> None:
        self.label = ""
        self.offers_choices = False

    def gettext(self, text: str) -> str:
        if text not in self.SAYINGS:
            return text
        if text == self.REQUIRED and self.offers_choices:
            return _said_of(self.label, "choose an answer")
        # Some texts are filled in with % afterwards, and a label may hold a % of its own.
        label = self.label.replace("%", "%%") if "%(" in text else self.label
        return _said_of(label, self.SAYINGS[text])

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


def _said_of(label: str, says: str) -> str:
    """What is wrong with a field, after its name or its question."""
    return f"{label} {says[0].upper()}{says[1:]}" if label.endswith("?") else f"{label}: {says}"


class Form(FlaskForm):
    """The form every room's forms start from. CSRF and redisplay are Flask-WTF's.

    `asked_first`: fields the page asks before the others, though they are declared after them.
    """

    asked_first: ClassVar[tuple[str, ...]] = ()

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            sayings = _Sayings()
            field = super().bind_field(form, unbound_field, {**options, "translations": sayings})
            sayings.label = _called(field)
            sayings.offers_choices = isinstance(field, SelectFieldBase)
            return field

    @property
    def changing(self) -> bool:
        """They looked at their answers and want to change them: show the form again as typed."""
        return bool(request.form.get(STEP) == CHANGE)

    @property
    def confirmed(self) -> bool:
        """They checked their answers and said yes: commit."""
        return bool(request.form.get(STEP) == CONFIRM)

    def as_sent(self) -> list[tuple[str, str]]:
        """All that was sent but the token and the step: the hidden half of a check-answers page."""
        return [
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in (CSRF_FIELD, STEP)
        ]

    def carried_out(self, work: Callable[[], object]) -> bool:
        """Was the form sent, sound, and its command carried out? A refusal is shown on the form."""
        if not self.validate_on_submit():
            return False
        try:
            work()
        except (Invalid, Conflict) as refusal:
            self.refuse(refusal.detail, refusal.faults)
            return False
        return True

    def answers(self) -> dict[str, Any]:
        """What was answered, by field: what a command takes as keywords."""
        return {name: value for name, value in self.data.items() if name != CSRF_FIELD}

    @property
    def status(self) -> int:
        """200 for a form to fill in, 422 for one shown again with what is wrong."""
        return 422 if self.error_list() else 200

    def refuse(self, detail: str, faults: Iterable[tuple[str, str]] = ()) -> None:
        """Show a command's refusal as errors of this form. Call after `validate`.

        `faults`: (field, what is allowed) pairs; "is required" is said with the field's label
        before it, a whole sentence as it stands. One whose field is not on this form, or `detail`
        when there is none, stands in the summary without a link.
        """
        faults = list(faults)
        if not faults:
            self.form_errors.append(self._in_labels(detail))
        for name, rule_says in faults:
            field, says = self._fields.get(name), self._in_labels(rule_says)
            called = _called(field) if field else name.replace("_", " ").capitalize()
            said = f"{called} {says}" if says[:1].islower() else says
            if field is None:
                self.form_errors.append(said)
            else:
                field.errors = [*field.errors, said]

    def _in_labels(self, says: str) -> str:
        """A rule names the fields of a request; whoever types reads their labels."""

        def label(found: re.Match[str]) -> str:
            field = self._fields.get(found[0])
            return found[0] if field is None else f"“{_called(field)}”"

        return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", label, says)

    def error_list(self) -> list[dict[str, str]]:
        """The error summary's items: one a field, in the order they are asked, each a link to it."""
        first = self.asked_first
        asked = sorted(
            _leaves(self), key=lambda each: first.index(each.name) if each.name in first else 99
        )
        items = [
            {"text": str(field.errors[0]), "href": f"#{_first_input(field)}"}
            for field in asked
            if field.errors and field.name != CSRF_FIELD
        ]
        if self.errors.get(CSRF_FIELD):
            items.append({"text": "This page was open too long. Check it and send it again"})
        return items + [{"text": str(says)} for says in self.form_errors]


def _leaves(form: Any) -> Iterator[Field]:
    for field in form:
        if isinstance(field, FormField):
            yield from _leaves(field.form)
        elif isinstance(field, FieldList):
            for entry in field:
                if isinstance(entry, FormField):
                    yield from _leaves(entry.form)
                else:
                    yield entry
        else:
            yield field


def _called(field: Field) -> str:
    """What an error calls the field: `called` if it was given one, else its label."""
    # Not getattr: a nested form answers for names it does not have by asking itself again.
    return vars(field).get("called") or str(field.label.text)


def _first_input(field: Field) -> str:
    wrong = field.wrong_boxes[0] if isinstance(field, _Boxes) and field.wrong_boxes else None
    if isinstance(field, _Boxes):
        return field.box_id(wrong or field.BOXES[0])
    return str(field.id)


# -- fields --------------------------------------------------------------------------------


class MgField(Field):
    """A dose in milligrams, typed as exact decimal text: 1 to 5 digits and up to 3 decimals.

    `data` is a Decimal, or None when left empty or unreadable. `zero_allowed`: off unless asked.
    "40 mg", "1,000", ".5" and "4e1" are refused: nothing is guessed about a dose.
    """

    def __init__(
        self,
        label: str | None = None,
        validators: Sequence[Any] | None = None,
        *,
        zero_allowed: bool = False,
        called: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.called = called
        self._reads = shape.DecimalText(zero_allowed=zero_allowed)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        typed = valuelist[0].strip() if valuelist else ""
        self.raw_data = [typed] if typed else []
        if not typed:
            return
        try:
            self.data = self._reads.read(typed, self.name)
        except shape.Refused:
            least = "" if self._reads.zero_allowed else ", more than 0"
            raise ValueError(
                f"{_called(self)} must be a number of milligrams such as 40 or 2.5{least}, "
                "with up to 3 decimal places and no other characters"
            ) from None

    def pre_validate(self, form: Any) -> None:
        _one_error_is_enough(self)

    data: Decimal | None


class _Boxes(Field):
    """A field of several boxes and one error. `wrong_boxes` names those the error is about."""

    BOXES: ClassVar[tuple[str, ...]] = ("day", "month", "year")

    def __init__(
        self,
        label: str | None = None,
        validators: Sequence[Any] | None = None,
        *,
        called: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.called = called
        self.boxes: dict[str, str] = {}
        self.wrong_boxes: tuple[str, ...] = ()

    def box_id(self, box: str) -> str:
        return f"{self.id}-{box}"

    def box_name(self, box: str) -> str:
        return f"{self.name}-{box}"

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        # No key of the form carries this field's own name, so WTForms would never read it:
        # gather the boxes under that name and let it read them once.
        self.wrong_boxes = ()
        gathered = formdata
        if formdata is not None:
            gathered = MultiDict(
                (self.name, formdata.get(self.box_name(box), "").strip()) for box in self.BOXES
            )
        super().process(gathered, data, extra_filters)

    def process_data(self, value: Any) -> None:
        self.data = value
        self.boxes = dict.fromkeys(self.BOXES, "") if value is None else self._shown(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        self.boxes = dict(zip(self.BOXES, valuelist, strict=True))
        # What "was anything entered?" validators look at: one text, empty when every box is.
        typed = " ".join(value for value in valuelist if value)
        self.raw_data = [typed] if typed else []
        if typed:
            self.data = self._read()

    def pre_validate(self, form: Any) -> None:
        _one_error_is_enough(self)

    def _shown(self, value: Any) -> dict[str, str]:
        raise NotImplementedError

    def _read(self) -> Any:
        raise NotImplementedError

    def _wrong(self, says: str, *boxes: str) -> ValueError:
        self.wrong_boxes = boxes
        return ValueError(f"{_called(self)} {says}")

    def _need(self, *boxes: str) -> None:
        missing = tuple(box for box in boxes if not self.boxes[box])
        if missing:
            words = [f"a {box}" for box in missing]
            listed = " and ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])
            raise self._wrong(f"must include {listed}", *missing)

    def _read_day(self) -> date:
        for box in ("day", "month", "year"):
            typed = self.boxes[box]
            if not (typed.isascii() and typed.isdigit()):
                raise self._wrong("must be written in figures, such as 23 11 2026", box)
        year = self.boxes["year"]
        if len(year) != 4 or not shape.FIRST_YEAR <= int(year) <= shape.LAST_YEAR:
            raise self._wrong(
                f"must have a year of 4 figures, from {shape.FIRST_YEAR} to {shape.LAST_YEAR}",
                "year",
            )
        try:
            return date(int(year), int(self.boxes["month"]), int(self.boxes["day"]))
        except ValueError:
            raise self._wrong(
                "must be a date that exists, such as 23 11 2026", "day", "month", "year"
            ) from None


class DayField(_Boxes):
    """A London date in three boxes (day, month, year). `data` is a date, or None."""

    def _shown(self, value: date) -> dict[str, str]:
        return {"day": str(value.day), "month": str(value.month), "year": str(value.year)}

    def _read(self) -> date:
        self._need("day", "month", "year")
        return self._read_day()

    data: date | None


class MomentField(_Boxes):
    """A London date and 24-hour time in four boxes. `data` is an aware instant in UTC, or None.

    A time the clocks skip in March is refused. One they repeat in October is accepted only with
    the answer to which of the two: `asks_which` is then true and the field draws the question.
    """

    BOXES: ClassVar[tuple[str, ...]] = ("day", "month", "year", "time", "which")
    EARLIER, LATER = "earlier", "later"

    asks_which = False
    data: datetime | None

    def _shown(self, value: datetime) -> dict[str, str]:
        london = london_time(value)
        first, second = self._both(london.date(), london.time().replace(fold=0))
        self.asks_which = first != second
        return {
            "day": str(london.day),
            "month": str(london.month),
            "year": str(london.year),
            "time": f"{london:%H:%M}",
            "which": "" if first == second else (self.LATER if london.fold else self.EARLIER),
        }

    def _read(self) -> datetime:
        self.asks_which = False
        self._need("day", "month", "year", "time")
        on = self._read_day()
        found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", self.boxes["time"])
        if found is None:
            raise self._wrong(
                "must have a time on the 24-hour clock, from 00:00 to 23:59, such as 09:05", "time"
            )
        clock = time(int(found[1]), int(found[2]))
        first, second = self._both(on, clock)
        if london_day(first) != on or london_time(first).time() != clock:
            raise self._wrong(
                f"must be a time that happened: {self.boxes['time']} was skipped when the clocks "
                "went forward that day",
                "time",
            )
        if first == second:
            return first
        self.asks_which = True
        if self.boxes["which"] not in (self.EARLIER, self.LATER):
            raise self._wrong(
                f"needs one more answer: {self.boxes['time']} came twice that day, as the clocks "
                "went back. Choose the first or the second",
                "which",
            )
        return first if self.boxes["which"] == self.EARLIER else second

    @staticmethod
    def _both(on: date, clock: time) -> tuple[datetime, datetime]:
        return at_london(on, clock), at_london(on, clock.replace(fold=1))


class VersionField(IntegerField):
    """The version of the record this form was filled in from, carried hidden: `data` is an int.

    The command compares it with the record's own and refuses a stale one.
    """

    widget = HiddenInput()

    def pre_validate(self, form: Any) -> None:
        if self.data is None:
            self.errors = []
            raise StopValidation("Open this page again: it lost track of the record it changes")


def _one_error_is_enough(field: Field) -> None:
    """An unreadable value has had its error; validators of the value have nothing to look at."""
    if field.process_errors:
        raise StopValidation


# -- the adapter ---------------------------------------------------------------------------


def nhs_field(field: Field, more: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Which NHS.UK macro draws this field, and with what? Called by the `field` macro.

    `more`, from the template: `size` of the label (s, m, l, xl), `heading` when the label is the
    page's h1, and any parameter of the NHS macro (width, rows, inline, autocomplete, suffix...).
    """
    if isinstance(field, HiddenField) or isinstance(field.widget, HiddenInput):
        return "hidden", {}
    more = dict(more)
    size, heading = more.pop("size", "s"), more.pop("heading", False)
    label: dict[str, Any] = {"text": str(field.label.text), "size": size}
    if heading:
        label["isPageHeading"] = True
    common: dict[str, Any] = {
        "id": field.id,
        "idPrefix": field.id,
        "name": field.name,
        "hint": {"text": str(field.description)} if field.description else None,
        "errorMessage": {"text": str(field.errors[0])} if field.errors else None,
    }
    common = {key: value for key, value in common.items() if value is not None}

    if isinstance(field, _Boxes):
        return _boxes(field, common, label, more)
    if isinstance(field, BooleanField):
        items = [{"value": "y", "text": label["text"], "checked": bool(field.data)}]
        return "checkboxes", {**_choice_common(common), "items": items, **more}
    if isinstance(field, RadioField | SelectMultipleField):
        return (
            "radios" if isinstance(field, RadioField) else "checkboxes",
            {
                **_choice_common(common),
                "fieldset": {"legend": label},
                "items": [_choice(choice) for choice in field.iter_choices()],
                **more,
            },
        )
    common.pop("idPrefix")
    common["label"] = label
    if isinstance(field, SelectField):
        items = [
            {"value": choice.value, "text": str(choice.label), "selected": bool(choice.selected)}
            for choice in field.iter_choices()
        ]
        return "select", {**common, "items": items, **more}
    if isinstance(field, TextAreaField):
        return "textarea", {**common, "value": field._value(), **more}
    if isinstance(field, PasswordField):
        return "password", {**common, **more}
    common["value"] = field._value()
    if isinstance(field, MgField):
        return "input", {**common, "suffix": "mg", "width": 5, "inputmode": "decimal",
                         "autocomplete": "off", **more}  # fmt: skip
    if isinstance(field, IntegerField):
        return "input", {**common, "inputmode": "numeric", "width": 5, **more}
    kind = getattr(field.widget, "input_type", "text")
    return "input", {**common, "type": kind, **more}


def _choice_common(common: dict[str, Any]) -> dict[str, Any]:
    # An id on the group and on its first input would be the same id twice.
    return {key: value for key, value in common.items() if key != "id"}


def _choice(choice: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "value": str(choice.value),
        "text": str(choice.label),
        "checked": bool(choice.selected),
    }
    hint = (choice.render_kw or {}).get("hint")
    if hint:
        item["hint"] = {"text": str(hint)}
    return item


def _boxes(
    field: _Boxes, common: dict[str, Any], label: dict[str, Any], more: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    width = {"year": 4, "time": 5}
    drawn = [box for box in field.BOXES if box != "which"]
    params = {
        **{key: value for key, value in common.items() if key not in ("name", "idPrefix")},
        "fieldset": {"legend": label},
        "items": [
            {
                "id": field.box_id(box),
                "name": field.box_name(box),
                "label": "Time (24-hour)" if box == "time" else box.capitalize(),
                "value": field.boxes.get(box, ""),
                "width": width.get(box, 2),
                # The letters of a phone's number pad have no colon.
                "inputmode": "text" if box == "time" else "numeric",
                "autocomplete": "off",
                "error": bool(field.errors) and (box in field.wrong_boxes or not field.wrong_boxes),
            }
            for box in drawn
        ],
        **more,
    }
    if not (isinstance(field, MomentField) and field.asks_which and field.boxes["time"]):
        return "boxes", params
    params["which"] = {
        "name": field.box_name("which"),
        "idPrefix": field.box_id("which"),
        "fieldset": {"legend": {"text": f"Which {field.boxes['time']}?", "size": "s"}},
        "items": [
            {
                "value": value,
                "text": text,
                "checked": field.boxes.get("which") == value,
            }
            for value, text in (
                (MomentField.EARLIER, "The first, before the clocks went back (BST)"),
                (MomentField.LATER, "The second, after the clocks went back (GMT)"),
            )
        ],
    }
    return "boxes", params
