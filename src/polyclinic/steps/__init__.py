"""The steps of the verbs over all folds."""
