"""The dose being built up: reviews, contacts, the day on site, targets, and a person's charts."""
