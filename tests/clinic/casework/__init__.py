"""The casework file, completion and hand-over."""
