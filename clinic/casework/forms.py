"""The forms of the casework file."""

from __future__ import annotations

from wtforms import RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from clinic.casework.models import ENTRIES, NEXT_STEP_WORDS, NOT_HELD_WORDS
from clinic.custody import words
from clinic.custody.models import PARTIES
from clinic.forms import DayField, Form, MomentField
from scheduling.custody_rules import DELIVERABLE


class EntryForm(Form):
    """A session that was not held as planned, or a note."""

    kind = RadioField("What is it?", [InputRequired()], choices=list(ENTRIES.items()))
    item = SelectField(
        "Which session? (a note may be about none)",
        choices=[("", "None"), *((item, words.duty(item)) for item in DELIVERABLE)],
        coerce=lambda text: text or None,
    )
    at = MomentField("When?", [InputRequired()], called="The time")
    reason = SelectField(
        "Why? (when missed, moved or made lighter)",
        choices=[("", "Choose"), *NOT_HELD_WORDS.items()],
        coerce=lambda text: text or None,
    )
    says = TextAreaField("What to remember", [Optional(), Length(max=4000)])


class StrikeForm(Form):
    """Why an entry no longer counts."""

    reason = StringField("What was wrong?", [InputRequired(), Length(max=500)])


class CompletionForm(Form):
    """The final case review."""

    reviewed_at = MomentField("When was the review?", [InputRequired()], called="The review")
    by = SelectMultipleField("Who took part?", [InputRequired()], choices=list(PARTIES.items()))
    exit_strategy = TextAreaField(
        "Exit strategy",
        [InputRequired(), Length(max=4000)],
        description="What has helped, what keeps them safe, whom they turn to",
    )
    next_step = RadioField(
        "What comes next?",
        [InputRequired()],
        choices=list(NEXT_STEP_WORDS.items()),
        description="Reaching day 28 closes nothing",
    )
    next_says = StringField(
        "More about it (needed when nothing more is wanted, or for another step)",
        [Optional(), Length(max=500)],
    )
    next_on = DayField("From which day? (if known)", [Optional()])


class CorrectCompletionForm(CompletionForm):
    """A final case review put right."""

    reason = StringField(
        "Why is it changed?",
        [InputRequired(), Length(max=500)],
        description="The first wording is kept, with this reason",
    )


class CertifyForm(Form):
    """A certificate of what was attended."""


class CertifyAgainForm(Form):
    """Another certificate in place of the first."""

    reason = StringField(
        "Why is another certificate given?",
        [InputRequired(), Length(max=500)],
        description="The first is kept as withdrawn, with this reason",
    )


class AcceptForm(Form):
    """The receiving team takes somebody over."""

    says = TextAreaField("Anything still open (if needed)", [Optional(), Length(max=4000)])


class AcceptedElsewhereForm(AcceptForm):
    """Who took them over at a prison outside this service."""

    accepted_by = StringField("Who accepted, at that prison?", [InputRequired(), Length(max=200)])
    accepted_at = MomentField("When? (now, if left empty)", [Optional()], called="The acceptance")
