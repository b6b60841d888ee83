"""Made-up records with a known signal."""
