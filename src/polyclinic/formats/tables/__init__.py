"""Table files: text and typed columns."""
