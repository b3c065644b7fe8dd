"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.appointments import sweeps  # noqa: F401 - its sweep joins the schedule
from clinic.appointments.api import appointments_api
from clinic.appointments.chain_api import chain_api
from clinic.appointments.chain_pages import chain_pages
from clinic.appointments.hours_api import hours_api
from clinic.appointments.hours_pages import hours_pages
from clinic.appointments.missed_api import missed_api
from clinic.appointments.missed_pages import missed_pages
from clinic.appointments.pages import appointments_pages
from clinic.appointments.rota_pages import rota_pages
from clinic.appointments.routine_api import routine_api
from clinic.appointments.routine_pages import routine_pages
from clinic.appointments.things_api import things_api
from clinic.appointments.things_pages import things_pages
from clinic.appointments.views_api import views_api
from clinic.appointments.views_pages import views_pages
from clinic.appointments.visit_pages import visits_pages
from clinic.appointments.waiting_api import waiting_api
from clinic.appointments.waiting_pages import waiting_pages

api_blueprints = (
    appointments_api,
    waiting_api,
    missed_api,
    hours_api,
    things_api,
    views_api,
    chain_api,
    routine_api,
)
page_blueprints = (
    appointments_pages, visits_pages, views_pages, rota_pages, waiting_pages, missed_pages,
    hours_pages, things_pages, chain_pages, routine_pages,
)  # fmt: skip
