"""Who works here: sign-in, roles and posts at sites, prescriber level, competence, API tokens."""

from clinic.staff.pages import staff_pages

api_blueprints = ()
page_blueprints = (staff_pages,)
