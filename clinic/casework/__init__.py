"""The CARAT casework file: what became of sessions, the end of the 28 days, transfers between prisons."""
