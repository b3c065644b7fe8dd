"""What became of a dose: taken, in part, refused, not taken; seen by whom."""
