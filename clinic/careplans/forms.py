"""The forms of a care plan. Those of its sections are made from what careplans.toml asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from clinic.careplans.models import AGREEING, GOAL_STATES, MARKS, OUTCOMES, PAYERS, RESPONSES
from clinic.custody.forms import YES_NO_UNKNOWN
from clinic.custody.models import PARTIES
from clinic.forms import DayField, Form, MomentField, VersionField
from scheduling.careplans import DOMAINS, EVENTS, REFERRALS, Question, Section

NOT_ASKED = ("", "Not asked yet")


def _words(codes: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(codes.items())


def _asked(question: Question) -> Any:
    """A question's field. Nothing is chosen beforehand but that it was not asked."""
    if question.choices is not None:
        return RadioField(
            question.asks, choices=[*_words(question.choices), NOT_ASKED], default="",
            description=question.hint,
        )  # fmt: skip
    if question.kind == "day":
        return DayField(question.asks, [Optional()])
    return TextAreaField(question.asks, [Length(max=4000)], description=question.hint)


def section_form(section: Section) -> type[Form]:
    """The form of one section of a plan."""
    fields = {each.key: _asked(each) for each in section.questions}
    return type("SectionForm", (Form,), {**fields, "version": VersionField()})


class SureForm(Form):
    """A button alone."""


class DraftForm(Form):
    """What becomes of a draft."""

    version = VersionField()


class MarkForm(Form):
    """Will this plan do as it is, or is it whole?"""

    mark = RadioField("Kind of plan", [InputRequired()], choices=_words(MARKS))
    version = VersionField()


class GoalForm(Form):
    """One goal: what, who, by when."""

    domain = RadioField("About", [InputRequired()], choices=_words(DOMAINS))
    what = StringField("What is to be reached?", [InputRequired(), Length(max=500)])
    who = StringField(
        "Who does it?",
        [InputRequired(), Length(max=500)],
        description="The patient, a worker, a service",
    )
    by_on = DayField("By when?", [InputRequired()])
    version = VersionField()


class DropForm(Form):
    """A goal is given up."""

    dropped = StringField("Why is this goal dropped?", [InputRequired(), Length(max=500)])
    version = VersionField()


class ProgressForm(Form):
    """How a goal stands."""

    on = DayField("On which day?", [InputRequired()])
    state = RadioField("How does the goal stand?", [InputRequired()], choices=_words(GOAL_STATES))
    says = TextAreaField("What has happened?", [InputRequired(), Length(max=500)])


class AgreementForm(Form):
    """Who agreed to the plan as it stands, and when."""

    party = RadioField("Who agreed?", [InputRequired()], choices=_words(AGREEING))
    agreed_at = MomentField("When did they agree?", [InputRequired()], called="The agreement")
    agreed_by = SelectField(
        "For healthcare or CARATs: which member of staff?",
        [Optional()],
        coerce=lambda chosen: int(chosen) if chosen else None,
        description="Left empty: you. For the patient this is not used",
    )
    number = HiddenField()


class ReasonForm(Form):
    """Why an agreement is taken back."""

    reason = StringField("Why is it withdrawn?", [InputRequired(), Length(max=500)])
    version = VersionField()


class EventForm(Form):
    """Something significant happened."""

    code = RadioField("What happened?", [InputRequired()], choices=_words(EVENTS))
    on = DayField("On which day?", [InputRequired()])
    note = StringField("More about it (if needed)", [Optional(), Length(max=500)])


class ReviewForm(Form):
    """The plan was looked at."""

    reviewed_at = MomentField("When?", [InputRequired()], called="The review")
    by = SelectMultipleField("Who took part?", [InputRequired()], choices=_words(PARTIES))
    outcome = RadioField(
        "What came of it?",
        [InputRequired()],
        choices=_words(OUTCOMES),
        description="If the plan needs a change, change it first and record the review then",
    )
    note = TextAreaField("Note (if needed)", [Optional(), Length(max=4000)])
    version = VersionField()


class ReferralForm(Form):
    """Help asked for elsewhere."""

    kind = SelectField("What for?", [InputRequired()], choices=[("", "Choose"), *_words(REFERRALS)])
    to_whom = StringField("To whom?", [InputRequired(), Length(max=500)])
    made_at = MomentField("When was it made?", [InputRequired()], called="The referral")
    starts_on = DayField("Day it starts (if known)", [Optional()])
    approved_by = StringField(
        "Complementary therapy only: who at the PCT approved it, and when?",
        [Optional(), Length(max=500)],
    )
    paid_by = SelectField(
        "Complementary therapy only: who pays?",
        [Optional()],
        choices=[("", "Choose"), *_words(PAYERS)],
        coerce=lambda chosen: chosen or None,
        description="IDTS does not",
    )


class StrikeForm(Form):
    """Why an entry no longer counts."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])


class ResponseForm(Form):
    """What came back."""

    response = RadioField("What was the answer?", [InputRequired()], choices=_words(RESPONSES))
    responded_on = DayField("On which day?", [InputRequired()])


class ReportForm(Form):
    """The CARATs' report for the clinical review."""

    says = TextAreaField("The report", [InputRequired(), Length(max=4000)])
    complex_needs = RadioField(
        "Are the needs complex?",
        choices=YES_NO_UNKNOWN,
        default="",
        description="If they are, CARATs attend the review as well",
    )


class ClinicalReviewForm(Form):
    """The review was held."""

    held_at = MomentField("When was the review held?", [InputRequired()], called="The review")
    carat = RadioField(
        "How did CARATs take part?",
        [InputRequired()],
        choices=[("attended", "They attended"), ("report", "By their written report")],
    )
    by = SelectMultipleField(
        "Who else was there, beside healthcare?",
        choices=[("patient", PARTIES["patient"]), ("cjit", PARTIES["cjit"])],
    )
    note = TextAreaField("Note for the casework file (if needed)", [Optional(), Length(max=4000)])
