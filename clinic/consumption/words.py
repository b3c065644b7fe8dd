"""The coded lists of doses taken, and the words staff read."""

from __future__ import annotations

from typing import Final

OUTCOMES: Final = {
    "taken": "Taken, all of it",
    "part": "Taken in part",
    "refused": "Refused by the patient",
    "withheld": "Withheld",
    "missed": "Missed: did not attend",
    "not_taken": "Not taken (recorded before it was asked why)",
}
ASKED: Final = {code: words for code, words in OUTCOMES.items() if code != "not_taken"}
"""What can be recorded now. Older records said only that a dose was not taken."""
SWALLOWED: Final = ("taken", "part")
SUPERVISION: Final = {"supervised": "Supervised", "take_home": "Taken at home"}
RESTS: Final = {
    "destroyed": "Destroyed, with a witness",
    "returned": "Returned unopened",
    "spat_out": "Spat out",
    "spilt": "Spilt",
    "left_with_patient": "Left with the patient",
    "not_known": "Not known",
}
WITHHELD_FOR: Final = {
    "intoxicated": "Intoxicated",
    "sedated": "Sedated",
    "missed_doses": "Three or more doses were missed",
    "review": "The review withholds today's dose",
    "identity": "It could not be confirmed who this is",
    "no_decision": "No decision is in force",
    "unwell": "Unwell, or a new medicine",
    "behaviour": "Behaviour: not safe to go on",
    "other": "Another reason, given in the notes",
}
IDENTIFIED_BY: Final = {
    "name_and_birth": "Asked for name and date of birth, and both agree",
    "prison_number": "Prison number and identity card agree",
    "document": "A document with a photograph",
    "known": "Known to me",
    "not_confirmed": "Could not be confirmed",
}
NOT_CONFIRMED: Final = "not_confirmed"
LOOKS: Final = {"clear": "No signs of intoxication", "signs": "Signs of intoxication"}
SIGNS: Final = {
    "smells_of_alcohol": "Smells of alcohol",
    "slurred_speech": "Slurred speech",
    "unsteady": "Unsteady",
    "drowsy": "Drowsy, or eyes closing",
    "small_pupils": "Pinpoint pupils",
    "confused": "Confused, or slow to answer",
    "agitated": "Agitated",
    "other": "Something else, described below",
}
GLASS_KINDS: Final = ("glass", "incident")
GLASS_REASONS: Final = {
    "system_down": "The system was down and the paper sheet has no such check",
    "known_well": "Known well to everybody here, and could not be asked",
    "urgent": "Waiting would put the patient at greater risk",
    "nobody_to_review": "Nobody is here who may review, and one was promised by phone",
    "other": "Another reason, given below",
}
INCIDENT_REASONS: Final = {
    "wrong_person": "Given to the wrong person",
    "given_before_checks": "Given before the checks were made",
    "given_after_withdrawal": "Given after the decision was withdrawn",
    "given_in_lock": "Given although doses had been missed",
    "given_against_stop": "Given although a rule stops it",
    "other": "Another way, given below",
}
SEEN_VOMITED: Final = {"seen": "Seen by staff", "told": "Told by the patient or somebody else"}
PLACES: Final = {"on_site": "Here, at this service", "pharmacy": "At a pharmacy"}
HANDED_OVER: Final = {
    "supervised": "To be taken at once, under supervision",
    "take_home": "To take home",
}
