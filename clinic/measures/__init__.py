"""How well are the clocks kept? Each measure with its numbers, its people, and why some were late."""
