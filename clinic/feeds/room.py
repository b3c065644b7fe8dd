"""The doors of this room. Apart from the package itself, whose tables every room imports."""

from clinic.feeds.api import feeds_api
from clinic.feeds.pages import feed_pages

api_blueprints = (feeds_api,)
page_blueprints = (feed_pages,)
