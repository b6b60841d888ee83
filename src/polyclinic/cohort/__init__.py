"""The table of patients: load, findings, exclusions, split. No torch."""
