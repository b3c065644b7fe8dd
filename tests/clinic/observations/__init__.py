"""The first days on the wing."""
