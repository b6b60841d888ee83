"""One file per form of answer. No torch."""
