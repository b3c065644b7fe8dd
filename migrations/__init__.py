"""How the tables came to be: one file a step, readable in order, up and down."""
