"""A demonstration service: synthetic people, made by the commands a person's click calls."""
