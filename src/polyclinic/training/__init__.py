"""From rows to weights: the loop, its step, its batches, and the plain models beside it."""
