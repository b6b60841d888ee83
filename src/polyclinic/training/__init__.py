"""From rows to weights: what a fit learns from, its loop, and what its networks answer."""
