"""Every dose rule in force, with its numbers and its source."""
