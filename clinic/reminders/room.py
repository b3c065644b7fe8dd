"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.reminders import sweeps  # noqa: F401 - its sweep joins the schedule
from clinic.reminders.api import reminders_api
from clinic.reminders.pages import reminders_pages

api_blueprints = (reminders_api,)
page_blueprints = (reminders_pages,)
