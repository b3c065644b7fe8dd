"""The coded lists of the assessment that are ours: social and mental health, consent, outcome, help.

Lists a source names stand in scheduling/assessment.toml; those of the dose check in kinds.py.
"""

from __future__ import annotations

MENTAL_HEALTH = {
    "depression": "Depression",
    "anxiety": "Anxiety",
    "psychosis": "Psychosis",
    "bipolar": "Bipolar disorder",
    "personality": "Personality disorder",
    "trauma": "Post-traumatic stress",
    "eating": "Eating disorder",
    "self_harm": "Self-harm, now or before",
    "suicidal": "Thoughts of suicide now",
    "other": "Another mental health problem",
}
SOCIAL = {
    "no_home": "No home, or one they must leave",
    "unsafe_home": "Home not safe",
    "alone": "Lives alone with nobody near",
    "children_elsewhere": "Children living elsewhere",
    "carer": "Cares for somebody",
    "no_work": "No work, training or education",
    "money": "Debt, or no income",
    "court": "Before a court, on bail, licence or an order",
    "literacy": "Difficulty reading, writing or with English",
    "other": "Another social need",
}
CLINICAL_VIEWS = {
    "none": "Not intoxicated",
    "some": "Some intoxication",
    "serious": "Seriously intoxicated",
}
PREGNANCY_OFFERS = {
    "done": "Offered and done",
    "declined": "Offered and declined",
    "not_offered": "Not offered, as described below",
}
PREGNANCY_RESULTS = {
    "positive": "Positive",
    "negative": "Negative",
    "unclear": "Unclear: to be repeated",
}
CONTESTED_BY = {
    "patient": "The patient",
    "representative": "Somebody speaking for the patient",
    "worker": "A member of staff",
}
CONTESTED_WHY = {
    "not_used": "Says the substance was not used",
    "used_undetected": "Says it was used and the kit missed it",
    "medicine": "A medicine explains the result",
    "sample": "The sample may be another person's, or spoilt",
    "kit": "The kit was faulty or out of date",
    "other": "Another reason, given below",
}
CONSENTS = {
    "given": "Consent given",
    "refused": "Consent refused: no treatment",
    "withdrawn": "Consent withdrawn: no more treatment",
}
INFORMATION = {
    "medicine": "The medicine: what it does, and how it is taken",
    "overdose": "Overdose, and what lowers tolerance",
    "alcohol_sedatives": "Alcohol and sedatives beside it",
    "driving": "Driving",
    "storage": "Safe storage, and children",
    "missed_doses": "Missed doses",
    "supervision": "Supervised consumption",
    "sharing": "What is shared with whom",
    "choices": "The other treatments there are",
}
LANGUAGES = {
    "english": "English",
    "welsh": "Welsh",
    "polish": "Polish",
    "romanian": "Romanian",
    "punjabi": "Punjabi",
    "urdu": "Urdu",
    "arabic": "Arabic",
    "somali": "Somali",
    "bsl": "British Sign Language",
    "other": "Another language, named below",
}
FORMATS = {
    "spoken": "Spoken",
    "interpreter": "Spoken, through an interpreter",
    "written": "Written",
    "easy_read": "Easy read or pictures",
    "large_print": "Large print",
    "recording": "Recording",
}
MEDICINES = {"methadone": "Methadone", "buprenorphine": "Buprenorphine"}

SUITABLE, EXTENDED = "suitable", "extended"
NOT_DEPENDENT, UNSUITED, CRACK_ONLY = "not_dependent", "unsuited", "crack_only"
OUTCOMES = {
    SUITABLE: "Suitable for a rapid start",
    EXTENDED: "Extended assessment first",
    UNSUITED: "Not suited to a rapid start",
    NOT_DEPENDENT: "Not dependent: no prescription",
    CRACK_ONLY: "Crack only: the crack pathway",
}
NO_PRESCRIPTION = (NOT_DEPENDENT, CRACK_ONLY)
"""Outcomes under which no dose of either drug can be saved, until another is signed."""
OUTCOME_REASONS = {
    "no_history": "No history of dependence",
    "negative_test": "Drug test negative",
    "no_withdrawal": "No withdrawal over the time observed",
    "occasional_use": "Occasional use",
    "complex": "The case is complex",
    "results_awaited": "Results or confirmations are awaited",
    "more_findings": "More history or observation is needed",
    "mental_health": "Mental health",
    "poly_substance": "Alcohol or poly-substance use",
    "illness": "Illness",
    "pregnancy": "Pregnancy",
    "inpatient": "Inpatient care is needed",
    "patients_wish": "The patient's wish",
    "stimulants_only": "Uses crack or other stimulants, and no opioid",
    "other": "Another reason, given below",
}
REASON_FITS = {
    NOT_DEPENDENT: ("no_history", "negative_test", "no_withdrawal", "occasional_use", "other"),
    EXTENDED: ("complex", "results_awaited", "more_findings", "mental_health", "patients_wish",
               "other"),
    UNSUITED: ("mental_health", "poly_substance", "illness", "pregnancy", "inpatient",
               "patients_wish", "other"),
    CRACK_ONLY: ("stimulants_only", "other"),
    SUITABLE: (),
}  # fmt: skip
LONGER_ASSESSMENT = {
    "done": "Offered and done",
    "declined": "Offered and declined",
}
GIVEN, HEARD_BEFORE = "given", "heard_before"
RESPONSES = {
    "planned": "In the plan",
    "offered": "Offered",
    GIVEN: "Given",
    "declined": "Declined",
    HEARD_BEFORE: "Says they heard it before: still due",
}
ACTION_ENDS = {"done": "Done", "not_needed": "No longer needed, as described below"}
ARRIVALS = {
    "prison": "Reception into prison",
    "community": "Back in the community from custody",
}
COMMUNITY_PRESCRIPTIONS = {
    "none": "There is none",
    "unsettled": "There is one, and nobody has settled what becomes of it",
    "stopped": "Stopped",
    "kept": "Kept on purpose",
}
INSTEAD = {
    "supply": "A supply is arranged",
    "detoxification": "A detoxification is planned",
}
ARREST_FINDINGS = {
    "using_on_top": "Using on top of the prescription",
    "dose_inadequate": "The dose is inadequate",
    "both": "Both",
    "neither": "Neither",
}
