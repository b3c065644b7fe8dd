"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.scripts.api import scripts_api
from clinic.scripts.draft_pages import draft_pages
from clinic.scripts.pages import scripts_pages
from clinic.scripts.paper_pages import paper_pages
from clinic.scripts.regimen_pages import regimen_pages

api_blueprints = (scripts_api,)
page_blueprints = (scripts_pages, draft_pages, paper_pages, regimen_pages)
