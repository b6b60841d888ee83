"""The loop over epochs, its clock, and its state on disk."""
