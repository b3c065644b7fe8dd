"""Where people are treated: sites, and what holds at each from which day."""
