"""Pages, words and forms, on a small application of the tests' own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, g, render_template, render_template_string
from jinja2 import FileSystemLoader
from wtforms import (
    BooleanField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length

from clinic import ui
from clinic.forms import DayField, Form, MgField, MomentField, VersionField

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


class DoseForm(Form):
    version = VersionField()
    dose_mg = MgField("Dose", [InputRequired()], description="In milligrams")
    first_on = DayField("First collection", [InputRequired()])
    taken_at = MomentField("Last dose taken", [InputRequired()])
    reason = TextAreaField("Reason", [InputRequired(), Length(max=200)])
    model = RadioField(
        "Prescribing model",
        [InputRequired()],
        choices=[("2", "Model 2", {"hint": "Fast-track places"}), ("3", "Model 3")],
    )
    site_reason = StringField("Which specialist service?")
    tests = SelectMultipleField("Tests done", choices=[("urine", "Urine"), ("oral", "Oral fluid")])
    consented = BooleanField("They agree to this being shared")
    place = SelectField("Pharmacy", choices=[("", "Choose one"), ("1", "High Street")])
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


def test_a_script_in_a_name_is_escaped_by_an_nhs_macro(app: Flask) -> None:
    source = '{% from "parts.jinja" import tag %}{{ tag(name) }}'

    html = render(app, source, name="<script>alert(1)</script>")

    assert "<script>" not in html
    assert "&lt;script&gt;" in html
