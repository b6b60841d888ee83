"""What the run leaves: bundle, report, card."""
