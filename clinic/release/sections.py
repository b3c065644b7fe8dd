"""What is recorded about a release, section by section, and which section closes which flag?

One section is one object of the release-check contract: its fields carry the contract's names, and
the contract's own reader settles what may stand in them. The forms, the API and the request are
all made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Ask:
    """One answer of a section. `kind`: instant, day, yes_no, text, choice or instalments.

    `own`: kept here beside the fact, no field of the contract.
    """

    name: str
    label: str
    kind: str
    choices: Mapping[str, str] = field(default_factory=dict)
    hint: str | None = None
    must: bool = False
    own: bool = False


@dataclass(frozen=True)
class Section:
    """One kind of fact.

    `into`: where its values go in the request ("" is the top). `many`: several stand side by side.
    `unknown`: what a plan says while nothing stands; None where silence means nothing. `premises`:
    the kind of premises it names. `service`: it may name a site of this service. `for_a_date`: it
    was made for one release date and is asked about again when that date moves. `check`: the
    answers are shown once more before they are saved.
    """

    key: str
    title: str
    into: str
    asks: tuple[Ask, ...] = ()
    many: bool = False
    unknown: str | None = None
    premises: str | None = None
    service: bool = False
    for_a_date: bool = False
    check: bool = False

    def ask(self, name: str) -> Ask | None:
        return next((ask for ask in self.asks if ask.name == name), None)


_MADE_FOR = Ask(
    "for_release_on",
    "Release date it was made for",
    "day",
    hint="If this is known. Otherwise the time it was made decides whether it needs a new look",
)
HOW: Final = {
    "secure_email": "Secure e-mail",
    "telephone": "Telephone, to a named person",
    "fax": "Fax",
    "post": "Post or courier",
    "by_hand": "By hand",
    "this_system": "In this system",
}
"""How something went from one service to another."""

_OUTCOME_ON = Ask("on", "On which day", "day", must=True)

_ALL: Final = (
    Section(
        "treatment",
        "Treatment",
        "",
        (
            Ask("on_ost", "On opioid substitution treatment", "yes_no"),
            Ask("opioid_history", "History of opioid use", "yes_no"),
            Ask(
                "medicine",
                "Medicine",
                "choice",
                {
                    "methadone": "Methadone",
                    "buprenorphine": "Buprenorphine, taken daily",
                    "buprenorphine_depot": "Buprenorphine injection (depot)",
                },
            ),
        ),
        unknown="Whether they are on opioid substitution: counted as yes",
    ),
    Section(
        "release",
        "Release date",
        "release",
        (
            Ask("calculated_on", "Calculated release date", "day"),
            Ask(
                "confirmed_on",
                "Release date confirmed by OMU",
                "day",
                hint="The day they will walk out. Leave empty until OMU has confirmed it",
            ),
            Ask(
                "kind",
                "Kind of release",
                "choice",
                {
                    "determinate": "End or half of a determinate sentence",
                    "hdc": "Home detention curfew",
                    "parole": "Parole",
                    "indeterminate": "Indeterminate sentence",
                    "remand": "Remand",
                },
            ),
            Ask("sentenced_on", "Day of sentence", "day"),
            Ask(
                "supervision",
                "Supervised after release?",
                "choice",
                {
                    "licence": "On licence or another statutory supervision",
                    "drr": "On a drug rehabilitation requirement (DRR)",
                    "none": "Not supervised",
                },
                hint="Decides who they belong to afterwards: Probation, or the CJIT",
                own=True,
            ),
            Ask("drr_ends_on", "Day a DRR ends", "day", own=True),
            Ask("known_at", "When the date became known", "instant"),
        ),
        unknown="Release date: nothing can be counted towards it",
        check=True,
    ),
    Section(
        "possible_earlier",
        "Another possible end date",
        "release.possible_earlier",
        (
            Ask("on", "Could leave from", "day", must=True),
            Ask(
                "why",
                "Why",
                "choice",
                {
                    "hdc": "Home detention curfew",
                    "early_release": "Early release",
                    "other": "Other",
                },
                must=True,
            ),
            Ask(
                "which",
                "Which date this is",
                "choice",
                {
                    "hdc_eligibility": "HDC eligibility date",
                    "custody_time_limit": "Custody time limit (remand)",
                    "bail": "Bail hearing or application",
                    "conditional": "Conditional release date",
                    "parole": "Parole eligibility date",
                    "sentence_end": "End of the sentence",
                    "appeal": "Appeal",
                    "removal": "Removal or repatriation",
                },
                own=True,
            ),
            Ask("known_at", "When this became known", "instant"),
            Ask("ruled_out_at", "When OMU ruled it out", "instant"),
        ),
        many=True,
        unknown="Whether they could leave before the expected date",
    ),
    Section(
        "last_dose",
        "Dose on the day of release",
        "",
        (
            Ask("dose_on_release_day", "Will a dose be given before leaving?", "yes_no"),
            Ask(
                "depot_cover_ends_on",
                "Last day covered by a depot injection",
                "day",
                hint="Entered by the prescriber",
            ),
        ),
        unknown="Whether a dose will be given before leaving: counted as no",
    ),
    Section(
        "dose",
        "Dose recorded elsewhere",
        "doses",
        (
            Ask("at", "When it was taken", "instant", hint="Either the time or only the day"),
            Ask("on", "Day it was taken, when the time is not known", "day"),
            Ask(
                "where",
                "Where",
                "choice",
                {
                    "prison": "Prison",
                    "police": "Police custody",
                    "court": "Court",
                    "hospital": "Hospital",
                    "community": "Community",
                },
                must=True,
            ),
            Ask("source", "Who says so", "text"),
        ),
        many=True,
    ),
    Section(
        "prescriber",
        "Community prescriber",
        "prescriber",
        (
            Ask("name", "Prescriber", "text"),
            Ask("service", "Their service", "text"),
        ),
        unknown="Who prescribes after release",
    ),
    Section(
        "appointment",
        "First community prescribing appointment",
        "appointment",
        (
            Ask("at", "When", "instant", must=True),
            Ask("booked_at", "When it was booked", "instant"),
            Ask("acknowledged_at", "When the service acknowledged it", "instant"),
            Ask("attended", "Did they attend?", "yes_no"),
            _MADE_FOR,
        ),
        unknown="First appointment",
        for_a_date=True,
    ),
    Section(
        "community_prescription",
        "Community prescription still live",
        "community_prescription",
        (
            Ask("live", "Is it live?", "yes_no"),
            Ask("next_collection_on", "Next collection", "day"),
            Ask("confirmed_valid_at", "When the pharmacy or prescriber confirmed it", "instant"),
        ),
    ),
    Section(
        "supply",
        "Bridging supply",
        "bridging_supplies",
        (
            Ask(
                "form",
                "Form",
                "choice",
                {
                    "fp10mda": "FP10MDA, collected in instalments",
                    "fp10": "FP10, collected at once",
                    "gate_pack": "Pack given at the gate",
                },
                must=True,
            ),
            Ask("in_hand", "Is the script in the pharmacy's or the patient's hands?", "yes_no"),
            Ask("written_at", "When it was written", "instant"),
            Ask("sent_at", "When it was sent", "instant"),
            Ask("sent_to", "To whom", "text"),
            _MADE_FOR,
            Ask("instalments", "Collections", "instalments", must=True),
        ),
        many=True,
        for_a_date=True,
    ),
    Section(
        "pharmacy",
        "Pharmacy",
        "pharmacy",
        premises="pharmacy",
        unknown="Pharmacy: no script counts as collectable without one",
    ),
    Section(
        "clinic",
        "Clinic opening hours",
        "clinic",
        premises="clinic",
        unknown="Clinic opening hours: every working day counts as open",
    ),
    Section(
        "destination",
        "Where they return to",
        "destination",
        (
            Ask("area", "Home area", "text"),
            Ask("contact", "Single point of contact there", "text"),
            Ask(
                "nation",
                "Nation",
                "choice",
                {
                    "england_and_wales": "England and Wales",
                    "scotland": "Scotland",
                    "northern_ireland": "Northern Ireland",
                },
                hint="Decides which bank holidays count",
            ),
        ),
        service=True,
        unknown="Area and contact: the prison's own calendar is used",
    ),
    Section(
        "consent",
        "Consent to share",
        "consent",
        (
            Ask("given", "Has the patient consented?", "yes_no"),
            Ask("lawful_basis", "Lawful basis, where there is no consent", "text"),
        ),
        unknown="Consent to share: nothing may be sent",
    ),
    Section(
        "notification",
        "Notice to the community team",
        "notification",
        (
            Ask("sent_at", "When they were told", "instant"),
            Ask("told", "Who was told", "text", hint="Name, team and number or address", own=True),
            Ask("how", "How", "choice", HOW, own=True),
            Ask("acknowledged_at", "When they acknowledged it", "instant"),
            _MADE_FOR,
        ),
        unknown="Whether the community team was told",
        for_a_date=True,
    ),
    Section(
        "dose_letter",
        "Dose letter",
        "dose_letter",
        (
            Ask("prepared_at", "When it was prepared", "instant"),
            Ask("sent_at", "When it was sent", "instant"),
            Ask("sent_to", "To whom", "text"),
            Ask("how", "How", "choice", HOW, own=True),
        ),
        unknown="Whether a dose letter was prepared and sent",
    ),
    Section(
        "naloxone",
        "Naloxone",
        "naloxone",
        (
            Ask(
                "outcome",
                "Outcome",
                "choice",
                {"issued": "Issued", "declined": "Offered and declined"},
                must=True,
            ),
            _OUTCOME_ON,
        ),
        unknown="Whether naloxone was issued or declined",
    ),
    Section(
        "overdose_session",
        "Overdose session",
        "overdose_session",
        (
            Ask(
                "outcome",
                "Outcome",
                "choice",
                {"delivered": "Delivered", "declined": "Offered and declined"},
                must=True,
            ),
            _OUTCOME_ON,
        ),
        unknown="Whether the overdose session took place",
    ),
    Section(
        "weekend",
        "Weekend or holiday cover acknowledged",
        "",
        (
            Ask(
                "weekend_cover_acknowledged_at",
                "When the cover over the closed days was looked at and found in order",
                "instant",
                must=True,
            ),
        ),
    ),
    Section(
        "court_pack",
        "Court contingency pack",
        "courts",
        (
            Ask("court_on", "Day of the hearing", "day", must=True),
            Ask("cjit_contact_at", "When the CJIT was contacted", "instant"),
            Ask(
                "slot_on",
                "Appointment slot kept, in case they are released",
                "day",
                hint="On the day of the hearing or the next working day there: a later one does not count",
            ),
            Ask("dose_letter_at", "When the dose letter was put in", "instant"),
            Ask("bridging_decided_at", "When bridging was decided on", "instant"),
            Ask("naloxone_at", "When naloxone was put in", "instant"),
        ),
        many=True,
    ),
    Section(
        "transfer_information",
        "Information for the receiving prison",
        "transfer",
        (
            Ask("transfer_on", "Day of the transfer", "day", must=True),
            Ask("drug", "Medicine", "text"),
            Ask("dose_form", "Form of the medicine", "text"),
            Ask("last_dose_at", "Last dose given", "instant"),
            Ask("next_dose_at", "Next dose due", "instant"),
            Ask("confirmed_at", "When the receiving clinician confirmed it", "instant"),
        ),
    ),
    Section(
        "arrival",
        "Treatment claimed on arrival",
        "arrival",
        (
            Ask(
                "received_at",
                "When they arrived",
                "instant",
                hint="Leave empty to use the reception recorded here",
            ),
            Ask("claims_ost", "Do they say they are in treatment?", "yes_no"),
            Ask(
                "by",
                "Confirmed by",
                "choice",
                {"pharmacy": "Pharmacy", "prescriber": "Prescriber"},
            ),
            Ask("at", "When it was confirmed", "instant"),
            Ask("dose", "Was the dose confirmed?", "yes_no"),
            Ask("last_consumed", "Was the last dose taken confirmed?", "yes_no"),
        ),
        unknown="What was claimed and confirmed on arrival",
    ),
    Section(
        "exit",
        "Left custody",
        "exit",
        (
            Ask("at", "When they left", "instant", must=True),
            Ask(
                "how",
                "How",
                "choice",
                {
                    "release": "Released as planned",
                    "court": "Released from court",
                    "unplanned": "Released in another way nobody planned",
                    "transfer": "Moved to another prison",
                    "died": "Died",
                },
                must=True,
            ),
        ),
        check=True,
    ),
    Section(
        "engagement",
        "Treatment begun outside",
        "",
        (Ask("engaged_on", "Day structured treatment began", "day", must=True),),
    ),
)
SECTIONS: Final[Mapping[str, Section]] = {section.key: section for section in _ALL}
"""Every section by key, in the order a plan is filled in."""

STEPS: Final[Mapping[str, str]] = {
    "consent": "Ask for consent to share, or record the lawful basis",
    "destination": "Record the area they return to and the contact there",
    "prescriber": "Name the community prescriber and their service",
    "arrival": "Have dose and last dose taken confirmed by the prescriber",
    "dose": "Find out when the last dose was taken",
    "last_dose": "Settle whether a dose is given before they leave",
    "appointment": "Book the first appointment",
    "pharmacy": "Name the pharmacy",
    "supply": "Write the bridging prescription, signed and in the pharmacy's hands",
    "dose_letter": "Send the dose letter",
    "notification": "Tell the CJIT or the community service, and have it acknowledged",
    "court_pack": "Complete the court pack",
    "transfer_information": "Complete the information for the receiving prison",
    "naloxone": "Issue naloxone, or record that it was declined",
    "overdose_session": "Hold the overdose session, or record that it was declined",
    "weekend": "Look at the cover over the closed days, and record that it is in order",
}
"""What each step out of a gap is called (scheduling/release_steps.py)."""

MEDICINE_ONLY: Final = frozenset(
    {"last_dose", "prescriber", "pharmacy", "dose_letter", "weekend", "arrival"}
)
"""Sections that say nothing about somebody known not to be on opioid substitution."""

PREMISES: Final = {"pharmacy": "Pharmacy", "clinic": "Clinic"}
ENDINGS: Final = {
    "finished": "Finished: the person is in treatment, or nothing is left to do",
    "opened_in_error": "Opened in error",
}


@dataclass(frozen=True)
class Desk:
    """Who sees to a flag, and the sections that can clear it. A convention of this service."""

    owner: str
    sections: tuple[str, ...]


OWNERS: Final = {
    "healthcare": "Prison healthcare",
    "keyworker": "Keyworker",
    "community": "Community service",
}
DESKS: Final[Mapping[str, Desk]] = {
    "RG-01": Desk("keyworker", ("prescriber",)),
    "RG-02": Desk("keyworker", ("appointment", "community_prescription")),
    "RG-03": Desk("healthcare", ("supply", "appointment", "last_dose")),
    "RG-04": Desk("keyworker", ("appointment", "clinic")),
    "RG-05": Desk("healthcare", ("weekend",)),
    "RG-06": Desk("keyworker", ("release",)),
    "RG-07": Desk("keyworker", ("court_pack",)),
    "RG-08": Desk("healthcare", ("dose_letter", "appointment")),
    "RG-09": Desk("healthcare", ("transfer_information",)),
    "RG-10": Desk("healthcare", ("arrival",)),
    "RG-11": Desk("healthcare", ("naloxone",)),
    "RG-12": Desk("keyworker", ("notification",)),
    "RG-13": Desk("keyworker", ("destination",)),
    "RG-14": Desk("keyworker", ("appointment", "notification", "supply")),
    "RG-15": Desk("healthcare", ("supply", "pharmacy")),
    "RG-16": Desk("keyworker", ("overdose_session",)),
    "RG-17": Desk("community", ("appointment",)),
    "RG-18": Desk("keyworker", ("possible_earlier", "release")),
    "RG-19": Desk("keyworker", ("consent",)),
    "RG-20": Desk("healthcare", ("dose_letter", "supply")),
    "RG-21": Desk("community", ("engagement",)),
}
