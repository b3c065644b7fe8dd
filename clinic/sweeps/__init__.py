"""Work that follows the clock: what runs when, done once for each day, every run recorded."""

from clinic.sweeps.pages import sweeps_pages

api_blueprints = ()
page_blueprints = (sweeps_pages,)
