"""Plain models, trained beside ours on the same rows."""
