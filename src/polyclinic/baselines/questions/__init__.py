"""Plain models by kind of question: one file for each, of the name of the kind."""
