"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.staff.api import staff_api
from clinic.staff.oversight import oversight_pages
from clinic.staff.pages import account_pages, staff_pages

api_blueprints = (staff_api,)
page_blueprints = (staff_pages, account_pages, oversight_pages)
