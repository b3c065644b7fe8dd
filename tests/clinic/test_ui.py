"""Pages, words and forms, on a small application of the tests' own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, Flask, g, redirect, render_template, render_template_string
from flask_wtf import CSRFProtect
from jinja2 import FileSystemLoader
from jinja2.exceptions import UndefinedError
from playwright.sync_api import Page
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from clinic import ui, vendor_assets
from clinic.forms import DayField, Form, MgField, MomentField, VersionField
from dosing.days import at_london
from tests.support.server import served_in_a_thread

CLINIC = Path(ui.__file__).parent
NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
BANNER = {
    "family_name": "Okafor",
    "given_name": "Ann",
    "title": "Ms",
    "born_on": date(1945, 7, 14),
    "died_on": None,
    "gender": "Female",
    "nhs_number": "9990000018",
    "alerts": ["Lone visits not safe"],
    "allergies": None,
    "in_prison": True,
    "prison_number": "A1234BC",
    "wing": None,
    "on": date(2006, 11, 23),
}
FOUND = [
    {
        "rule": "G-AL-04",
        "severity": "ALERT",
        "message": "No breath alcohol reading today.",
        "source": "Drug misuse and dependence, UK guidelines 2017, A5.4",
        "facts": {},
    },
    {
        "rule": "M-FD-02",
        "severity": "STOP",
        "message": "The first dose is over the limit.",
        "source": "Drug misuse and dependence, UK guidelines 2017, 4.6",
        "facts": {"day_total_mg": "60", "limit_mg": "30", "cows": None},
    },
]

RAISED = [
    {
        "flag": "RG-03",
        "severity": "red",
        "message": "There is a day without medicine.",
        "clears_when": "every day is covered",
        "facts": {"uncovered_days": ["2026-11-24", "2026-11-25"], "gap_days": 2, "pharmacy": None},
        "href": "/release",
        "link": "Plan cover",
    },
    {"rule": "PS-05", "message": "No keyworker is named.", "since": NOW},
]


class DoseForm(Form):
    version = VersionField()
    dose_mg = MgField("Dose", [InputRequired()], description="In milligrams")
    first_on = DayField("First collection", [InputRequired()])
    taken_at = MomentField("Last dose taken", [InputRequired()])
    reason = TextAreaField("Reason", [InputRequired(), Length(max=200)])
    model = RadioField(
        "Prescribing model",
        [InputRequired()],
        choices=[
            SelectChoice("2", "Model 2", {"hint": "Fast-track places"}),
            SelectChoice("3", "Model 3"),
        ],
    )
    site_reason = StringField("Which specialist service?")
    tests = SelectMultipleField(
        "Tests done", choices=[SelectChoice("urine", "Urine"), SelectChoice("oral", "Oral fluid")]
    )
    consented = BooleanField("They agree to this being shared")
    place = SelectField(
        "Pharmacy", choices=[SelectChoice("", "Choose one"), SelectChoice("1", "High Street")]
    )
    days = IntegerField("Days", [InputRequired()])
    password = PasswordField("Your password, to sign this")


@pytest.fixture
def app() -> Flask:
    return make_app()


def make_app() -> Flask:
    app = Flask("clinic", root_path=str(CLINIC))
    app.jinja_loader = FileSystemLoader(Path(__file__).parent)
    app.config.update(SECRET_KEY="for the tests", TESTING=True, WTF_CSRF_ENABLED=False)
    app.config["SETTINGS"] = SimpleNamespace(demo=True)
    ui.init_app(app)

    @app.before_request
    def _sign_in() -> None:
        g.staff = SimpleNamespace(
            name="Ola Berg", role="nurse", site_name="North Street", rights=frozenset()
        )

    @app.route("/every-part", methods=["GET", "POST"])
    def every_part() -> str:
        form = DoseForm(version=4)
        form.validate_on_submit()
        return render_template(
            "every_part.jinja",
            form=form,
            banner=BANNER,
            now=NOW,
            found=FOUND,
            raised=RAISED,
            recorded=[
                {"label": "COWS", "value": "14", "source": "Ola Berg", "at": NOW},
                {"label": "Last dose elsewhere", "value": None, "href": "/change"},
            ],
            work=[
                {
                    "due": NOW - timedelta(hours=26),
                    "risk": "High",
                    "risk_colour": "red",
                    "person": "OKAFOR, Ann (Ms)",
                    "href": "/patients/1",
                    "what": "Day 5 review",
                    "who": None,
                },
                {"due": date(2026, 11, 25), "person": "LI, Bo", "what": "Call", "who": "Ola Berg"},
            ],
            href=lambda page: f"/every-part?page={page}",
        )

    return app


def render(app: Flask, source: str, **values: Any) -> str:
    with app.test_request_context("/"):
        return render_template_string(source, **values)


def sent(app: Flask, form: type[Form] = DoseForm, **typed: str) -> Any:
    """The form as read from what was typed; `__` in a name stands for the hyphen of a box."""
    data = {name.replace("__", "-"): value for name, value in typed.items()}
    with app.test_request_context("/", method="POST", data={"version": "4", "place": "", **data}):
        read = form()
        read.validate()
        return read


def a_moment(app: Flask, day: str, month: str, clock: str, **more: str) -> Any:
    boxes = {"day": day, "month": month, "year": "2026", "time": clock, **more}
    return sent(app, **{f"taken_at__{box}": value for box, value in boxes.items()}).taken_at


# -- escaping and unknowns -----------------------------------------------------------------


def test_a_script_in_a_name_is_escaped_by_an_nhs_macro(app: Flask) -> None:
    source = '{% from "parts.jinja" import tag %}{{ tag(name) }}'

    html = render(app, source, name="<script>alert(1)</script>")

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_script_in_a_name_is_escaped_in_the_banner_and_on_every_printed_sheet(app: Flask) -> None:
    source = '{% extends "layout.jinja" %}{% block title %}Record{% endblock %}'

    html = render(app, source, banner={**BANNER, "family_name": "<script>alert(1)</script>"})

    assert "<SCRIPT>" not in html.upper().replace("<SCRIPT NONCE", "").replace("<SCRIPT TYPE", "")
    assert html.count("&lt;SCRIPT&gt;ALERT(1)") == 2


def test_what_was_typed_comes_back_escaped(app: Flask) -> None:
    typed = '"><script>alert(1)</script>'
    form = sent(app, dose_mg=typed, reason=typed, first_on__day=typed)
    source = (
        '{% from "forms.jinja" import field %}'
        "{{ field(form.dose_mg) }}{{ field(form.reason) }}{{ field(form.first_on) }}"
    )

    html = render(app, source, form=form)

    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 3


def test_printing_a_name_that_was_not_given_is_a_fault_and_not_a_blank(app: Flask) -> None:
    with pytest.raises(UndefinedError):
        render(app, "Allergies {{ person.alergies }}", person={"allergies": []})


def test_none_reads_as_not_known(app: Flask) -> None:
    assert render(app, "{{ wing }}", wing=None) == "not known"


# -- values in words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Decimal("40"), "40 mg"),
        (Decimal("40.0"), "40 mg"),
        (Decimal("2.50"), "2.5 mg"),
        (Decimal("100"), "100 mg"),
        (Decimal("1E+2"), "100 mg"),
        (Decimal("0.4"), "0.4 mg"),
        (40_000, "40 mg"),
        (2_500, "2.5 mg"),
        (400, "0.4 mg"),
        (0, "0 mg"),
        (None, "not known"),
    ],
)
def test_a_dose_is_shown_exactly_and_without_a_trailing_zero(
    amount: Decimal | int | None, words: str
) -> None:
    assert ui.mg(amount) == words


@pytest.mark.parametrize("amount", [2.5, "40", True])
def test_a_float_or_unread_text_is_never_shown_as_a_dose(amount: Any) -> None:
    with pytest.raises(TypeError):
        ui.mg(amount)


def test_an_nhs_number_is_shown_in_threes_and_four(app: Flask) -> None:
    assert ui.nhs_number("9990000018") == "999 000 0018"
    assert ui.nhs_number(None) == "not known"


def test_days_and_times_are_londons() -> None:
    half_past_midnight_bst = datetime(2026, 7, 9, 23, 30, tzinfo=UTC)

    assert ui.day(half_past_midnight_bst) == "Fri 10 Jul 2026"
    assert ui.moment(half_past_midnight_bst) == "Fri 10 Jul 2026, 00:30"
    assert ui.day(date(2026, 11, 23)) == "Mon 23 Nov 2026"
    assert ui.moment(None) == "not known"


def test_a_naive_time_has_no_words() -> None:
    with pytest.raises(ValueError, match="naive"):
        ui.moment(datetime(2026, 7, 9, 23, 30))  # noqa: DTZ001 - the fault under test


def test_the_hour_that_comes_twice_says_which() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert ui.clock_time(first) == "01:30 BST"
    assert ui.clock_time(first + timedelta(hours=1)) == "01:30 GMT"
    assert ui.clock_time(first + timedelta(hours=2)) == "02:30"


def test_age_turns_on_the_birthday_and_on_1_march_for_29_february() -> None:
    assert ui.age(date(1945, 7, 14), date(2007, 7, 13)) == "61y"
    assert ui.age(date(1945, 7, 14), date(2007, 7, 14)) == "62y"
    assert ui.age(date(1984, 2, 29), date(2026, 2, 28)) == "41y"
    assert ui.age(date(1984, 2, 29), date(2026, 3, 1)) == "42y"


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (date(2026, 11, 22), "1 day late"),
        (date(2026, 11, 23), "due today"),
        (date(2026, 11, 25), "due in 2 days"),
        (NOW - timedelta(minutes=90), "1 hour 30 minutes late"),
        (NOW, "due now"),
        (NOW + timedelta(hours=1), "due in 1 hour"),
        (NOW - timedelta(hours=47, minutes=59), "47 hours 59 minutes late"),
        (NOW - timedelta(hours=48), "2 days late"),
        (None, "no deadline set"),
    ],
)
def test_lateness_is_said_in_words(due: date | datetime | None, words: str) -> None:
    assert ui.lateness(due, NOW) == words


def test_lateness_counts_hours_elapsed_across_a_clock_change() -> None:
    due = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    now = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)  # 03:30 by London's clocks, two hours on

    assert ui.lateness(due, now) == "2 hours late"


# -- the banner ----------------------------------------------------------------------------


def banner(app: Flask, **changes: Any) -> str:
    source = '{% from "parts.jinja" import patient_banner %}{{ patient_banner(person) }}'
    html = render(app, source, person={**BANNER, **changes})
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_banner_reads_as_the_standard_has_it(app: Flask) -> None:
    assert banner(app, gender="Male", in_prison=False, allergies=["Penicillin", "Latex"]) == (
        "OKAFOR, Ann (Ms) Born 14-Jul-1945 (61y) Gender Male NHS No. 999 000 0018 "
        "Alerts Lone visits not safe Allergies Penicillin; Latex"
    )


def test_the_banner_in_prison_adds_the_prison_number_and_wing(app: Flask) -> None:
    assert "Prison No. A1234BC Wing B2" in banner(app, wing="B2")


def test_the_banner_says_unknown_in_words_and_never_uses_a_colon(app: Flask) -> None:
    nothing = dict.fromkeys(BANNER) | {"in_prison": True}

    words = banner(app, **nothing)

    assert words == (
        "FAMILY NAME NOT KNOWN, given name not known Born not known Gender not known "
        "NHS No. not known Prison No. not known Wing not known Alerts not known "
        "Allergies not known"
    )
    assert ":" not in words


def test_no_known_allergies_differs_from_allergies_nobody_asked_about(app: Flask) -> None:
    assert "Allergies none recorded" in banner(app, allergies=[])
    assert "Allergies not known" in banner(app, allergies=None)


def test_the_banner_of_someone_who_died_says_so(app: Flask) -> None:
    assert "Born 14-Jul-1945 Died 02-Feb-2006 (60y)" in banner(app, died_on=date(2006, 2, 2))


# -- findings ------------------------------------------------------------------------------


def test_findings_stand_worst_first_with_rule_version_and_source_in_words(app: Flask) -> None:
    source = '{% from "parts.jinja" import findings %}{{ findings(found, "uk-2017", "3") }}'

    html = render(app, source, found=FOUND)

    assert html.index("Stop. Nobody can save this") < html.index("Alert. Needs a prescriber")
    assert "Rule M-FD-02 (uk-2017, version 3). Source: Drug misuse" in html
    assert "<dt>cows</dt><dd>not known</dd>" in html


def test_no_finding_is_not_called_safe(app: Flask) -> None:
    source = '{% from "parts.jinja" import findings %}{{ findings([], "uk-2017", "3") }}'

    assert "This does not say the dose is safe" in render(app, source)


def test_a_severity_nobody_foresaw_is_still_shown(app: Flask) -> None:
    source = '{% from "parts.jinja" import findings %}{{ findings(found, "uk-2017", "3") }}'

    assert "NEW" in render(app, source, found=[{**FOUND[0], "severity": "NEW"}])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "not known"),
        (True, "yes"),
        ([], "none"),
        (["2026-11-24", "2026-11-25"], "Tue 24 Nov 2026; Wed 25 Nov 2026"),
        ("2026-07-01T09:05:00+00:00", "Wed 1 Jul 2026, 10:05"),
        ("methadone_oral_solution", "methadone oral solution"),
        ("30.5", "30.5"),
        ({"missed_days": 3}, "missed days 3"),
    ],
)
def test_the_facts_of_a_check_are_readable(value: Any, words: str) -> None:
    assert ui.fact(value) == words


def test_a_flag_says_its_severity_what_clears_it_and_its_facts(app: Flask) -> None:
    source = '{% from "parts.jinja" import flags %}{{ flags(raised) }}'

    words = " ".join(re.sub(r"<[^>]+>", " ", render(app, source, raised=RAISED)).split())

    assert words == (
        "Red flag There is a day without medicine. Clears when: every day is covered "
        "uncovered days Tue 24 Nov 2026; Wed 25 Nov 2026 gap days 2 pharmacy not known RG-03 "
        "Plan cover There is a day without medicine. "
        "Flag No keyworker is named. PS-05, since Mon 23 Nov 2026"
    )


# -- fields --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "milligrams"),
    [("40", "40"), ("2.5", "2.5"), (" 0.4 ", "0.4"), ("12345.678", "12345.678")],
)
def test_a_dose_is_read_exactly(app: Flask, typed: str, milligrams: str) -> None:
    field = sent(app, dose_mg=typed).dose_mg

    assert field.data == Decimal(milligrams)
    assert not field.errors


@pytest.mark.parametrize(
    "typed", ["40 mg", "1,000", ".5", "40.", "4e1", "-1", "0", "\u0664\u0660", "123456", "1.2345"]
)
def test_nothing_is_guessed_about_a_dose(app: Flask, typed: str) -> None:
    field = sent(app, dose_mg=typed).dose_mg

    assert field.data is None
    assert field._value() == typed
    assert len(field.errors) == 1
    assert field.errors[0].startswith("Dose must be a number of milligrams such as 40 or 2.5")


def test_a_day_is_read_from_three_boxes(app: Flask) -> None:
    field = sent(app, first_on__day="23", first_on__month="11", first_on__year="2026").first_on

    assert field.data == date(2026, 11, 23)
    assert not field.errors


@pytest.mark.parametrize(
    ("day", "month", "year", "says", "box"),
    [
        ("31", "2", "2026", "must be a date that exists, such as 23 11 2026", "day"),
        ("29", "2", "2026", "must be a date that exists, such as 23 11 2026", "day"),
        ("", "11", "2026", "must include a day", "day"),
        ("23", "", "", "must include a month and a year", "month"),
        ("23", "11", "26", "must have a year of 4 figures, from 1900 to 2199", "year"),
        ("23", "Nov", "2026", "must be written in figures, such as 23 11 2026", "month"),
        ("\u00b2", "11", "2026", "must be written in figures, such as 23 11 2026", "day"),
    ],
)
def test_a_day_that_cannot_stand_gets_one_error_linked_to_its_box(
    app: Flask, day: str, month: str, year: str, says: str, box: str
) -> None:
    form = sent(app, first_on__day=day, first_on__month=month, first_on__year=year)

    assert form.first_on.data is None
    assert form.first_on.errors == [f"First collection {says}"]
    assert f"#first_on-{box}" in [item.get("href") for item in form.error_list()]


def test_a_moment_is_read_as_london_time(app: Flask) -> None:
    assert a_moment(app, "1", "7", "09:05").data == datetime(2026, 7, 1, 8, 5, tzinfo=UTC)
    assert a_moment(app, "1", "12", "09:05").data == datetime(2026, 12, 1, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["01:00", "01:59"])
def test_an_hour_the_clocks_skipped_is_refused(app: Flask, clock: str) -> None:
    field = a_moment(app, "29", "3", clock)

    assert field.data is None
    assert field.errors == [
        f"Last dose taken must be a time that happened: {clock} was skipped when the clocks went "
        "forward that day"
    ]


def test_the_minutes_either_side_of_the_skipped_hour_are_taken(app: Flask) -> None:
    assert a_moment(app, "29", "3", "00:59").data == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert a_moment(app, "29", "3", "02:00").data == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_came_twice_asks_which(app: Flask) -> None:
    field = a_moment(app, "25", "10", "01:30")
    source = '{% from "forms.jinja" import field %}{{ field(asked) }}'

    html = render(app, source, asked=field)

    assert field.data is None
    assert "came twice that day" in field.errors[0]
    assert 'value="earlier"' in html
    assert 'value="later"' in html


def test_the_answer_to_which_settles_the_moment(app: Flask) -> None:
    first = a_moment(app, "25", "10", "01:30", which="earlier").data
    second = a_moment(app, "25", "10", "01:30", which="later").data

    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert second == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("clock", ["01:30", "00:30", "02:30"])
@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2026, 7, 1)])
def test_a_stored_moment_comes_back_from_its_own_boxes(app: Flask, day: date, clock: str) -> None:
    for fold in (0, 1):
        stored = at_london(day, time.fromisoformat(clock).replace(fold=fold))
        with app.test_request_context("/"):
            shown = DoseForm(formdata=None, taken_at=stored).taken_at.boxes

        again = sent(app, **{f"taken_at__{box}": value for box, value in shown.items()})

        assert again.taken_at.data == stored


@pytest.mark.parametrize("clock", ["9:05", "24:00", "09.05", "9am", "12:60"])
def test_a_time_off_the_24_hour_clock_is_refused(app: Flask, clock: str) -> None:
    field = a_moment(app, "1", "7", clock)

    assert field.data is None
    assert field.boxes["time"] == clock
    assert len(field.errors) == 1
    assert "24-hour clock" in field.errors[0]


def test_errors_come_in_field_order_and_name_their_field(app: Flask) -> None:
    form = sent(app, reason="x" * 201)

    assert form.error_list() == [
        {"text": "Dose: enter an answer", "href": "#dose_mg"},
        {"text": "First collection: enter an answer", "href": "#first_on-day"},
        {"text": "Last dose taken: enter an answer", "href": "#taken_at-day"},
        {"text": "Reason: enter no more than 200 characters", "href": "#reason"},
        {"text": "Prescribing model: choose an answer", "href": "#model"},
        {"text": "Days: enter an answer", "href": "#days"},
    ]


def test_a_refused_command_speaks_through_its_form(app: Flask) -> None:
    form = sent(app)

    form.refuse("Check what was entered", [("dose_mg", "Dose is over the limit"), ("rota", "Full")])

    assert {"text": "Full"} in form.error_list()
    assert "Dose is over the limit" in form.dose_mg.errors


def test_a_lost_version_is_refused(app: Flask) -> None:
    with app.test_request_context("/", method="POST", data={"version": "four"}):
        form = DoseForm()
        form.validate()

    assert form.version.errors == ["Open this page again: it lost track of the record it changes"]


def test_every_error_link_leads_to_an_input_on_the_page(app: Flask) -> None:
    html = (
        app.test_client()
        .post("/every-part", data={"version": "4", "place": ""})
        .get_data(as_text=True)
    )

    links = re.findall(r'<li>\s*<a href="#([^"]+)"', html)

    assert len(links) == 6
    for target in links:
        assert html.count(f' id="{target}"') == 1


def test_a_page_with_errors_says_so_in_its_title(app: Flask) -> None:
    client = app.test_client()

    assert "<title>Every part - Throughcare</title>" in client.get("/every-part").text
    assert "<title>Error: Every part - Throughcare</title>" in client.post("/every-part").text


def test_checked_answers_are_sent_again_whole(app: Flask) -> None:
    data = {"dose_mg": "30", "tests": ["urine", "oral"], "csrf_token": "t", "step": "check"}
    with app.test_request_context("/", method="POST", data=data):
        form = DoseForm()

        assert form.as_sent() == [("dose_mg", "30"), ("tests", "urine"), ("tests", "oral")]
        assert not form.confirmed
        assert not form.changing


class CollectionForm(Form):
    dose_mg = MgField("Dose", [InputRequired()])
    collect_on = DayField("Collection", [InputRequired()])


class PlanForm(Form):
    collections = FieldList(FormField(CollectionForm), min_entries=2)


def test_errors_of_repeated_fields_lead_to_their_own_boxes(app: Flask) -> None:
    form = sent(
        app,
        PlanForm,
        **{
            "collections-0-dose_mg": "30",
            "collections-0-collect_on__day": "31",
            "collections-0-collect_on__month": "4",
            "collections-0-collect_on__year": "2026",
            "collections-1-dose_mg": "40mg",
        },
    )

    assert [item["href"] for item in form.error_list()] == [
        "#collections-0-collect_on-day",
        "#collections-1-dose_mg",
        "#collections-1-collect_on-day",
    ]


def a_checking_app(saved: list[Decimal]) -> Flask:
    """A page as a room writes it: form, check answers, commit, redirect."""
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = True
    CSRFProtect(app)
    frame = (
        '{% extends "layout.jinja" %}{% from "forms.jinja" import field, post, check_answers %}'
        "{% block title %}Dose{% endblock %}{% block content %}"
    )
    ask = "{% call post(form) %}{{ field(form.dose_mg) }}{{ field(form.collect_on) }}{% endcall %}"
    check = '{{ check_answers(form, [("Dose", form.dose_mg.data|mg)]) }}'

    @app.route("/dose", methods=["GET", "POST"])
    def dose() -> Any:
        form = CollectionForm()
        if form.changing or not form.validate_on_submit():
            status = 422 if form.errors else 200
            return render_template_string(frame + ask + "{% endblock %}", form=form), status
        if not form.confirmed:
            return render_template_string(frame + check + "{% endblock %}", form=form)
        saved.append(form.dose_mg.data)
        return redirect("/dose")

    return app


def hidden(html: str) -> dict[str, str]:
    page = html[html.index("<main") :]
    found = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    return {
        re.search(r'name="([^"]*)"', tag)[1]: re.search(r'value="([^"]*)"', tag)[1]  # type: ignore[index]
        for tag in found
    }


def test_answers_are_checked_before_they_are_committed() -> None:
    saved: list[Decimal] = []
    client = a_checking_app(saved).test_client()
    typed = {
        "dose_mg": "30",
        "collect_on-day": "24",
        "collect_on-month": "11",
        "collect_on-year": "2026",
    }

    checking = client.post("/dose", data={**hidden(client.get("/dose").text), **typed})
    carried = hidden(checking.text)
    before = list(saved)
    changing = client.post("/dose", data={**carried, "step": "change"})
    done = client.post("/dose", data={**carried, "step": "confirm"})

    assert "30 mg" in checking.text
    assert before == []
    assert 'value="30"' in changing.text
    assert "<title>Dose - " in changing.text
    assert done.status_code == 302
    assert saved == [Decimal("30")]


def test_answers_without_the_page_they_came_from_are_refused() -> None:
    saved: list[Decimal] = []
    client = a_checking_app(saved).test_client()

    refused = client.post("/dose", data={"dose_mg": "30", "step": "confirm"})

    assert refused.status_code == 400
    assert saved == []


# -- the frame of a page -------------------------------------------------------------------


def test_the_page_shows_no_nhs_identity_unless_the_site_is_an_nhs_body(app: Flask) -> None:
    plain = app.test_client().get("/every-part").text
    app.config["SETTINGS"] = SimpleNamespace(demo=True, nhs_body=True)
    theirs = app.test_client().get("/every-part").text

    assert "nhsuk-header__logo" not in plain
    assert "NHS England" not in plain
    assert "nhsuk-header__logo" in theirs


def test_the_demonstration_says_so_on_every_page(app: Flask) -> None:
    demo = app.test_client().get("/every-part").text
    app.config["SETTINGS"] = SimpleNamespace(demo=False)

    assert "Demonstration: synthetic people only" in demo
    assert "Demonstration" not in app.test_client().get("/every-part").text


def test_the_navigation_offers_only_what_the_person_may_open(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_NAVIGATION", {})
    ui.nav("Every part", "every_part", None)
    ui.nav("Audit", "every_part_audit", "audit.read")
    ui.nav("Elsewhere", "not.in.this.application", None)
    app.add_url_rule("/audit", "every_part_audit", lambda: "")

    html = app.test_client().get("/every-part").text

    assert 'aria-current="page"' in html
    assert "Audit" not in html
    assert "Elsewhere" not in html


def test_a_page_inside_a_room_marks_the_room_in_the_navigation(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_NAVIGATION", {})
    ui.nav("Custody", "custody.worklist", None)
    room = Blueprint("custody", __name__)
    room.add_url_rule("/custody", "worklist", lambda: "")
    page = '{% extends "layout.jinja" %}{% block title %}One{% endblock %}'
    room.add_url_rule("/custody/1", "one", lambda: render_template_string(page))
    next_to_it = Blueprint("prints", __name__)  # other pages of the same room
    next_to_it.add_url_rule("/custody/1/print", "one", lambda: render_template_string(page))
    app.register_blueprint(room)
    app.register_blueprint(next_to_it)

    for address in ("/custody/1", "/custody/1/print"):
        html = app.test_client().get(address).text

        lit = '<a class="nhsuk-header__navigation-link" href="/custody" aria-current="true">'
        assert lit in html


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 409, 412, 413, 429, 500])
def test_every_error_has_a_plain_page(app: Flask, code: int) -> None:
    with app.test_request_context("/"):
        html = render_template("errors/page.jinja", code=code, title="Not here", advice="Go back.")

    assert "<title>Error: Not here - Throughcare</title>" in html
    assert "Go back." in html


def test_every_script_of_a_page_carries_its_nonce_and_no_style_stands_in_it(app: Flask) -> None:
    html = app.test_client().get("/every-part").text

    scripts = re.findall(r"<script\b[^>]*>", html)

    assert scripts
    assert all('nonce="' in script for script in scripts)
    assert "<style" not in html
    assert " style=" not in html


# -- the vendored files --------------------------------------------------------------------


def test_the_vendored_files_name_no_other_host_and_carry_their_licence() -> None:
    folder = CLINIC / "static" / "nhsuk"
    css = (folder / "nhsuk-frontend.min.css").read_text()
    script = (folder / "nhsuk-frontend.min.js").read_text()

    assert "@font-face" not in css
    assert "sourceMappingURL" not in css + script
    assert "https://" not in css + script
    assert "MIT License" in (folder / "LICENCE.txt").read_text()
    for icon in re.findall(r"url\(([^)]*)\)", css):
        assert (folder / icon).is_file()


def test_another_package_than_the_published_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not nhsuk-frontend"):
        vendor_assets.refresh(b"something else", tmp_path)

    assert list(tmp_path.iterdir()) == []


# -- in a browser --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = make_app()

    @app.after_request
    def strict(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{ui.csp_nonce()}'; style-src 'self'; "
            "img-src 'self'; form-action 'self'; base-uri 'none'"
        )
        return response

    with served_in_a_thread(app) as url:
        yield f"{url}/every-part"


def send(page: Page) -> None:
    """Send the empty form and wait for the page that answers, or an empty one would be judged."""
    page.click("text=Save dose")
    page.wait_for_selector(".nhsuk-error-summary")
    page.wait_for_load_state("networkidle")


@pytest.mark.browser
def test_every_part_is_accessible_before_and_after_errors(
    page: Page, axe: Callable[[Page], None], address: str
) -> None:
    page.goto(address)
    axe(page)

    send(page)

    axe(page)
    assert page.title().startswith("Error: ")
    page.wait_for_function("document.activeElement.className == 'nhsuk-error-summary'")


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_scrolls_sideways_and_every_target_is_24_px(
    page: Page, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address)
    send(page)

    wide = page.evaluate("document.documentElement.scrollWidth")
    small = page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, textarea')]
             .filter(e => !e.matches('.nhsuk-skip-link') && e.offsetWidth > 0)
             .filter(e => Math.min(e.offsetWidth, e.offsetHeight) < 24)
             .map(e => e.outerHTML)"""
    )

    assert wide <= width
    assert small == []


@pytest.mark.browser
def test_the_form_works_with_scripts_off(no_scripts_page: Page, address: str) -> None:
    no_scripts_page.goto(address)
    no_scripts_page.fill("#dose_mg", "40mg")
    send(no_scripts_page)

    assert no_scripts_page.input_value("#dose_mg") == "40mg"
    assert no_scripts_page.locator(".nhsuk-error-summary__list a").count() == 6
