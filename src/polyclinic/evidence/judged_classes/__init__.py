"""One of two classes, and one of several: how each is judged."""
