"""The casework file, completion and transfers."""
